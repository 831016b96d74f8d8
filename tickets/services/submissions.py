"""The submission of a ticket to its tracker: asking for it, doing it, checking it, recording it.

docs/architecture.md, "the flow of one ticket", names each step and what a kill there leaves behind.
"""

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from supporthub.core import events
from supporthub.core.compiled import Select, Update, insert, together, upserting
from supporthub.core.deliveries import desk, rules
from supporthub.core.deliveries.holds import HoldKey
from supporthub.core.deliveries.registry import Claim, Kind, register
from supporthub.core.deliveries.states import DeliveryState
from supporthub.core.errors import Conflicted, NotThere, Rejected, TransientError
from supporthub.core.ids import marker
from tickets.choices import TimelineKind
from tickets.clients import tracker_client
from tickets.clients.jira_access import longest_attempt
from tickets.events import IssueCreated, SubmissionRequested
from tickets.models import Board, IssueLink, Message, Submission, SubmissionAttempt, Ticket, Tracker
from tickets.ports import Created, Found, IssueDraft, IssueRef, Missing
from tickets.selectors import highest_known_number
from tickets.services.common import facts, record, show_again, show_submissions_again

KIND_NAME = "submission"
CLOCKS_APART = timedelta(days=2)  # the tracker's clock and time zone against ours


def request_submission(ticket: Ticket, board: Board) -> None:
    """Write the submission row of a new ticket; runs in the accepting transaction."""
    submission = Submission(
        ticket=ticket, tracker_id=board.tracker_id, project_key=board.project_key,
        tag=marker("ticket", uuid.uuid4().hex),
        # If the first worker dies before it knows better, the look for our issue begins here and not at the first one.
        watermark=highest_known_number(board.tracker_id, board.project_key) if board.tracker_id else 0,
    )  # fmt: skip
    if board.tracker_id is None:
        submission.state, submission.done_at = DeliveryState.DONE, timezone.now()
    insert(submission)
    if board.tracker_id is not None:
        events.publish(SubmissionRequested(submission.pk))


def draft_of(submission: Submission) -> IssueDraft:
    """Return what the tracker is asked to make, from the ticket as it is now."""
    ticket = submission.ticket
    first = _first_message.first(ticket=ticket.pk)
    requester = ticket.requester
    labels = [*ticket.board.labels, *settings.JIRA_TICKET_LABELS, *ticket.labels]
    if ticket.category is not None:
        labels.append(ticket.category.slug)
    return IssueDraft(
        tag=submission.tag,
        project_key=submission.project_key,
        issue_type=ticket.board.issue_type or settings.JIRA_TICKET_TYPE,
        title=ticket.title,
        html=first.html if first else "",
        text=first.text if first else "",
        priority=ticket.priority,
        labels=tuple(dict.fromkeys(labels)),
        reporter_email=requester.email if requester and requester.is_reachable else "",
        reporter_name=requester.name if requester else "",
        ticket_key=ticket.key,
        link=settings.PUBLIC_URL + reverse("ticket", args=[ticket.key]),
    )


@Select
def _first_message(ticket: int) -> QuerySet[Message]:
    return Message.objects.filter(ticket=ticket).order_by("id")[:1]


@Update
def _remember(pk: int, fence: int, watermark: int) -> tuple[QuerySet[Submission], dict[str, Any]]:
    """Hits nothing once the lease has been lost."""
    leased = Submission.objects.filter(pk=pk, fence=fence, state=DeliveryState.RUNNING, lease_until__gt=Now())
    return leased, {"watermark": watermark}


def act(claim: Claim) -> rules.Outcome:
    """Create the issue once."""
    submission: Submission = claim.row
    tracker = tracker_client(_tracker(submission))
    if submission.tries == 1:
        # Remembered before the first attempt: if an answer is lost, our issue can only lie above this number.
        known = highest_known_number(submission.tracker_id or 0, submission.project_key)
        known = known or tracker.newest_number(project_key=submission.project_key)
    else:
        known = submission.watermark
    if not _remember(pk=submission.pk, fence=claim.fence, watermark=known):
        # A worker that was paused wakes up here: its ticket may have been proven absent and sent by another since.
        raise TransientError("The worker came too late to send this", code="lease_lost")
    return rules.Done(tracker.create_issue(draft_of(submission)))


def reconcile(claim: Claim) -> rules.Outcome:
    """Find out whether an earlier attempt made the issue."""
    submission: Submission = claim.row
    known = IssueLink.objects.filter(tracker=submission.tracker_id, project_key=submission.project_key)
    control = known.order_by("-number").values_list("key", flat=True).first()
    tracker = tracker_client(_tracker(submission))
    finding = tracker.find_issue(
        tag=submission.tag,
        project_key=submission.project_key,
        watermark=submission.watermark,
        control_key=control or "",
        # A worker that died before it could write a watermark down, in a project of which we know no issue.
        since=(submission.created_at - CLOCKS_APART).date(),
    )
    match finding:
        case Found(ref, duplicates) if duplicates:
            tracker.mark_duplicates(ref, duplicates)
            others = ", ".join(other.key for other in duplicates)
            return rules.Park("duplicate_found", f"{ref.key} stands twice in the tracker; also as {others}.", finding)
        case Found():
            return rules.Done(finding)
        case Missing(conclusive=True, reason=reason):
            return rules.Absent(reason=reason)
        case Missing(reason=reason):
            return rules.Undecided("not_found_yet", reason)


