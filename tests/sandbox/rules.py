"""The fault rules that are switched on, kept in the database so that they outlive the process."""

import json
from collections.abc import Sequence
from typing import Any

from tests.sandbox.exchange import Fired
from tests.sandbox.faults import Rule, fire, parse_rule
from tests.sandbox.store import Store


class RuleBook:
    """The ordered list of rules with their counters."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rules: list[Rule] = []
        self.load()

    def load(self) -> None:
        """Read the rules again, as after a start or a reset."""
        self._rules = []
        for row in self._store.rows("SELECT * FROM fault_rule ORDER BY position"):
            rule = parse_rule(json.loads(row["rule"]), row["id"])
            rule.seen, rule.fired = row["seen"], row["fired"]
            self._rules.append(rule)

    def fire(self, method: str, path: str) -> Sequence[Fired]:
        """The faults of one request; the counters are written. The caller holds the transaction."""
        if not self._rules:
            return ()
        fired, moved = fire(self._rules, method, path)
        for rule in moved:
            self._store.run("UPDATE fault_rule SET seen = ?, fired = ? WHERE id = ?", rule.seen, rule.fired, rule.id)
        return fired

    def replace(self, raw: Sequence[Any]) -> None:
        """Switch on exactly these rules, with fresh counters.

        :raises InvalidRuleError: one of them makes no sense; then nothing changes.
        """
        self._write([parse_rule(item, f"rule-{position}") for position, item in enumerate(raw, 1)])

    def add(self, raw: Any) -> Rule:
        """Put one more rule behind the others; a rule of the same id goes away."""
        rule = parse_rule(raw, f"rule-{len(self._rules) + 1}")
        self._write([*(other for other in self._rules if other.id != rule.id), rule])
        return rule

    def remove(self, rule_id: str | None = None) -> None:
        """Switch off one rule, or all of them."""
        self._write([rule for rule in self._rules if rule_id is not None and rule.id != rule_id])

    def listed(self) -> list[dict[str, Any]]:
        """All rules with their counters."""
        return [{**rule.described(), "seen": rule.seen, "fired": rule.fired} for rule in self._rules]

    def _write(self, rules: Sequence[Rule]) -> None:
        with self._store.transaction():
            self._store.run("DELETE FROM fault_rule")
            for position, rule in enumerate(rules):
                text = json.dumps(rule.described())
                sql = "INSERT INTO fault_rule VALUES (?, ?, ?, ?, ?)"
                self._store.run(sql, rule.id, position, text, rule.seen, rule.fired)
        self._rules = list(rules)
