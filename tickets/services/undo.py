"""Taking a change of a ticket back: a change of its own in the other direction, by the same services.

What is taken back is a fact of the timeline, which says what the value was before. It can be taken back by the person
who did it, for a short time, and only while nobody did anything else to the ticket.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from supporthub.core.errors import Conflicted, NotThere
from tickets.choices import TicketStatus, TimelineKind
from tickets.models import Ticket, TimelineEntry
from tickets.services.common import locked, record, touch
from tickets.services.workflow import assign_ticket, edit_ticket

SHOWN = timedelta(seconds=10)  # how long a page offers it
LONGEST = timedelta(seconds=30)  # with the way here and a slow hand
UNDO = "undo"  # instead of a verb of the workflow: no step leads back to `new`
OF_THE_HUB = ("submission.",)  # facts that no person brought about; they do not stand in the way


class TooLate(Conflicted):
    """It cannot be taken back any more."""

    code = "too_late_to_undo"


@transaction.atomic
def undo_change(*, entry_id: int, actor: User) -> Ticket:
    """Take a fact of the actor back and return the ticket.

    Raises NotThere for what is no change of the actor's that can be taken back, TooLate when its time is over or
    somebody has done something else to the ticket since, and what the services raise.
    """
    entry = TimelineEntry.objects.filter(pk=entry_id, actor=actor, kind__in=_UNDOING).first()
    if entry is None:
        raise NotThere(_("This cannot be undone."))
    ticket = locked(entry.ticket_id)
    if timezone.now() - entry.created_at > LONGEST:
        raise TooLate(_("It is too late to undo this."))
    since = ticket.timeline.filter(pk__gt=entry.pk)
    for prefix in OF_THE_HUB:
        since = since.exclude(kind__startswith=prefix)
    if since.exists():
        raise TooLate(_("Somebody changed this ticket meanwhile."))
    return _UNDOING[TimelineKind(entry.kind)](ticket, entry, actor)


def _unassign(ticket: Ticket, entry: TimelineEntry, actor: User) -> Ticket:
    before = User.objects.filter(pk=entry.data["old"]).first() if entry.data["old"] else None
    return assign_ticket(ticket_id=ticket.pk, assignee=before, actor=actor)


def _priority_before(ticket: Ticket, entry: TimelineEntry, actor: User) -> Ticket:
    return edit_ticket(ticket_id=ticket.pk, actor=actor, priority=entry.data["old"])


def _status_before(ticket: Ticket, entry: TimelineEntry, actor: User) -> Ticket:
    was, ticket.status = ticket.status, TicketStatus(entry.data["old"])
    if ticket.is_open:
        ticket.resolved_at = None
    record(ticket, TimelineKind.STATUS_CHANGED, actor, verb=UNDO, old=was, new=ticket.status)
    touch(ticket, TimelineKind.STATUS_CHANGED, actor, "status", "resolved_at")
    return ticket


_UNDOING = {
    TimelineKind.ASSIGNED: _unassign,
    TimelineKind.PRIORITY_CHANGED: _priority_before,
    TimelineKind.STATUS_CHANGED: _status_before,
}
