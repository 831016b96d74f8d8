"""What every write of a ticket does: lock, raise the version, remember, publish."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection

from accounts.models import User
from supporthub.core import events
from supporthub.core.compiled import Part, inserting, together
from tickets.choices import TimelineKind
from tickets.events import TicketChanged
from tickets.models import Ticket, TimelineEntry, next_version
from tickets.models.tickets import VERSION_SEQUENCE
from tickets.services import trail

_RAISE = "UPDATE tickets_ticket SET version = nextval(%s) WHERE {} RETURNING id, version, organisation_id, board_id"
_RAISE_ONE = _RAISE.format("id = %s")
_RAISE_SUBMITTED = _RAISE.format("id IN (SELECT ticket_id FROM tickets_submission WHERE id = ANY(%s))")


def locked(ticket_id: int) -> Ticket:
    """Return the ticket under its row lock (`no_key`: foreign keys to it may still be inserted)."""
    return (
        Ticket.objects.select_for_update(no_key=True, of=("self",))
        .select_related("board", "organisation")
        .get(pk=ticket_id)
    )


def record(
    ticket: Ticket, kind: TimelineKind, actor: User | None, *, proofs: Mapping[str, str] | None = None, **data: Any
) -> None:
    """Write a fact into the ticket's timeline and into the audit trail.

    `proofs` are texts that lie elsewhere (a message's), of which the trail keeps a salted digest.
    """
    together(*facts(ticket, kind, actor, proofs=proofs, **data))


def facts(
    ticket: Ticket, kind: TimelineKind, actor: User | None, *, proofs: Mapping[str, str] | None = None, **data: Any
) -> list[Part]:
    """Return what `record` would write, for a round trip that writes more than that."""
    entry = TimelineEntry(ticket=ticket, kind=kind, actor=actor, data=data)
    return [inserting(entry), *trail.parts(ticket, kind, actor, data, proofs=proofs)]


def touch(ticket: Ticket, what: str, actor: User | None, *fields: str) -> None:
    """Save `fields` with a new version and tell everybody who looks at the ticket."""
    ticket.version = next_version()
    ticket.save(update_fields=[*fields, "version", "updated_at"])
    by = str(actor) if actor else ""
    events.publish(TicketChanged(ticket.pk, ticket.version, ticket.organisation_id, ticket.board_id, what, by))


def show_again(ticket_id: int, what: str) -> None:
    """The ticket itself did not change, but what is shown of it did (its submission, its issue)."""
    _raise(_RAISE_ONE, ticket_id, what)


def show_submissions_again(submission_ids: Iterable[int]) -> None:
    """As `show_again`, for the tickets of these submissions."""
    _raise(_RAISE_SUBMITTED, list(submission_ids), "submission")


def _raise(statement: str, wanted: int | list[int], what: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [VERSION_SEQUENCE, wanted])
        raised = cursor.fetchall()
    for ticket_id, version, organisation_id, board_id in raised:
        events.publish(TicketChanged(ticket_id, version, organisation_id, board_id, what))
