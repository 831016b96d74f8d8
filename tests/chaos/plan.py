"""What is done to a hub in a campaign: drawn from a seed, so that a campaign can be repeated. Pure."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.chaos.orders import STEPS, step_class
from tests.chaos.stack import CHILDREN
from tests.sandbox.client import rule

LARGE = 200  # from so many tickets on, every step is hit; below, one of each class
SEARCH_LAG = 2.0  # seconds; a third of the reconcile window
_FREEZABLE = ("redis", "postgres", "sandbox", "web", "worker")
_MAKING: dict[str, Any] = {"method": "POST", "path": "/issue$"}
_LOOKING: dict[str, Any] = {"path": "/(search/jql|bulkfetch|myself)$"}
# The reads time out after 0.6 s. Nothing takes effect later than `late_effect` says, which is inside the window.
_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "drop_after", **_MAKING, "count": 2},
    {"kind": "drop_before", **_MAKING, "count": 2},
    {"kind": "hang_after", **_MAKING, "count": 2, "seconds": 2},
    {"kind": "hang_before", **_MAKING, "count": 1, "seconds": 2},
    {"kind": "late_effect", **_MAKING, "count": 2, "seconds": 1.5},
    {"kind": "status_after_effect", **_MAKING, "count": 2, "status": 500},
    {"kind": "status_after_effect", **_MAKING, "count": 2, "status": 503, "body": "html"},
    {"kind": "broken_json", **_MAKING, "count": 2},
    {"kind": "status", **_MAKING, "count": 2, "status": 502, "body": "html"},
    {"kind": "429", **_MAKING, "count": 2, "retry_after": 1},
    {"kind": "429", "count": 1, "retry_after": 1, "reason": "jira-quota-global-based"},
    {"kind": "expired_auth", "count": 2},
    {"kind": "latency", "count": 15, "ms": 250},
    {"kind": "empty_search", "path": "/search/jql$", "count": 3},
    {"kind": "drop_after", **_LOOKING, "count": 2},
    {"kind": "status", **_LOOKING, "count": 2, "status": 500},
    {"kind": "drop_after", "method": "POST", "path": "/watchers$", "count": 1},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deed:
    """One blow. `order`: die at a step; `kill`, `freeze`: a process; `crash`: everything at once, supervisor too.

    `rules` are switched on in the sandbox just before; `tickets` are released with it; `seconds` is how long a frozen
    process stays so, and how long is waited after another blow.
    """

    verb: str
    target: str
    seconds: float
    tickets: int
    rules: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All blows of a campaign, in order."""

    seed: int
    tickets: int
    deeds: tuple[Deed, ...]

    @property
    def steps(self) -> frozenset[str]:
        """The steps at which a process is to die."""
        return frozenset(deed.target for deed in self.deeds if deed.verb == "order")


def make_plan(seed: int, tickets: int) -> Plan:
    """The campaign that `seed` stands for. Its size follows from the number of tickets."""
    dice = random.Random(seed)
    large = tickets >= LARGE
    blows = [
        *(("order", step) for step in _steps(dice, large=large)),
        *(("kill", child) for child in CHILDREN * (4 if large else 1)),
        *(("freeze", child) for child in (_FREEZABLE * 2 if large else dice.sample(_FREEZABLE, 2))),
    ]
    dice.shuffle(blows)
    blows.insert(len(blows) // 2, ("crash", "everything"))
    rules = _rules(dice)
    share, rest = divmod(tickets, len(blows))
    deeds = [
        Deed(
            verb, target, seconds=_seconds(dice, verb), tickets=share + (number < rest),
            rules=tuple(next(rules) for _ in range(1 if large else 2)),
        )
        for number, (verb, target) in enumerate(blows)
    ]  # fmt: skip
    return Plan(seed, tickets, tuple(deeds))


def provocation(step: str, seed: int) -> tuple[dict[str, Any], ...]:
    """What makes the hub come past a step that an ordinary ticket does not take it to."""
    return (rule("drop_after", **_MAKING, count=2, seed=seed),) if step_class(step) == "look" else ()


def _steps(dice: random.Random, *, large: bool) -> list[str]:
    if large:
        return list(STEPS)
    classes: dict[str, list[str]] = {}
    for step in STEPS:
        classes.setdefault(step_class(step), []).append(step)
    return [dice.choice(steps) for steps in classes.values()]


def _seconds(dice: random.Random, verb: str) -> float:
    """A frozen process comes back well inside the reconcile window: beyond it nothing is promised."""
    return dice.uniform(0.5, 2.5) if verb == "freeze" else dice.uniform(0.1, 1.2)


def _rules(dice: random.Random) -> Iterator[dict[str, Any]]:
    """Every fault in a random order, again and again."""
    while True:
        for wanted in dice.sample(_FAULTS, len(_FAULTS)):
            yield rule(**wanted, seed=dice.randrange(1_000_000))
