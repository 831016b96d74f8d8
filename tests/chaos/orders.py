"""Orders to die: how a campaign tells a process of the hub at which step it must kill itself.

An order is a file named after a step. The process that passes the step and can rename the file dies there, so every
order is carried out at most once, and the renamed file is the proof that the step was hit. Standard library only: this
is imported into the hub's processes.
"""

import os
import signal
from collections import Counter
from pathlib import Path

# Step by step, the life of one ticket; the first word of each name is its class.
WEB_STEPS = (
    "intake.ticket_written",  # inside the accepting transaction, before the submission's row
    "intake.rows_written",  # inside the transaction, before the idempotency key has its answer
    "intake.before_commit",
    "intake.between_phases",  # committed; nothing hurried or shown yet
    "intake.before_answer",  # both phases done; the client has no answer
)
WORKER_STEPS = (
    "claim.before_commit",
    "claim.after_commit",
    "send.before",
    "send.under_way",  # the request is on its way or being answered
    "send.answered",  # Jira's answer was read
    "settle.before",
    "settle.row_written",  # inside the settling transaction, before the link's row
    "settle.before_commit",
    "settle.between_phases",
    "settle.after",
    "look.before",
    "look.after",
    "sweep.expired",  # leases were expired and committed
    "sweep.marked",  # rows were marked as hurried; the queue knows nothing yet
    "watcher.before",
    "watcher.after",
)
STEPS = (*WEB_STEPS, *WORKER_STEPS)


def step_class(step: str) -> str:
    """The part of the flow that a step belongs to."""
    return step.partition(".")[0]


def process_of(step: str) -> str:
    """The process that passes this step."""
    return "web" if step in WEB_STEPS else "worker"


class Orders:
    """The folder through which orders go; both sides use this class."""

    def __init__(self, folder: Path) -> None:
        self._open = folder / "open"
        self._done = folder / "done"
        for place in (self._open, self._done):
            place.mkdir(parents=True, exist_ok=True)

    def give(self, step: str) -> None:
        """Order whichever process passes `step` next to die there."""
        if step not in STEPS:
            raise ValueError(f"no step is called {step}")
        (self._open / step).touch()

    def withdraw(self, step: str) -> bool:
        """Take an order back; False when it was carried out already."""
        try:
            (self._open / step).unlink()
        except FileNotFoundError:
            return False
        return True

    def pending(self) -> set[str]:
        """Orders that nobody has carried out yet."""
        return {path.name for path in self._open.iterdir()}

    def hits(self) -> Counter[str]:
        """How many processes have died at each step."""
        return Counter(path.name.partition("@")[0] for path in self._done.iterdir())

    def pass_by(self, step: str) -> None:
        """Called where the step is: die here if that is ordered."""
        if self.claim(step):
            os.kill(os.getpid(), signal.SIGKILL)

    def claim(self, step: str) -> bool:
        """Take the order for `step`; True for exactly one caller."""
        source = self._open / step
        if not source.exists():
            return False
        try:
            source.rename(self._done / f"{step}@{os.getpid()}")
        except FileNotFoundError:
            return False
        return True
