"""What happened to a ticket, oldest first: messages and facts in one stream."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from supporthub.core.deliveries.states import DeliveryState
from tickets import selectors
from tickets.choices import Priority, Source, TicketStatus, TimelineKind
from tickets.models import Attachment, FileDelivery, Message, Ticket, TimelineEntry
from tickets.reasons import Why, adjustment_in_words, field_in_words, why

LATEST = 200
SAID_BY_MESSAGE = (TimelineKind.REPLIED, TimelineKind.NOTED)


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file as the page shows it; `stopped` says why its way into the tracker has stopped."""

    row: Attachment
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in the stream: a message, or a fact with its sentence and perhaps a reason as it was written down."""

    at: datetime
    ident: str
    message: Message | None = None
    entry: TimelineEntry | None = None
    sentence: str = ""
    detail: str = ""
    tone: str = ""
    files: tuple[ShownFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    items: list[Item]
    has_earlier: bool


def stream_of(ticket: Ticket, *, everything: bool = False) -> Stream:
    """Return the ticket's latest messages and facts, with their files; four queries."""
    most = None if everything else LATEST + 1
    messages = list(selectors.conversation(ticket).order_by("-pk")[:most])
    facts = ticket.timeline.exclude(kind__in=SAID_BY_MESSAGE).select_related("actor").order_by("-pk")
    entries = list(facts[:most])
    items = [
        Item(message.created_at, f"m{message.pk}", message=message, files=_shown(message.attachments.all()))
        for message in messages
    ]
    loose = {row.pk: row for row in ticket.attachments.filter(message__isnull=True).select_related("delivery")}
    items += [_fact(entry, loose) for entry in entries]
    # The opening is written after the first message, in the same transaction; it reads first.
    items.sort(key=lambda item: (item.entry is None or item.entry.kind != TimelineKind.OPENED, item.at))
    latest = items if everything else items[-LATEST:]
    return Stream(latest, has_earlier=len(latest) < len(items))


def _fact(entry: TimelineEntry, loose: Mapping[int, Attachment]) -> Item:
    ids = entry.data.get("attachments", []) if entry.kind == TimelineKind.FILES_ADDED else []
    return Item(
        entry.created_at, f"t{entry.pk}", entry=entry, sentence=sentence_of(entry), detail=_detail_of(entry),
        tone=_TONES.get(entry.kind, ""), files=_shown(loose[pk] for pk in ids if pk in loose),
    )  # fmt: skip


def _shown(rows: Iterable[Attachment]) -> tuple[ShownFile, ...]:
    return tuple(ShownFile(row, _stopped(getattr(row, "delivery", None))) for row in rows)


def _stopped(delivery: FileDelivery | None) -> str:
    if delivery is None or delivery.state != DeliveryState.PARKED:
        return ""
    return why(delivery.reason_code, delivery.reason).words


def sentence_of(entry: TimelineEntry) -> str:
    """Say a fact in words; with an actor the sentence goes on after the name."""
    data = entry.data if isinstance(entry.data, dict) else {}
    say = _SENTENCES.get(entry.kind)
    if say is not None:
        return say(entry, data)
    return str(TimelineKind(entry.kind).label) if entry.kind in TimelineKind.values else entry.kind


def _status(_entry: TimelineEntry, data: dict[str, Any]) -> str:
    return _("changed the status from %(old)s to %(new)s") % _labels(TicketStatus, data)


def _priority(_entry: TimelineEntry, data: dict[str, Any]) -> str:
    return _("changed the priority from %(old)s to %(new)s") % _labels(Priority, data)


def _title(_entry: TimelineEntry, data: dict[str, Any]) -> str:
    return _("changed the title, which was “%(old)s”") % {"old": data.get("old", "")}


def _label_list(_entry: TimelineEntry, data: dict[str, Any]) -> str:
    return _("set the labels: %(new)s") % {"new": ", ".join(data.get("new") or []) or _("none")}


