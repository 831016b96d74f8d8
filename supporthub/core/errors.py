"""Two families of errors: what we tell a caller (`HubError`), and what an outside system did (`IntegrationError`).

No exception of a vendor's library leaves `supporthub.integrations`; no text of an `IntegrationError` reaches a caller
without passing through a delivery's `reason`.
"""

from collections.abc import Mapping


class HubError(Exception):
    """A refusal that a caller may read.

    `code` is stable and machine-readable, `status` the HTTP status, `errors` maps a field to its faults.
    """

    code = "error"
    status = 400

    def __init__(self, detail: str, *, errors: Mapping[str, list[str]] | None = None, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = dict(errors or {})
        if code:
            self.code = code


class InvalidInput(HubError):
    code = "invalid"
    status = 400


class NotAllowed(HubError):
    code = "forbidden"
    status = 403


class NotThere(HubError):
    """Also used where a caller may not know that the object exists."""

    code = "not_found"
    status = 404


class Conflicted(HubError):
    code = "conflict"
    status = 409


class TooLarge(HubError):
    code = "too_large"
    status = 413


class Unavailable(HubError):
    """Something of our own does not answer, for example the files' store; the same request may work in a moment."""

    code = "unavailable"
    status = 503


class IntegrationError(Exception):
    """An outside system did not do what was asked, and nothing happened there.

    `reason` is a short sentence for a person; `detail` may hold more for the attempt's record (no secrets).
    """

    def __init__(self, reason: str, *, code: str = "", detail: str = "", status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code or self.__class__.__name__.lower()
        self.detail = detail
        self.status = status


class TransientError(IntegrationError):
    """It may work later. `retry_after` in seconds when the other side named a time.

    `pause` asks that the whole target rests for that long (quota used up), not only this row.
    """

    def __init__(
        self, reason: str, *, code: str = "", detail: str = "", status: int | None = None,
        retry_after: float | None = None, pause: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(reason, code=code, detail=detail, status=status)
        self.retry_after = retry_after
        self.pause = pause


class AuthError(IntegrationError):
    """Our credentials were refused; every row for that target would fail the same way."""


class NotFound(IntegrationError):
    pass


class Conflict(IntegrationError):
    pass


class Rejected(IntegrationError):
    """The other side understood and said no. `fields` maps its field names to its words."""

    def __init__(
        self, reason: str, *, code: str = "", detail: str = "", status: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(reason, code=code, detail=detail, status=status)
        self.fields = dict(fields or {})


class OutcomeUnknown(Exception):
    """The request may have had its effect: no answer, or one that proves nothing. Never simply repeated."""

    def __init__(self, reason: str, *, code: str = "no_answer", detail: str = "", status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.detail = detail
        self.status = status
