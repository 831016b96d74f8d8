"""What makes deliveries certain: every few seconds, look at the rows themselves and forget the queue."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from supporthub.core.deliveries import engine, holds, registry, rules
from supporthub.core.deliveries.registry import Kind
from supporthub.core.deliveries.states import DUE_STATES, AttemptResult, DeliveryState

BATCH = 1000
HURRY_AGAIN_AFTER = timedelta(seconds=60)  # a row whose message was lost, or that found no room, is enqueued again
HURRY_AGAIN_AT_LEAST = timedelta(seconds=5)  # real ones: a queue does not get faster because time is scaled
HURRY_BATCH = 200  # one sweep's; a task goes on with other due rows by itself, so more would only lie in the queue


@dataclass(frozen=True, slots=True)
class Swept:
    """Counts of one sweep over one kind."""

    expired: int
    released: int
    hurried: int


def sweep(kind: Kind) -> Swept:
    """Expire leases, release what is no longer held, enqueue what is due. Safe to run at any time, by several."""
    return Swept(expired=expire_leases(kind), released=release_held(kind), hurried=hurry_due(kind))


def expire_leases(kind: Kind) -> int:
    """Rows whose worker was lost become `unknown`: what it did must be found out."""
    with transaction.atomic():
        rows = list(
            kind.model._default_manager.select_for_update(skip_locked=True, no_key=True)
            .filter(state=DeliveryState.RUNNING, lease_until__lt=Now())
            .annotate(db_now=Now())[:BATCH]
        )
        for row in rows:
            attempt = kind.attempts._default_manager.filter(delivery_id=row.pk, fence=row.fence)
            began = attempt.values_list("started_at", flat=True).first() or row.db_now
            attempt.update(result=AttemptResult.LOST, ended_at=row.db_now)
            row.unknown_since = row.unknown_since or began
            row.state, row.lease_until, row.hurried_at = DeliveryState.UNKNOWN, None, None
            row.reason_code, row.reason = "worker_lost", "The worker was lost; the hub checks what happened."
            row.not_before = rules.next_look(row.unknown_since, row.db_now, kind.policy, engine.scale())
            row.save(
                update_fields=[
                    "unknown_since",
                    "state",
                    "lease_until",
                    "hurried_at",
                    "reason_code",
                    "reason",
                    "not_before",
                    "updated_at",
                ]
            )
        kind.changed([row.pk for row in rows])
    return len(rows)


def release_held(kind: Kind) -> int:
    """Held rows that no rule holds any more go back to where they were."""
    with transaction.atomic():
        active = holds.active_rules()
        held = kind.model._default_manager.select_for_update(skip_locked=True, no_key=True, of=("self",)).filter(
            state=DeliveryState.HELD
        )
        if kind.select_related:
            held = held.select_related(*kind.select_related)
        free = [row for row in held[:BATCH] if holds.matching(kind.hold_keys(row), active) is None]
        for row in free:
            row.state, row.held_from = row.held_from or DeliveryState.PENDING, ""
            row.reason_code = row.reason = ""
            row.save(update_fields=["state", "held_from", "reason_code", "reason", "updated_at"])
        kind.changed([row.pk for row in free])
    return len(free)


def hurry_due(kind: Kind) -> int:
    """Enqueue due rows, most urgent first; each at most once a minute, so that a backlog does not flood the queue."""
    again = Now() - max(HURRY_AGAIN_AFTER * engine.scale(), HURRY_AGAIN_AT_LEAST)
    due = kind.model._default_manager.filter(state__in=DUE_STATES, not_before__lte=Now())
    with transaction.atomic():
        waiting = due.filter(Q(hurried_at__isnull=True) | Q(hurried_at__lt=again)).order_by("urgency", "not_before")
        ids = list(waiting.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[:HURRY_BATCH])
        kind.model._default_manager.filter(pk__in=ids).update(hurried_at=Now())
    for pk in ids:
        registry.hurry(kind, pk)
    return len(ids)


def doubt_everything(kind: Kind) -> int:
    """After a restored backup: whatever was unfinished may have happened since. Returns the number of rows changed."""
    unfinished = Q(state__in=[DeliveryState.PENDING, DeliveryState.RUNNING])
    held = Q(state=DeliveryState.HELD, held_from=DeliveryState.PENDING)
    with transaction.atomic():
        changed: Iterable[int] = list(
            kind.model._default_manager.filter(unfinished | held).values_list("pk", flat=True)
        )
        rows = kind.model._default_manager.filter(pk__in=changed)
        common = {"unknown_since": Now(), "reason_code": "restored", "hurried_at": None, "lease_until": None}
        rows.filter(held).update(held_from=DeliveryState.UNKNOWN, **common)
        total = rows.filter(unfinished).update(state=DeliveryState.UNKNOWN, **common)
        kind.changed(changed)
    return total
