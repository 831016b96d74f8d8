"""What follows from an attempt: pure decisions, no clock, no database, no settings.

Times are seconds. `scale` multiplies every window and back-off (1 in production), but never a time that the other
side named: that one is real.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from supporthub.core.deliveries.states import AttemptResult, DeliveryState, Mode


@dataclass(frozen=True, slots=True)
class Done:
    """The effect is there. `result` is what the kind's `settled` hook needs to record it."""

    result: Any = None
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """Nothing happened; try later. `after` is the time that the other side asked for."""

    code: str
    reason: str
    after: float | None = None
    pause_target: float | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have happened: find out before anything else."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Park:
    """A person must look. `result` when the effect is there nevertheless, for example twice."""

    code: str
    reason: str
    result: Any = None


@dataclass(frozen=True, slots=True)
class Absent:
    """Looked, and proven not to be there. Believed only once the reconcile window has passed."""

    code: str = "absent"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Undecided:
    """Looked, and could not tell."""

    code: str
    reason: str
    after: float | None = None
    pause_target: float | None = None


Outcome = Done | Again | Unknown | Park | Absent | Undecided

RESULTS: dict[type, AttemptResult] = {
    Done: AttemptResult.DONE,
    Again: AttemptResult.AGAIN,
    Unknown: AttemptResult.UNKNOWN,
    Park: AttemptResult.PARKED,
    Absent: AttemptResult.ABSENT,
    Undecided: AttemptResult.UNDECIDED,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient a kind is. Defaults follow the documented behaviour of Jira Cloud's limits and search index."""

    base: float = 2.0
    cap: float = 300.0
    jitter: float = 0.3
    longest_wait: float = 3600.0  # a longer Retry-After is a case for a person
    give_up_after: float = 24 * 3600.0
    look_at: tuple[float, ...] = (15.0, 45.0, 120.0, 300.0, 600.0)  # after the ambiguous attempt began


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision may look at."""

    mode: str
    tries: int
    first_tried_at: datetime
    attempt_started_at: datetime
    unknown_since: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """The row's new values."""

    state: DeliveryState
    not_before: datetime
    unknown_since: datetime | None
    code: str
    reason: str


def backoff(tries: int, policy: Policy, scale: float, chance: float) -> float:
    """Seconds until try number `tries` + 1; `chance` in [0, 1) spreads rows that failed together."""
    exponent = min(max(tries - 1, 0), 30)
    return min(policy.cap, policy.base * 2.0**exponent) * scale * (1 + policy.jitter * chance)


def next_look(since: datetime, now: datetime, policy: Policy, scale: float) -> datetime:
    """The next moment of the reconcile schedule after `now`; past its end, the last interval repeats."""
    for offset in policy.look_at:
        moment = since + timedelta(seconds=offset * scale)
        if moment > now:
            return moment
    last = policy.look_at[-1]
    step = last - policy.look_at[-2] if len(policy.look_at) > 1 else last
    return now + timedelta(seconds=step * scale)


def window_end(since: datetime, policy: Policy, scale: float) -> datetime:
    """When absence may be believed: the last moment of the schedule."""
    return since + timedelta(seconds=policy.look_at[-1] * scale)


def decide(outcome: Outcome, facts: Facts, policy: Policy, scale: float, chance: Callable[[], float]) -> Change:
    """Map an attempt's outcome to the row's next state."""
    since = facts.unknown_since or facts.attempt_started_at
    match outcome:
        case Done():
            return Change(DeliveryState.DONE, facts.now, None, outcome.code, outcome.reason)
        case Park():
            return Change(DeliveryState.PARKED, facts.now, facts.unknown_since, outcome.code, outcome.reason)
        case Unknown():
            look = next_look(since, facts.now, policy, scale)
            return Change(DeliveryState.UNKNOWN, look, since, outcome.code, outcome.reason)
        case Again() if facts.mode == Mode.ACT:
            return _again(outcome, facts, policy, scale, chance())
        case Again() | Undecided():
            return _keep_looking(outcome, since, facts, policy, scale)
        case Absent():
            if facts.now < window_end(since, policy, scale):
                waiting = Undecided("not_found_yet", outcome.reason)
                return _keep_looking(waiting, since, facts, policy, scale)
            return Change(DeliveryState.PENDING, facts.now, None, outcome.code, outcome.reason)


def _again(outcome: Again, facts: Facts, policy: Policy, scale: float, chance: float) -> Change:
    asked = outcome.after or 0.0
    if asked > policy.longest_wait:
        return Change(DeliveryState.PARKED, facts.now, None, "asked_to_wait_too_long", outcome.reason)
    if facts.now - facts.first_tried_at > timedelta(seconds=policy.give_up_after * scale):
        return Change(DeliveryState.PARKED, facts.now, None, "gave_up", outcome.reason)
    wait = max(asked * (1 + policy.jitter * chance), backoff(facts.tries, policy, scale, chance))
    return Change(DeliveryState.PENDING, facts.now + timedelta(seconds=wait), None, outcome.code, outcome.reason)


def _keep_looking(outcome: Again | Undecided, since: datetime, facts: Facts, policy: Policy, scale: float) -> Change:
    if facts.now - since > timedelta(seconds=policy.give_up_after * scale):
        return Change(DeliveryState.PARKED, facts.now, since, "cannot_tell", outcome.reason)
    look = next_look(since, facts.now, policy, scale)
    if outcome.after:
        look = max(look, facts.now + timedelta(seconds=outcome.after))
    return Change(DeliveryState.UNKNOWN, look, since, outcome.code, outcome.reason)
