"""Who reacts to what. First phase: rows that must follow. Second phase: hurry and show."""

from functools import partial

from accounts.permissions import register_grants
from supporthub.core.deliveries import registry
from supporthub.core.events import after_commit, in_transaction
from supporthub.core.live.publish import publish as push
from supporthub.core.tasks import nudge
from tickets import tasks
from tickets.events import (
    FileAttached,
    FileDeliveryRequested,
    IssueChangeRequested,
    IssueCreated,
    SubmissionRequested,
    TicketChanged,
    TicketOpened,
    WatcherAdded,
)
from tickets.models import BoardGrant
from tickets.services import changes, files_out, submissions

register_grants(BoardGrant, "board")
registry.bind_hurry(submissions.KIND_NAME, partial(nudge, tasks.submit_ticket))
registry.bind_hurry(changes.KIND_NAME, partial(nudge, tasks.change_issue))
registry.bind_hurry(files_out.KIND_NAME, partial(nudge, tasks.send_file))


@in_transaction(IssueCreated)
def write_waiting_watchers(event: IssueCreated) -> None:
    changes.request_watchers(ticket_id=event.ticket_id)


@in_transaction(IssueCreated)
def write_waiting_files(event: IssueCreated) -> None:
    files_out.request_waiting_files(ticket_id=event.ticket_id)


@in_transaction(FileAttached)
def write_file(event: FileAttached) -> None:
    if not event.is_internal:
        files_out.request_file(ticket_id=event.ticket_id, attachment_id=event.attachment_id)


@in_transaction(WatcherAdded)
def write_watcher(event: WatcherAdded) -> None:
    changes.request_watchers(ticket_id=event.ticket_id)


@after_commit(SubmissionRequested)
def hurry_submission(event: SubmissionRequested) -> None:
    nudge(tasks.submit_ticket, event.submission_id)


@after_commit(IssueChangeRequested)
def hurry_change(event: IssueChangeRequested) -> None:
    nudge(tasks.change_issue, event.change_id)


@after_commit(FileDeliveryRequested)
def hurry_file(event: FileDeliveryRequested) -> None:
    nudge(tasks.send_file, event.delivery_id)


@after_commit(TicketOpened)
def show_new_ticket(event: TicketOpened) -> None:
    """Only its board's queue hears of it: nobody watches a ticket whose number nobody knows yet."""
    scope = {"organisation": event.organisation_id, "board": event.board_id}
    push(f"queue:{event.board_id}", "ticket.opened", id=event.ticket_id, version=event.version, scope=scope)


@after_commit(TicketChanged)
def show_change(event: TicketChanged) -> None:
    scope = {"organisation": event.organisation_id, "board": event.board_id}
    for topic in (f"queue:{event.board_id}", f"ticket:{event.ticket_id}"):
        push(topic, event.what, id=event.ticket_id, version=event.version, data={"by": event.actor_name}, scope=scope)
