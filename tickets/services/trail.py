"""The audit trail of tickets: every fact of the timeline, in ids and codes.

The timeline is what colleagues read and shows words; the trail is what can be proven and holds none. Titles and labels
lie in the erasable side row; of messages only a salted digest is kept.
"""

import re
from collections.abc import Mapping
from typing import Any

from accounts.audit_actions import register_actions
from accounts.models import User
from accounts.services.audit import Actor, actor_of, statement_of
from supporthub.core.compiled import Part
from tickets.choices import TimelineKind
from tickets.models import Ticket

register_actions({kind.value: kind.label for kind in TimelineKind})

_NOT_A_CODE = re.compile(r"[^\w.:,/+-]", re.ASCII)
_MOST_CHARACTERS = 200
# What of a timeline's data is an id or a code. Everything else is words for people and stays out.
_CODES: dict[str, tuple[str, ...]] = {
    TimelineKind.OPENED: ("source",),
    TimelineKind.STATUS_CHANGED: ("verb", "old", "new"),
    TimelineKind.ASSIGNED: ("old", "new"),
    TimelineKind.PRIORITY_CHANGED: ("old", "new"),
    TimelineKind.WATCHER_ADDED: ("person",),
    TimelineKind.WATCHER_REMOVED: ("person",),
    TimelineKind.REPLIED: ("message",),
    TimelineKind.NOTED: ("message",),
    TimelineKind.SUBMITTED: ("key",),
    TimelineKind.SUBMISSION_PARKED: ("code", "verb"),
    TimelineKind.SUBMISSION_RETRIED: ("verb",),
    TimelineKind.SUBMISSION_ACCEPTED: ("verb",),
    TimelineKind.SUBMISSION_CANCELLED: ("verb",),
    TimelineKind.ISSUE_ADJUSTED: ("code", "field", "fields"),
    TimelineKind.DUPLICATE_FOUND: ("keys", "key"),
    TimelineKind.FILES_ADDED: ("attachments",),
    TimelineKind.FILE_PARKED: ("code", "attachment"),
}
# Words that must be provable later: they go into the side row.
_TEXTS: dict[str, tuple[str, ...]] = {
    TimelineKind.TITLE_CHANGED: ("old", "new"),
    TimelineKind.LABELS_CHANGED: ("old", "new"),
}


def parts(
    ticket: Ticket, kind: TimelineKind, actor: User | Actor | None, data: Mapping[str, Any],
    *, proofs: Mapping[str, str] | None = None,
) -> list[Part]:  # fmt: skip
    """Return what adds a fact of this ticket to the audit trail, for the round trip that writes the fact itself.

    `data` is the timeline's; `proofs` are values of which only a salted digest is kept, such as a message's text.
    """
    statement, values = statement_of(
        actor=actor if isinstance(actor, Actor) else actor_of(actor),
        action=kind.value,
        target_type="ticket",
        target_id=ticket.pk,
        organisation_id=ticket.organisation_id,
        data={name: _code(data[name]) for name in _CODES.get(kind, ()) if name in data},
        personal={name: _words(data[name]) for name in _TEXTS.get(kind, ()) if name in data},
        proofs=proofs,
    )
    return [Part(statement, values)]


def _code(value: Any) -> Any:
    """A value as the trail takes it. What comes from an outside system is no code of ours: it must not be refused."""
    if isinstance(value, list):
        return [_code(item) for item in value]
    return _NOT_A_CODE.sub("_", value)[:_MOST_CHARACTERS] if isinstance(value, str) else value


def _words(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
