"""The concrete kinds of deliveries, for the engine, the sweep, metrics, the admin and "needs a person"."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from supporthub.core.deliveries.holds import HoldKey
from supporthub.core.deliveries.models import Delivery
from supporthub.core.deliveries.rules import Change, Outcome, Policy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Claim:
    """A leased row: `row` as it was claimed, with its fencing token and what to do."""

    row: Any
    fence: int
    mode: str
    attempt_id: int


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """How one table of deliveries is worked.

    `act` and `reconcile` talk to the outside, never inside a transaction; they return an outcome or raise an error of
    `supporthub.core.errors`. `settled` runs inside the transaction that saves the result and writes what follows from
    it. `changed` is told the ids of rows that changed state without an attempt (lease expired, held, released).
    `timeout` is the longest that one attempt's calls may take.
    """

    name: str
    label: "str | _StrPromise"
    model: type[Delivery]
    attempts: Any  # a concrete Attempt with a foreign key `delivery`, which the abstract one cannot declare
    act: Callable[[Claim], Outcome]
    reconcile: Callable[[Claim], Outcome]
    settled: Callable[[Claim, Outcome, Change], None]
    changed: Callable[[Iterable[int]], None]
    timeout: timedelta
    hold_keys: Callable[[Any], Iterable[HoldKey]]
    target_field: str = ""
    select_related: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)


_kinds: dict[str, Kind] = {}
_hurries: dict[str, Callable[[int], None]] = {}


def register(kind: Kind) -> Kind:
    _kinds[kind.name] = kind
    return kind


def get(name: str) -> Kind:
    return _kinds[name]


def bind_hurry(name: str, enqueue: Callable[[int], None]) -> None:
    """Say how a row of this kind is enqueued, best effort; bound late because services do not know tasks."""
    _hurries[name] = enqueue


def hurry(kind: Kind, pk: int) -> None:
    _hurries[kind.name](pk)


def kinds() -> list[Kind]:
    return list(_kinds.values())
