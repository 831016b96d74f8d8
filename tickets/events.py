"""What happens to tickets, past tense; ids only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TicketOpened:
    """Carries what its receivers need, so that accepting a ticket reads nothing again."""

    ticket_id: int
    version: int
    organisation_id: int
    board_id: int


@dataclass(frozen=True, slots=True)
class TicketChanged:
    """Anything that a list or the ticket page shows has changed; `what` names it for the timeline's readers."""

    ticket_id: int
    version: int
    organisation_id: int
    board_id: int
    what: str
    actor_name: str = ""


@dataclass(frozen=True, slots=True)
class MessageAdded:
    ticket_id: int
    message_id: int
    kind: str


@dataclass(frozen=True, slots=True)
class WatcherAdded:
    ticket_id: int
    person_id: int


@dataclass(frozen=True, slots=True)
class SubmissionRequested:
    submission_id: int


@dataclass(frozen=True, slots=True)
class IssueCreated:
    """The ticket has its counterpart; what had to wait for it may go."""

    ticket_id: int


@dataclass(frozen=True, slots=True)
class IssueChangeRequested:
    change_id: int


@dataclass(frozen=True, slots=True)
class FileAttached:
    """A file belongs to a ticket now. `is_internal`: it came with an internal note."""

    ticket_id: int
    attachment_id: int
    is_internal: bool


@dataclass(frozen=True, slots=True)
class FileDeliveryRequested:
    delivery_id: int
