"""Changes of a ticket's own fields: status by the table, assignee, priority, title, labels."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.choices import Action
from accounts.models import User
from accounts.permissions import principal_of
from supporthub.core import text
from supporthub.core.errors import Conflicted, InvalidInput
from tickets import workflow
from tickets.choices import Priority, TicketStatus, TimelineKind
from tickets.models import Ticket
from tickets.services.common import locked, record, touch


class StaleVersion(Conflicted):
    code = "stale_version"


def demand_fresh(ticket: Ticket, seen_version: int | None) -> None:
    """Raise StaleVersion when the caller looked at an older state than the one under the lock."""
    if seen_version is not None and seen_version != ticket.version:
        raise StaleVersion(_("Somebody changed this ticket meanwhile; look at it again and repeat your change."))


@transaction.atomic
def transition_ticket(*, ticket_id: int, verb: str, actor: User | None) -> Ticket:
    """Apply `verb`; raises TransitionNotAllowed when the table does not offer it from the present status."""
    ticket = locked(ticket_id)
    step = workflow.step_for(ticket.status, verb)
    before, ticket.status = ticket.status, step.target
    if step.target == TicketStatus.RESOLVED:
        ticket.resolved_at = timezone.now()
    elif ticket.is_open:
        ticket.resolved_at = None
    record(ticket, TimelineKind.STATUS_CHANGED, actor, verb=verb, old=before, new=step.target)
    touch(ticket, TimelineKind.STATUS_CHANGED, actor, "status", "resolved_at")
    return ticket


@transaction.atomic
def assign_ticket(*, ticket_id: int, assignee: User | None, actor: User | None) -> Ticket:
    """Give the ticket to somebody who may work it, or to nobody. Raises InvalidInput for somebody who may not."""
    ticket = locked(ticket_id)
    if assignee is not None and not principal_of(assignee).may(
        Action.WORK_TICKET, organisation=ticket.organisation_id, board=ticket.board_id
    ):
        raise InvalidInput(
            _("Not accepted: %(name)s.") % {"name": "assignee"},
            errors={"assignee": [_("This person may not work this ticket.")]},
        )
    if ticket.assignee_id == (assignee.pk if assignee else None):
        return ticket
    record(ticket, TimelineKind.ASSIGNED, actor, old=ticket.assignee_id, new=assignee.pk if assignee else None,
           name=str(assignee) if assignee else "")  # fmt: skip
    ticket.assignee = assignee
    touch(ticket, TimelineKind.ASSIGNED, actor, "assignee")
    return ticket


@transaction.atomic
def edit_ticket(
    *, ticket_id: int, actor: User | None, title: str | None = None, priority: str | None = None,
    labels: list[str] | None = None, seen_version: int | None = None,
) -> Ticket:  # fmt: skip
    """Change plain fields; each change is its own fact. Raises StaleVersion when `seen_version` is outdated."""
    ticket = locked(ticket_id)
    demand_fresh(ticket, seen_version)
    changed: list[str] = []
    if title is not None and (new_title := text.one_line(title, 500)) != ticket.title:
        record(ticket, TimelineKind.TITLE_CHANGED, actor, old=ticket.title, new=new_title)
        ticket.title = new_title
        changed.append("title")
    if priority is not None and priority != ticket.priority:
        record(ticket, TimelineKind.PRIORITY_CHANGED, actor, old=ticket.priority, new=Priority(priority).value)
        ticket.priority = priority
        changed.append("priority")
    if labels is not None and labels != ticket.labels:
        record(ticket, TimelineKind.LABELS_CHANGED, actor, old=ticket.labels, new=labels)
        ticket.labels = labels
        changed.append("labels")
    if changed:
        touch(ticket, "ticket.edited", actor, *changed)
    return ticket
