"""What the engine asks of one kind's tables, composed once: it is asked for every delivery."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Now

from supporthub.core.compiled import Select, Update
from supporthub.core.deliveries.models import OutsideTarget
from supporthub.core.deliveries.registry import Kind
from supporthub.core.deliveries.states import DUE_STATES, DeliveryState


@dataclass(frozen=True, slots=True)
class Statements:
    """Every row comes with `db_now`, the database's clock. Selects lock what they find; call them in a transaction."""

    due: Select[Any]  # (pk)
    most_urgent: Select[Any]  # ()
    target: Select[Any] | None  # (pk)
    spend: Update | None  # of the target's allowance
    lease: Update
    leased: Select[Any]  # (pk, fence)
    settle: Update
    settle_attempt: Update


@cache
def statements_of(kind: Kind) -> Statements:
    """Return the statements of a kind; every kind has its own."""
    return Statements(
        *_due(kind), *_target(kind), _lease(kind), _leased(kind), _settle(kind), _settle_attempt(kind)
    )  # fmt: skip


def _due(kind: Kind) -> tuple[Select[Any], Select[Any]]:
    due = kind.model._default_manager.select_for_update(skip_locked=True, no_key=True, of=("self",)).filter(
        state__in=DUE_STATES, not_before__lte=Now()
    )
    if kind.select_related:
        due = due.select_related(*kind.select_related)
    due = due.annotate(db_now=Now()).order_by("urgency", "not_before")

    def one(pk: int) -> QuerySet[Any]:
        return due.filter(pk=pk)

    def most_urgent() -> QuerySet[Any]:
        return due[:1]

    return Select(one), Select(most_urgent)


def _target(kind: Kind) -> tuple[Select[Any] | None, Update | None]:
    """The outside system under its lock, without its secrets; nothing for a kind without one."""
    if not kind.target_field:
        return None, None
    model: Any = kind.model._meta.get_field(kind.target_field).related_model

    def target(pk: int) -> QuerySet[Any]:
        limits = [field.name for field in OutsideTarget._meta.get_fields()]
        found: QuerySet[Any] = model._default_manager.select_for_update(no_key=True).only(*limits).filter(pk=pk)
        return found

    def spend(pk: int, allowance: float, at: datetime) -> tuple[QuerySet[Any], dict[str, Any]]:
        return model._default_manager.filter(pk=pk), {"allowance": allowance, "allowance_at": at}

    return Select(target), Update(spend)


def _lease(kind: Kind) -> Update:
    def lease(
        *, pk: int, mode: str, state: str, fence: int, tries: int, first_tried_at: datetime, lease_until: datetime
    ) -> tuple[QuerySet[Any], dict[str, Any]]:
        changes = {
            "mode": mode, "state": state, "fence": fence, "tries": tries, "first_tried_at": first_tried_at,
            "lease_until": lease_until, "updated_at": Now(),
        }  # fmt: skip
        return kind.model._default_manager.filter(pk=pk), changes

    return Update(lease)


def _leased(kind: Kind) -> Select[Any]:
    def leased(pk: int, fence: int) -> QuerySet[Any]:
        rows = kind.model._default_manager.select_for_update(no_key=True)
        return rows.filter(pk=pk, fence=fence, state=DeliveryState.RUNNING).annotate(db_now=Now())

    return Select(leased)


def _settle(kind: Kind) -> Update:
    def settle(
        *, pk: int, state: str, not_before: datetime, unknown_since: datetime | None, reason_code: str, reason: str,
        done_at: datetime | None,
    ) -> tuple[QuerySet[Any], dict[str, Any]]:  # fmt: skip
        changes = {
            "state": state, "not_before": not_before, "unknown_since": unknown_since, "reason_code": reason_code,
            "reason": reason, "done_at": done_at, "lease_until": None, "hurried_at": None, "updated_at": Now(),
        }  # fmt: skip
        return kind.model._default_manager.filter(pk=pk), changes

    return Update(settle)


def _settle_attempt(kind: Kind) -> Update:
    def settle_attempt(
        pk: int, result: str, code: str, reason: str, ended_at: datetime
    ) -> tuple[QuerySet[Any], dict[str, Any]]:
        changes = {"result": result, "code": code, "reason": reason, "ended_at": ended_at}
        return kind.attempts._default_manager.filter(pk=pk), changes

    return Update(settle_attempt)