def _submitted(_entry: TimelineEntry, data: dict[str, Any]) -> str:
    return _("The ticket is in the tracker as %(key)s") % {"key": data.get("key", "")}


def _parked(_entry: TimelineEntry, data: dict[str, Any]) -> str:
    return _("The submission needs a person: %(reason)s") % {"reason": _why(data).words}


def _detail_of(entry: TimelineEntry) -> str:
    is_parked = entry.kind in (TimelineKind.SUBMISSION_PARKED, TimelineKind.FILE_PARKED) and isinstance(
        entry.data, dict
    )
    return _why(entry.data).detail if is_parked else ""


def _why(data: dict[str, Any]) -> Why:
    return why(str(data.get("code", "")), str(data.get("reason", "")))


def _adjusted(_entry: TimelineEntry, data: dict[str, Any]) -> str:
    return _("The tracker refused the field %(field)s, so the issue was made without it: %(reason)s") % {
        "field": field_in_words(str(data.get("field", ""))), "reason": adjustment_in_words(str(data.get("reason", ""))),
    }  # fmt: skip


def _duplicate(_entry: TimelineEntry, data: dict[str, Any]) -> str:
    return _("The tracker has further issues of this ticket: %(keys)s") % {"keys": ", ".join(data.get("keys") or [])}


def _files_added(_entry: TimelineEntry, data: dict[str, Any]) -> str:
    names = data.get("names") or []
    return ngettext("added a file: %(names)s", "added files: %(names)s", len(names)) % {"names": ", ".join(names)}


def _file_parked(_entry: TimelineEntry, data: dict[str, Any]) -> str:
    return _("The file %(name)s needs a person: %(reason)s") % {
        "name": data.get("name", ""),
        "reason": _why(data).words,
    }


def _opened(entry: TimelineEntry, data: dict[str, Any]) -> str:
    if entry.actor_id:
        return _("opened this ticket")
    sources = dict(Source.choices)
    return _("The ticket came in (%(source)s)") % {"source": sources.get(str(data.get("source")), "–")}


def _assigned(entry: TimelineEntry, data: dict[str, Any]) -> str:
    if not data.get("new"):
        return _("unassigned this ticket")
    if entry.actor_id and entry.actor_id == data.get("new"):
        return _("took this ticket")
    return _("assigned this ticket to %(name)s") % {"name": data.get("name", "")}


def _labels(choices: Any, data: dict[str, Any]) -> dict[str, str]:
    known = dict(choices.choices)
    return {name: str(known.get(data.get(name), data.get(name, ""))) for name in ("old", "new")}


_TONES: dict[str, str] = {
    TimelineKind.SUBMISSION_PARKED: "parked",
    TimelineKind.DUPLICATE_FOUND: "parked",
    TimelineKind.FILE_PARKED: "parked",
    TimelineKind.SUBMITTED: "done",
}


_SENTENCES: dict[str, Callable[[TimelineEntry, dict[str, Any]], str]] = {
    TimelineKind.OPENED: _opened,
    TimelineKind.STATUS_CHANGED: _status,
    TimelineKind.PRIORITY_CHANGED: _priority,
    TimelineKind.ASSIGNED: _assigned,
    TimelineKind.TITLE_CHANGED: _title,
    TimelineKind.LABELS_CHANGED: _label_list,
    TimelineKind.SUBMITTED: _submitted,
    TimelineKind.SUBMISSION_PARKED: _parked,
    TimelineKind.SUBMISSION_RETRIED: lambda _entry, _data: _("asked for another try of the submission"),
    TimelineKind.ISSUE_ADJUSTED: _adjusted,
    TimelineKind.DUPLICATE_FOUND: _duplicate,
    TimelineKind.FILES_ADDED: _files_added,
    TimelineKind.FILE_PARKED: _file_parked,
    TimelineKind.WATCHER_ADDED: lambda _entry, _data: _("added a watcher"),
    TimelineKind.WATCHER_REMOVED: lambda _entry, _data: _("removed a watcher"),
}
