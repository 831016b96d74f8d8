"""Who reacts to what. First phase: rows that must follow. Second phase: hurry and show."""

from accounts.permissions import register_grant_source
from supporthub.core.deliveries import registry
from supporthub.core.events import after_commit, in_transaction
from supporthub.core.live.publish import publish as push
from supporthub.core.tasks import enqueue
from tickets import selectors, tasks
from tickets.events import (
    IssueChangeRequested,
    IssueCreated,
    SubmissionRequested,
    TicketChanged,
    TicketOpened,
    WatcherAdded,
)
from tickets.models import Ticket
from tickets.services import changes, submissions

register_grant_source(selectors.board_grants)
registry.bind_hurry(submissions.KIND_NAME, lambda pk: enqueue(tasks.submit_ticket, pk))
registry.bind_hurry(changes.KIND_NAME, lambda pk: enqueue(tasks.change_issue, pk))


@in_transaction(TicketOpened)
def write_submission(event: TicketOpened) -> None:
    submissions.request_submission(
        ticket_id=event.ticket_id, tracker_id=event.tracker_id, project_key=event.project_key
    )


@in_transaction(IssueCreated)
def write_waiting_watchers(event: IssueCreated) -> None:
    changes.request_watchers(ticket_id=event.ticket_id)


@in_transaction(WatcherAdded)
def write_watcher(event: WatcherAdded) -> None:
    changes.request_watchers(ticket_id=event.ticket_id)


@after_commit(SubmissionRequested)
def hurry_submission(event: SubmissionRequested) -> None:
    enqueue(tasks.submit_ticket, event.submission_id)


@after_commit(IssueChangeRequested)
def hurry_change(event: IssueChangeRequested) -> None:
    enqueue(tasks.change_issue, event.change_id)


@after_commit(TicketOpened)
def show_new_ticket(event: TicketOpened) -> None:
    """Only its board's queue hears of it: nobody watches a ticket whose number nobody knows yet."""
    scope = {"organisation": event.organisation_id, "board": event.board_id}
    push(f"queue:{event.board_id}", "ticket.opened", id=event.ticket_id, version=event.version, scope=scope)


@after_commit(TicketChanged)
def show_change(event: TicketChanged) -> None:
    ticket = Ticket.objects.only("board_id", "organisation_id").get(pk=event.ticket_id)
    _show(ticket, event.what, event.version, event.actor_name)


def _show(ticket: Ticket, kind: str, version: int, by: str) -> None:
    scope = {"organisation": ticket.organisation_id, "board": ticket.board_id}
    for topic in (f"queue:{ticket.board_id}", f"ticket:{ticket.pk}"):
        push(topic, kind, id=ticket.pk, version=version, data={"by": by}, scope=scope)
