"""What happened to a ticket, oldest first: messages and facts in one stream, and the steps of its submission."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from supporthub.core.deliveries.states import DeliveryState
from tickets import selectors
from tickets.choices import Priority, Source, TicketStatus, TimelineKind
from tickets.models import IssueLink, Message, Submission, Ticket, TimelineEntry

LATEST = 200
SAID_BY_MESSAGE = (TimelineKind.REPLIED, TimelineKind.NOTED)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in the stream: a message, or a fact with its sentence."""

    at: datetime
    ident: str
    message: Message | None = None
    entry: TimelineEntry | None = None
    sentence: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    items: list[Item]
    has_earlier: bool


def stream_of(ticket: Ticket, *, everything: bool = False) -> Stream:
    """Return the ticket's latest messages and facts; two queries."""
    most = None if everything else LATEST + 1
    messages = list(selectors.conversation(ticket).order_by("-pk")[:most])
    facts = ticket.timeline.exclude(kind__in=SAID_BY_MESSAGE).select_related("actor").order_by("-pk")
    entries = list(facts[:most])
    items = [Item(message.created_at, f"m{message.pk}", message=message) for message in messages]
    items += [
        Item(
            entry.created_at, f"t{entry.pk}", entry=entry, sentence=sentence_of(entry), tone=_TONES.get(entry.kind, "")
        )
        for entry in entries
    ]
    # Facts of one transaction share its clock: the opening comes before the first message, other facts by their age.
    items.sort(key=lambda item: (item.at, item.entry is None or item.entry.kind != TimelineKind.OPENED, item.ident))
    latest = items if everything else items[-LATEST:]
    return Stream(latest, has_earlier=len(latest) < len(items))


def sentence_of(entry: TimelineEntry) -> str:
    """Say a fact in words, without who did it."""
    data = entry.data if isinstance(entry.data, dict) else {}
    match entry.kind:
        case TimelineKind.OPENED:
            return _opened(entry, data)
        case TimelineKind.STATUS_CHANGED:
            return _("changed the status from %(old)s to %(new)s") % _labels(TicketStatus, data)
        case TimelineKind.PRIORITY_CHANGED:
            return _("changed the priority from %(old)s to %(new)s") % _labels(Priority, data)
        case TimelineKind.ASSIGNED:
            return _assigned(entry, data)
        case TimelineKind.TITLE_CHANGED:
            return _("changed the title, which was “%(old)s”") % {"old": data.get("old", "")}
        case TimelineKind.LABELS_CHANGED:
            return _("set the labels: %(new)s") % {"new": ", ".join(data.get("new") or []) or _("none")}
        case _:
            return _submission_sentence(entry.kind, data)


def _submission_sentence(kind: str, data: dict[str, Any]) -> str:
    match kind:
        case TimelineKind.SUBMITTED:
            return _("The ticket is in the tracker as %(key)s") % {"key": data.get("key", "")}
        case TimelineKind.SUBMISSION_PARKED:
            return _("The submission needs a person: %(reason)s") % {"reason": data.get("reason", "")}
        case TimelineKind.SUBMISSION_RETRIED:
            return _("asked for another try of the submission")
        case TimelineKind.ISSUE_ADJUSTED:
            return _("The tracker refused the field %(field)s, so the issue was made without it: %(reason)s") % {
                "field": data.get("field", ""), "reason": data.get("reason", ""),
            }  # fmt: skip
        case TimelineKind.DUPLICATE_FOUND:
            return _("The tracker has further issues of this ticket: %(keys)s") % {
                "keys": ", ".join(data.get("keys") or [])
            }
        case TimelineKind.WATCHER_ADDED:
            return _("added a watcher")
        case TimelineKind.WATCHER_REMOVED:
            return _("removed a watcher")
        case _:
            return str(TimelineKind(kind).label) if kind in TimelineKind.values else kind


def _opened(entry: TimelineEntry, data: dict[str, Any]) -> str:
    if entry.actor_id:
        return _("opened this ticket")
    sources = dict(Source.choices)
    return _("The ticket came in (%(source)s)") % {"source": sources.get(data.get("source"), "–")}


def _assigned(entry: TimelineEntry, data: dict[str, Any]) -> str:
    if not data.get("new"):
        return _("unassigned this ticket")
    if entry.actor_id and entry.actor_id == data.get("new"):
        return _("took this ticket")
    return _("assigned this ticket to %(name)s") % {"name": data.get("name", "")}


def _labels(choices: Any, data: dict[str, Any]) -> dict[str, str]:
    known = dict(choices.choices)
    return {name: str(known.get(data.get(name), data.get(name, ""))) for name in ("old", "new")}


_TONES = {
    TimelineKind.SUBMISSION_PARKED: "parked",
    TimelineKind.DUPLICATE_FOUND: "parked",
    TimelineKind.SUBMITTED: "done",
}


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
    reason = submission.reason
    match submission.state:
        case DeliveryState.RUNNING:
            return _("Being sent right now.")
        case DeliveryState.UNKNOWN:
            return reason or _("No clear answer came. The hub looks in the tracker before it sends anything again.")
        case DeliveryState.PARKED:
            return reason or _("Somebody must look at this.")
        case DeliveryState.HELD:
            return reason or _("Held on purpose.")
        case DeliveryState.CANCELLED:
            return _("This ticket stays in the hub.")
        case DeliveryState.DONE:
            return ""
        case _:
            return reason or _("Waiting for its turn.")


def nth_try(tries: int) -> str:
    """The number of the coming try, as people say it: "3rd time"."""
    number = tries + 1
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return pgettext("try", "%(ordinal)s time") % {"ordinal": _ordinal(number, suffix)}


def _ordinal(number: int, suffix: str) -> str:
    return pgettext("ordinal", "%(n)d%(suffix)s") % {"n": number, "suffix": suffix}
