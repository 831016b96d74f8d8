"""May one more delivery start towards this target now? Concurrency, rate, pauses; kept in the target's row."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, models

from supporthub.core.deliveries import registry
from supporthub.core.deliveries.models import OutsideTarget
from supporthub.core.deliveries.states import DeliveryState

LONGEST_REST = 3600.0
BURST_SECONDS = 1.0  # how much unused allowance a target may save up


@dataclass(frozen=True, slots=True)
class Admission:
    """`wait` in seconds when the target may be asked again soon; None when only a finished delivery can make room.

    `allowance` is what is left of the target's after an admitted start.
    """

    admitted: bool
    wait: float | None = None
    allowance: float | None = None


def refill(allowance: float, since: datetime | None, now: datetime, rate: float) -> float:
    """Token bucket: what may start now, after `rate` per second since the last claim. Pure."""
    capacity = max(1.0, rate * BURST_SECONDS)
    if since is None:
        return capacity
    return min(capacity, allowance + max(0.0, (now - since).total_seconds()) * rate)


def admit(target: OutsideTarget, now: datetime) -> Admission:
    """Judge one more start; the caller holds the row's lock and saves the allowance that is left."""
    if target.paused:
        return Admission(admitted=False)
    if target.resting_until and target.resting_until > now:
        return Admission(admitted=False, wait=(target.resting_until - now).total_seconds())
    if _running(target, now) >= target.max_concurrency:
        return Admission(admitted=False)
    allowance = refill(target.allowance, target.allowance_at, now, target.rate_per_second)
    if allowance < 1.0:
        return Admission(admitted=False, wait=(1.0 - allowance) / max(target.rate_per_second, 0.001))
    return Admission(admitted=True, allowance=allowance - 1.0)


def rest(target: OutsideTarget, until: datetime, reason: str, code: str = "") -> None:
    """Let the whole target rest, for example when its quota is used up; never shortens an ongoing rest.

    `code` is the stable name of the reason, by which it can be said in other languages.
    """
    manager: models.Manager[OutsideTarget] = target.__class__._default_manager
    manager.filter(pk=target.pk).filter(
        models.Q(resting_until__isnull=True) | models.Q(resting_until__lt=until)
    ).update(resting_until=until, resting_reason=reason[:300], resting_code=code[:60])


def resting_end(now: datetime, seconds: float) -> datetime:
    """An hour at most: whatever was asked for, one delivery then asks again, and the others learn from its answer."""
    return now + timedelta(seconds=min(seconds, LONGEST_REST))


def _running(target: OutsideTarget, now: datetime) -> int:
    """Live leases of every kind that goes to this target. Served by the partial index on running rows.

    Asked at every claim, under the target's lock: written out, because composing it anew costs more than running it.
    """
    statement, tables = _running_statement(type(target))
    with connection.cursor() as cursor:
        cursor.execute(statement, [target.pk, DeliveryState.RUNNING, now] * tables)
        return sum(count for (count,) in cursor.fetchall())


def _running_statement(target_model: type[OutsideTarget]) -> tuple[str, int]:
    """The statement with one count a table, and the number of tables; a kind that goes to this target always exists."""
    parts = []
    for kind in registry.kinds():
        field = kind.model._meta.get_field(kind.target_field) if kind.target_field else None
        if isinstance(field, models.ForeignKey) and field.related_model is target_model:
            table, column = (connection.ops.quote_name(name) for name in (kind.model._meta.db_table, field.column))
            # The names are those of our own models.
            parts.append(f"SELECT count(*) FROM {table} WHERE {column} = %s AND state = %s AND lease_until > %s")  # noqa: S608
    return " UNION ALL ".join(parts), len(parts)
