"""What `up` can end with."""

from collections.abc import Sequence


class StartError(Exception):
    """The hub cannot start. The message is one line that says what to change; `details` may quote a log below it."""

    def __init__(self, message: str, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)


class StopRequested(Exception):
    """SIGINT, SIGTERM or SIGHUP arrived while something was awaited; nothing is wrong."""
