"""Holding outward effects on purpose, while intake goes on.

The rows that say what is held belong to an app; it registers a source here. A delivery names what it belongs to as
hold keys, for example ("board", "support"); ("all", "") is implied.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

HoldKey = tuple[str, str]
ALL: HoldKey = ("all", "")


@dataclass(frozen=True, slots=True)
class HoldRule:
    """One active hold; `observe` marks observe mode: decide everything, send nothing."""

    key: HoldKey
    reason: str
    observe: bool = False


_sources: list[Callable[[], Iterable[HoldRule]]] = []


def register_source(source: Callable[[], Iterable[HoldRule]]) -> None:
    """Add a source of active holds; called once for each claim, so it must be one cheap query."""
    _sources.append(source)


def active_rules() -> list[HoldRule]:
    return [rule for source in _sources for rule in source()]


def matching(keys: Iterable[HoldKey], rules: Iterable[HoldRule]) -> HoldRule | None:
    """Return the first rule that holds something with these keys."""
    owned = {ALL, *keys}
    return next((rule for rule in rules if rule.key in owned), None)
