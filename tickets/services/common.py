"""What every write of a ticket does: lock, raise the version, remember, publish."""

from typing import Any

from django.db import connection

from accounts.models import User
from supporthub.core import events
from tickets.choices import TimelineKind
from tickets.events import TicketChanged
from tickets.models import Ticket, TimelineEntry, next_version
from tickets.models.tickets import VERSION_SEQUENCE

_RAISE_VERSION = "UPDATE tickets_ticket SET version = nextval(%s) WHERE id = %s RETURNING version"


def locked(ticket_id: int) -> Ticket:
    """Return the ticket under its row lock (`no_key`: foreign keys to it may still be inserted)."""
    return (
        Ticket.objects.select_for_update(no_key=True, of=("self",))
        .select_related("board", "organisation")
        .get(pk=ticket_id)
    )


def record(ticket: Ticket, kind: TimelineKind, actor: User | None, **data: Any) -> TimelineEntry:
    return TimelineEntry.objects.create(ticket=ticket, kind=kind, actor=actor, data=data)


def touch(ticket: Ticket, what: str, actor: User | None, *fields: str) -> None:
    """Save `fields` with a new version and tell everybody who looks at the ticket."""
    ticket.version = next_version()
    ticket.save(update_fields=[*fields, "version", "updated_at"])
    events.publish(TicketChanged(ticket.pk, ticket.version, what, str(actor) if actor else ""))


def show_again(ticket_id: int, what: str) -> None:
    """The ticket itself did not change, but what is shown of it did (its submission, its issue)."""
    with connection.cursor() as cursor:
        cursor.execute(_RAISE_VERSION, [VERSION_SEQUENCE, ticket_id])
        raised = cursor.fetchone()
    if raised is None:
        return
    version = int(raised[0])
    events.publish(TicketChanged(ticket_id, version, what))