def settled(claim: Claim, outcome: rules.Outcome, change: rules.Change) -> None:
    """Inside the saving transaction: the link, the facts, and who must be told."""
    submission: Submission = claim.row
    # First, because it locks the ticket: who adds a watcher or a file meanwhile sees the issue, or is seen here.
    show_again(submission.ticket_id, "submission")
    if isinstance(outcome, rules.Done | rules.Park) and outcome.result is not None:
        _record_issue(submission, outcome.result)
    if change.state == DeliveryState.PARKED:
        record(submission.ticket, TimelineKind.SUBMISSION_PARKED, None, code=change.code, reason=change.reason)


def changed(ids: Iterable[int]) -> None:
    """State changed without an attempt: show it."""
    show_submissions_again(ids)


@transaction.atomic
def retry_submission(*, ticket_id: int, actor: User | None) -> Submission:
    """Try a stopped or waiting submission now. Raises Conflicted when there is nothing to retry."""
    submission = _of(ticket_id)
    desk.retry(KIND, submission.pk)
    record(submission.ticket, TimelineKind.SUBMISSION_RETRIED, actor)
    events.publish(SubmissionRequested(submission.pk))
    return submission


@transaction.atomic
def cancel_submission(*, ticket_id: int, actor: User | None) -> Submission:
    """Keep the ticket in the hub only. Raises Conflicted while an attempt runs or is in doubt."""
    submission = _of(ticket_id)
    desk.cancel(KIND, submission.pk)
    record(submission.ticket, TimelineKind.SUBMISSION_CANCELLED, actor)
    return submission


@transaction.atomic
def accept_submission(*, ticket_id: int, actor: User | None) -> Submission:
    """A person looked: the issue is there, that is enough. Raises Conflicted while there is none."""
    submission = _of(ticket_id)
    if not IssueLink.objects.filter(ticket=ticket_id).exists():
        raise Conflicted(gettext("There is no issue yet that could be accepted."), code="not_acceptable")
    desk.accept(KIND, submission.pk)
    record(submission.ticket, TimelineKind.SUBMISSION_ACCEPTED, actor)
    return submission


def _tracker(submission: Submission) -> Tracker:
    """Only submissions with a tracker are ever claimed; the others were done when they were written."""
    if submission.tracker is None:
        raise Rejected("This ticket's board has no tracker.", code="no_tracker")
    return submission.tracker


def _of(ticket_id: int) -> Submission:
    submission = Submission.objects.select_related("ticket").filter(ticket=ticket_id).first()
    if submission is None:
        raise NotThere(gettext("This ticket has no submission."))
    return submission


def _record_issue(submission: Submission, result: Created | Found) -> None:
    ref: IssueRef = result.ref
    link = IssueLink(
        ticket=submission.ticket, tracker=_tracker(submission), issue_id=ref.issue_id, key=ref.key, number=ref.number,
        project_key=submission.project_key, url=ref.url,
    )  # fmt: skip
    linking = upserting(
        link, unique=("ticket",),
        update=("tracker", "issue_id", "key", "number", "project_key", "url", "updated_at"),
    )  # fmt: skip
    together(linking, *facts(submission.ticket, TimelineKind.SUBMITTED, None, key=ref.key))
    if isinstance(result, Created):
        for adjustment in result.adjustments:
            record(
                submission.ticket, TimelineKind.ISSUE_ADJUSTED, None, field=adjustment.field, reason=adjustment.reason
            )
    elif result.duplicates:
        keys = [other.key for other in result.duplicates]
        record(submission.ticket, TimelineKind.DUPLICATE_FOUND, None, keys=keys)
    events.publish(IssueCreated(submission.ticket_id))


def hold_keys(submission: Submission) -> list[HoldKey]:
    ticket = submission.ticket
    keys = [("kind", KIND_NAME), ("organisation", ticket.organisation.slug), ("board", ticket.board.slug)]
    return [*keys, ("target", submission.tracker.slug)] if submission.tracker else keys


KIND = register(
    Kind(
        name=KIND_NAME,
        label=gettext_lazy("Submission to the tracker"),
        model=Submission,
        attempts=SubmissionAttempt,
        act=act,
        reconcile=reconcile,
        settled=settled,
        changed=changed,
        timeout=longest_attempt() + timedelta(seconds=settings.JIRA_READ_TIMEOUT),
        hold_keys=hold_keys,
        target_field="tracker",
        select_related=(
            "ticket__organisation", "ticket__board", "ticket__requester", "ticket__category", "tracker",
        ),
    )
)  # fmt: skip
