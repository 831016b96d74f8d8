"""How a ticket gets into its tracker, told as steps with reasons."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from supporthub.core.deliveries.states import DeliveryState
from tickets.models import IssueLink, Submission, Ticket
from tickets.reasons import Why, why


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way into the tracker."""

    state: str
    state_label: str
    title: str
    at: datetime | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt with its reason in words."""

    attempt: Any
    why: Why


@dataclass(frozen=True, slots=True)
class SubmissionStory:
    """`sentence` says what is going on; `detail` holds the tracker's adapter's own words where those are not it."""

    submission: Submission
    steps: list[Step]
    tries: list[Try]
    next_try: datetime | None
    sentence: str
    detail: str
    may_retry: bool


def story_of(ticket: Ticket) -> SubmissionStory | None:
    """Tell how the ticket gets into its tracker; None when the hub itself is the tracker. One query."""
    submission: Submission | None = getattr(ticket, "submission", None)
    if submission is None or submission.tracker_id is None:
        return None
    issue: IssueLink | None = getattr(ticket, "issue", None)
    tries = [Try(attempt, why(attempt.code, attempt.reason)) for attempt in submission.attempts.order_by("-fence")[:20]]
    said = _said(submission)
    due = submission.state in (DeliveryState.PENDING, DeliveryState.UNKNOWN)
    return SubmissionStory(
        submission=submission,
        steps=_steps(ticket, submission, issue),
        tries=tries,
        next_try=submission.not_before if due and submission.tries else None,
        sentence=said.words,
        detail=said.detail,
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


def _said(submission: Submission) -> Why:
    """Say in one line what is going on, with its reason."""
    if submission.state == DeliveryState.DONE:
        return Why("")
    if submission.state == DeliveryState.RUNNING:
        return Why(_("Being sent right now."))
    if submission.reason:
        known = why(submission.reason_code, submission.reason)
        return Why(known.words.rstrip("."), known.detail)
    return Why(str(_WITHOUT_REASON.get(DeliveryState(submission.state), "")))


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
