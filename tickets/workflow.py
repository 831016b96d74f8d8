"""The one transition table: verb → from where, to where, who may. API, admin, UI and trackers all ask here."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.choices import Action
from supporthub.core.errors import Conflicted
from tickets.choices import TicketStatus as S

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class Verb(StrEnum):
    START = "start"
    WAIT = "wait"
    HOLD = "hold"
    RESOLVE = "resolve"
    CLOSE = "close"
    REOPEN = "reopen"


@dataclass(frozen=True, slots=True)
class Step:
    verb: Verb
    sources: frozenset[str]
    target: S
    permission: Action
    label: "str | _StrPromise"


class TransitionNotAllowed(Conflicted):
    code = "transition_not_allowed"

    def __init__(self, status: str, verb: str) -> None:
        offered = ", ".join(step.verb for step in steps_from(status)) or gettext("nothing")
        words = gettext("A ticket that is %(status)s does not offer %(verb)s; it offers %(offered)s.")
        super().__init__(words % {"status": S(status).label, "verb": repr(verb), "offered": offered})


def _step(verb: Verb, sources: set[S], target: S, label: "str | _StrPromise") -> Step:
    return Step(verb, frozenset(sources), target, Action.WORK_TICKET, label)


TRANSITIONS: dict[Verb, Step] = {
    step.verb: step
    for step in (
        _step(Verb.START, {S.NEW, S.WAITING_ON_REQUESTER, S.ON_HOLD}, S.IN_PROGRESS, _("Start")),
        _step(Verb.WAIT, {S.NEW, S.IN_PROGRESS, S.ON_HOLD}, S.WAITING_ON_REQUESTER, _("Wait for requester")),
        _step(Verb.HOLD, {S.NEW, S.IN_PROGRESS, S.WAITING_ON_REQUESTER}, S.ON_HOLD, _("Put on hold")),
        _step(Verb.RESOLVE, {S.NEW, S.IN_PROGRESS, S.WAITING_ON_REQUESTER, S.ON_HOLD}, S.RESOLVED, _("Resolve")),
        _step(Verb.CLOSE, {S.RESOLVED}, S.CLOSED, _("Close")),
        _step(Verb.REOPEN, {S.RESOLVED, S.CLOSED}, S.IN_PROGRESS, _("Reopen")),
    )
}


def step_for(status: str, verb: str) -> Step:
    """Return the step that `verb` means from `status`; raises TransitionNotAllowed when the table has none."""
    step = TRANSITIONS.get(Verb(verb)) if verb in set(Verb) else None
    if step is None or status not in step.sources:
        raise TransitionNotAllowed(status, verb)
    return step


def steps_from(status: str) -> list[Step]:
    """Return what can be done from `status`, in the table's order."""
    return [step for step in TRANSITIONS.values() if status in step.sources]
