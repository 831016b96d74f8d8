"""Faults that can be switched on: which rule fires for which request. Pure, deterministic, no clock.

A rule's dice depend on its seed and on how many requests it has matched so far, so the sequence is the same in
every run and continues where it was after the program was killed.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.sandbox.exchange import Fired

BEFORE = frozenset({"429", "status", "drop_before", "hang_before"})
"""The request has no effect."""
AFTER = frozenset({"status_after_effect", "drop_after", "hang_after", "broken_json"})
"""The effect is done and committed, then the answer is spoiled."""
DELAYS = frozenset({"latency", "late_effect"})
"""``latency`` waits and stops waiting when the client leaves; ``late_effect`` acts even when the client has left."""
BEHAVIOUR = frozenset(
    {"empty_search", "expired_auth", "no_permission", "drop_label", "priority_not_on_screen", "require_field"}
)
"""The played system itself behaves differently and looks at ``Call.faults``."""
KINDS = BEFORE | AFTER | DELAYS | BEHAVIOUR
PARAMS: Mapping[str, frozenset[str]] = {
    "latency": frozenset({"ms"}),
    "late_effect": frozenset({"seconds"}),
    "429": frozenset({"reason", "retry_after", "format"}),
    "status": frozenset({"status", "body", "language", "retry_after"}),
    "status_after_effect": frozenset({"status", "body", "language", "retry_after"}),
    "hang_before": frozenset({"seconds"}),
    "hang_after": frozenset({"seconds"}),
    "no_permission": frozenset({"permission", "project"}),
    "drop_label": frozenset({"silent"}),
    "require_field": frozenset({"field"}),
}
REQUIRED_PARAMS: Mapping[str, frozenset[str]] = {
    "latency": frozenset({"ms"}),
    "late_effect": frozenset({"seconds"}),
    "status": frozenset({"status"}),
    "status_after_effect": frozenset({"status"}),
    "hang_before": frozenset({"seconds"}),
    "hang_after": frozenset({"seconds"}),
    "no_permission": frozenset({"permission"}),
    "require_field": frozenset({"field"}),
}
RULE_MEMBERS = frozenset({"id", "match", "kind", "probability", "count", "params", "seed"})
MATCH_MEMBERS = frozenset({"method", "path_regex"})


class InvalidRuleError(ValueError):
    """A fault rule that nobody could have meant; the text says why."""


@dataclass(slots=True)
class Rule:
    """One rule. ``count`` is how often it may fire (None: for ever); ``seen`` counts matching requests."""

    id: str
    kind: str
    method: str = ""
    path: re.Pattern[str] = field(default_factory=lambda: re.compile(""))
    probability: float = 1.0
    count: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    seen: int = 0
    fired: int = 0

    def matches(self, method: str, path: str) -> bool:
        """True when the rule still has shots left and speaks about this request."""
        if self.count is not None and self.fired >= self.count:
            return False
        return (not self.method or self.method == method) and self.path.search(path) is not None

    def roll(self) -> bool:
        """Count one matching request and throw the dice for it."""
        self.seen += 1
        hit = self.probability >= 1 or dice(self.seed, self.seen) < self.probability
        self.fired += hit
        return hit

    def described(self) -> dict[str, Any]:
        """The rule as JSON, in the form in which it was given."""
        match = {"method": self.method, "path_regex": self.path.pattern}
        return {
            "id": self.id,
            "match": match,
            "kind": self.kind,
            "probability": self.probability,
            "count": self.count,
            "params": dict(self.params),
            "seed": self.seed,
        }


def dice(seed: int, throw: int) -> float:
    """A number in [0, 1) that depends on nothing but its two arguments."""
    digest = hashlib.sha256(f"{seed}:{throw}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / (1 << 56)


def parse_rule(raw: Any, default_id: str) -> Rule:
    """A rule from JSON.

    :raises InvalidRuleError: unknown kind, member or parameter, or a value outside its range.
    """
    if not isinstance(raw, dict):
        raise InvalidRuleError("a rule is an object")
    _only(raw, RULE_MEMBERS, "rule")
    match = raw.get("match") or {}
    _only(match, MATCH_MEMBERS, "match")
    kind = str(raw.get("kind", ""))
    if kind not in KINDS:
        raise InvalidRuleError(f"unknown kind {kind!r}; known: {', '.join(sorted(KINDS))}")
    params = raw.get("params") or {}
    _only(params, PARAMS.get(kind, frozenset()), f"params of {kind}")
    if missing := REQUIRED_PARAMS.get(kind, frozenset()) - params.keys():
        raise InvalidRuleError(f"{kind} needs params: {', '.join(sorted(missing))}")
    probability = float(raw.get("probability", 1.0))
    if not 0 <= probability <= 1:
        raise InvalidRuleError("probability lies between 0 and 1")
    count = raw.get("count")
    if count is not None and (not isinstance(count, int) or count < 1):
        raise InvalidRuleError("count is a positive whole number or null")
    return Rule(
        id=str(raw.get("id") or default_id),
        kind=kind,
        method=str(match.get("method") or "").upper(),
        path=_pattern(str(match.get("path_regex") or "")),
        probability=probability,
        count=count,
        params=params,
        seed=int(raw.get("seed") or 0),
    )


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise InvalidRuleError(f"path_regex: {error}") from error


def _only(value: Any, allowed: frozenset[str], where: str) -> None:
    if not isinstance(value, dict):
        raise InvalidRuleError(f"{where} is an object")
    if unknown := value.keys() - allowed:
        raise InvalidRuleError(f"unknown members in {where}: {', '.join(sorted(unknown))}")


def fire(rules: Sequence[Rule], method: str, path: str) -> tuple[list[Fired], list[Rule]]:
    """The faults of one request, and the rules whose counters moved.

    Delays and changed behaviour add up; of the faults that decide what the client gets, the first one wins and later
    ones are not used up.
    """
    fired: list[Fired] = []
    moved: list[Rule] = []
    decided = False
    for rule in rules:
        deciding = rule.kind in BEFORE or rule.kind in AFTER
        if (deciding and decided) or not rule.matches(method, path):
            continue
        moved.append(rule)
        if rule.roll():
            fired.append(Fired(rule.id, rule.kind, rule.params))
            decided = decided or deciding
    return fired, moved
