"""Domain events in two phases.

`in_transaction` receivers run inside the publisher's transaction and only write rows: what must follow. When one
raises, the publisher's transaction rolls back with it. `after_commit` receivers only hurry and show; losing them (a
kill between the phases) loses nothing that the sweep or the next digest does not bring back, and one that fails never
stops the next.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import structlog
from django.db import transaction

E = TypeVar("E")
Receiver = Callable[[Any], None]

logger = structlog.get_logger(__name__)
_in_transaction: dict[type, list[Receiver]] = defaultdict(list)
_after_commit: dict[type, list[Receiver]] = defaultdict(list)


def in_transaction(event_type: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a first-phase receiver: it runs inside the transaction and only writes rows."""

    def register(receiver: Callable[[E], None]) -> Callable[[E], None]:
        _in_transaction[event_type].append(receiver)
        return receiver

    return register


def after_commit(event_type: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a second-phase receiver: it runs after the commit and only hurries or shows."""

    def register(receiver: Callable[[E], None]) -> Callable[[E], None]:
        _after_commit[event_type].append(receiver)
        return receiver

    return register


def publish(event: object) -> None:
    """Run the first phase now and the second after the commit. Refuses to run outside a transaction."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{type(event).__name__} was published outside a transaction")
    for receiver in _in_transaction[type(event)]:
        receiver(event)
    transaction.on_commit(partial(run_after_commit, event), robust=True)


def run_after_commit(event: object) -> None:
    """Run the second phase; each receiver on its own, so that one failure never silences the others."""
    for receiver in _after_commit[type(event)]:
        try:
            receiver(event)
        except Exception:  # (boundary: whatever a receiver raises, the commit has already happened)
            logger.exception("event.receiver_failed", published=type(event).__name__, receiver=receiver.__qualname__)
