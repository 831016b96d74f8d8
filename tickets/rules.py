"""The queue's filter as the address bar holds it: pure, and the same in both directions."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from tickets.choices import Priority, TicketStatus

VIEWS = ("mine", "unassigned", "open", "parked", "resolved", "all")
SORTS = ("newest", "oldest", "changed", "priority")
DEFAULT_VIEW = "unassigned"
DEFAULT_SORT = "newest"
ME = "me"
NOBODY = "none"
MAX_WORDS = 8
_MAX_VALUES = 20
_LENGTHS = {"q": 200, "requester": 254, "assignee": 12}
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,50}")
_LABEL_LENGTH = 100
_WORD = re.compile(r"\w+")
_CURSOR = re.compile(r"\d{1,18}(?:\.\d{1,18})?")


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What a list of tickets shows. `before` is the position of the last row of the page before; empty at the top."""

    view: str = DEFAULT_VIEW
    board: tuple[str, ...] = ()
    organisation: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    assignee: str = ""
    requester: str = ""
    q: str = ""
    sort: str = DEFAULT_SORT
    before: str = ""

    @classmethod
    def from_query(cls, pairs: Iterable[tuple[str, str]]) -> "QueueFilter":
        """Read pairs of a query string; what is unknown or malformed is left out, never an error."""
        several: dict[str, dict[str, None]] = {name: {} for name in _ACCEPTS}
        single: dict[str, str] = {}
        for name, raw in pairs:
            value = " ".join(raw.replace("\x00", "").split())
            if name in several:
                if _ACCEPTS[name](value) and len(several[name]) < _MAX_VALUES:
                    several[name][value] = None
            elif _single_is_fine(name, value):
                single[name] = value
        read: dict[str, Any] = {**single, **{name: tuple(values) for name, values in several.items()}}
        return cls(**read)

    def to_query(self) -> str:
        """Return the query string that `from_query` reads back to an equal filter; defaults are left out."""
        pairs: list[tuple[str, str]] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                pairs.extend((field.name, item) for item in value)
            elif value != field.default:
                pairs.append((field.name, value))
        return urlencode(pairs)

    def without(self, name: str, value: str = "") -> "QueueFilter":
        """Return the filter without one chip, back at the top of the list."""
        present = getattr(self, name)
        rest = tuple(item for item in present if item != value) if isinstance(present, tuple) else ""
        changes: dict[str, Any] = {name: rest, "before": ""}
        return replace(self, **changes)

    def bare(self) -> "QueueFilter":
        """Return the view and the order alone."""
        return QueueFilter(view=self.view, sort=self.sort)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the view and the order decides what is shown."""
        return replace(self, before="") != self.bare()

    @property
    def cursor(self) -> tuple[int, ...]:
        """The numbers of `before`, as many as the order needs; empty at the top."""
        numbers = tuple(int(part) for part in self.before.split(".") if part)
        return numbers if len(numbers) == (2 if self.sort == "priority" else 1) else ()


def _is_slug(value: str) -> bool:
    return _SLUG.fullmatch(value) is not None


_ACCEPTS: dict[str, Callable[[str], bool]] = {
    "board": _is_slug,
    "organisation": _is_slug,
    "status": lambda value: value in TicketStatus.values,
    "priority": lambda value: value in Priority.values,
    "label": lambda value: 0 < len(value) <= _LABEL_LENGTH,
}


def _single_is_fine(name: str, value: str) -> bool:
    match name:
        case "view":
            return value in VIEWS
        case "sort":
            return value in SORTS
        case "before":
            return _CURSOR.fullmatch(value) is not None
        case "assignee":
            return value in (ME, NOBODY) or (value.isascii() and value.isdigit() and len(value) <= _LENGTHS["assignee"])
        case "q" | "requester":
            return 0 < len(value) <= _LENGTHS[name]
        case _:
            return False


def prefix_query(typed: str) -> str:
    """Return a tsquery that asks for words starting with each word typed, or "" when there is no word.

    Only word characters pass, each word stands in quotes: nothing that was typed can be read as an operator.
    """
    words = [word.lower() for word in _WORD.findall(typed)][:MAX_WORDS]
    return " & ".join(f"'{word}':*" for word in words)
