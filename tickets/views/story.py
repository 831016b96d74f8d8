"""How a ticket gets into its tracker, told as steps with reasons."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from supporthub.core.deliveries.states import DeliveryState
from tickets.models import IssueLink, Submission, Ticket


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way into the tracker."""

    state: str
    state_label: str
    title: str
    at: datetime | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SubmissionStory:
    submission: Submission
    steps: list[Step]
    attempts: list[Any]
    next_try: datetime | None
    sentence: str
    may_retry: bool


def story_of(ticket: Ticket) -> SubmissionStory | None:
    """Tell how the ticket gets into its tracker; None when the hub itself is the tracker. One query."""
    submission: Submission | None = getattr(ticket, "submission", None)
    if submission is None or submission.tracker_id is None:
        return None
    issue: IssueLink | None = getattr(ticket, "issue", None)
    attempts = list(submission.attempts.order_by("-fence")[:20])
    due = submission.state in (DeliveryState.PENDING, DeliveryState.UNKNOWN)
    return SubmissionStory(
        submission=submission,
        steps=_steps(ticket, submission, issue),
        attempts=attempts,
        next_try=submission.not_before if due and submission.tries else None,
        sentence=_sentence(submission),
        may_retry=submission.state in (DeliveryState.PARKED, DeliveryState.UNKNOWN)
        or (
            submission.state == DeliveryState.PENDING and submission.not_before > timezone.now() + timedelta(seconds=3)
        ),
    )


def _steps(ticket: Ticket, submission: Submission, issue: IssueLink | None) -> list[Step]:
    state = DeliveryState(submission.state)
    accepted = Step(DeliveryState.DONE, str(DeliveryState.DONE.label), _("Accepted by the hub"), ticket.created_at)
    tried = ngettext("%(n)d try", "%(n)d tries", submission.tries) % {"n": submission.tries} if submission.tries else ""
    sent = Step(state, str(state.label), _("Sent to the tracker"), submission.first_tried_at, tried)
    arrived = issue is not None
    there = Step(
        DeliveryState.DONE if arrived else DeliveryState.PENDING,
        str((DeliveryState.DONE if arrived else DeliveryState.PENDING).label),
        _("In the tracker as %(key)s") % {"key": issue.key} if issue else _("In the tracker"),
        submission.done_at if arrived else None,
    )
    return [accepted, sent, there]


def _sentence(submission: Submission) -> str:
    """Say in one line what is going on, with the reason as the tracker's adapter gave it."""
    if submission.state == DeliveryState.DONE:
        return ""
    if submission.state == DeliveryState.RUNNING:
        return _("Being sent right now.")
    if submission.reason:
        return submission.reason.rstrip(".")
    return str(_WITHOUT_REASON.get(DeliveryState(submission.state), ""))


_WITHOUT_REASON = {
    DeliveryState.PENDING: gettext_lazy("Waiting for its turn"),
    DeliveryState.UNKNOWN: gettext_lazy(
        "No clear answer came. The hub looks in the tracker before it sends anything again"
    ),
    DeliveryState.PARKED: gettext_lazy("Somebody must look at this"),
    DeliveryState.HELD: gettext_lazy("Held on purpose"),
    DeliveryState.CANCELLED: gettext_lazy("This ticket stays in the hub"),
}


def nth_try(tries: int) -> str:
    """The number of the coming try, as people say it: "3rd time"."""
    number = tries + 1
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return pgettext("try", "%(ordinal)s time") % {"ordinal": _ordinal(number, suffix)}


def _ordinal(number: int, suffix: str) -> str:
    return pgettext("ordinal", "%(n)d%(suffix)s") % {"n": number, "suffix": suffix}
