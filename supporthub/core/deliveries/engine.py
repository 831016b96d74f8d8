"""Claim, perform, settle: the life of one attempt.

Claiming and settling are short transactions; the outside call lies between them and in neither. A worker that dies
anywhere leaves a row that the sweep understands: before the claim nothing has changed, after it the lease runs out and
the row becomes `unknown`, never `pending`.
"""

import random
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from supporthub.core.compiled import Part, inserting, together
from supporthub.core.deliveries import holds, limits, rules
from supporthub.core.deliveries.registry import Claim, Kind
from supporthub.core.deliveries.statements import Statements, statements_of
from supporthub.core.deliveries.states import AttemptResult, DeliveryState, Mode
from supporthub.core.errors import AuthError, IntegrationError, OutcomeUnknown, TransientError

logger = structlog.get_logger(__name__)

LEASE_MARGIN = timedelta(seconds=30)
DRAIN_SECONDS = 20.0  # how long one task goes on with other due rows of its kind
DRAIN_AT_LEAST = 2.0  # real ones, however time is scaled
LONGEST_NAP = 1.0  # a rate limit that opens sooner than this is waited for
AUTH_REST = 60.0  # refused credentials: the whole target rests, so that an account is not locked out
TRIES_WITH_A_DEFECT = 5


@dataclass(frozen=True, slots=True)
class Blocked:
    """No claim now; `wait` in seconds when trying again soon makes sense."""

    wait: float | None = None


def scale() -> float:
    return float(settings.DELIVERY_TIME_SCALE)


def deliver(kind: Kind, pk: int) -> int:
    """Work the row `pk` and then other due rows of its kind for a while. Returns how many were worked.

    When `pk` is not due any more this ends at once: the message of a row that another task took meanwhile must cost
    nothing, or what lies behind it in the queue would wait. Going on is what keeps a target's allowed concurrency used:
    a task that finds no room just ends, and the ones that are running take its row next, most urgent first.
    """
    deadline = time.monotonic() + max(DRAIN_SECONDS * scale(), DRAIN_AT_LEAST)
    worked = 0
    claim = claim_row(kind, pk)
    while True:
        if isinstance(claim, Claim):
            settle(kind, claim, perform(kind, claim))
            worked += 1
        elif claim is None or claim.wait is None or claim.wait > LONGEST_NAP:
            return worked
        else:
            time.sleep(claim.wait)
        if time.monotonic() > deadline:
            return worked
        claim = claim_row(kind)


def claim_row(kind: Kind, pk: int | None = None) -> Claim | Blocked | None:
    """Lease the due row `pk`, or the most urgent due one; None when there is none, Blocked when its target is busy."""
    with transaction.atomic():
        row = _due_row(kind, pk)
        if row is None:
            return None
        rule = holds.matching(kind.hold_keys(row), holds.active_rules())
        if rule is not None:
            _hold(kind, row, rule)
            return Blocked(wait=0.0)
        admission = _admission(kind, row)
        if not admission.admitted:
            return Blocked(wait=admission.wait)
        return _lease(kind, row, admission.allowance)


def perform(kind: Kind, claim: Claim) -> rules.Outcome:
    """Do what the claim is for; outside of any transaction. Every error becomes an outcome."""
    step = kind.act if claim.mode == Mode.ACT else kind.reconcile
    try:
        return step(claim)
    except OutcomeUnknown as error:
        if claim.mode == Mode.ACT:
            return rules.Unknown(error.code, error.reason)
        return rules.Undecided(error.code, error.reason)
    except IntegrationError as error:
        return outcome_of(error, claim.mode)
    except Exception:  # (boundary: a defect of ours must neither lose the row nor repeat the effect)
        logger.exception("delivery.defect", kind=kind.name, delivery=claim.row.pk, mode=claim.mode)
        if claim.row.tries >= TRIES_WITH_A_DEFECT:
            return rules.Park("defect", "The hub itself failed at this; the details are in its log.")
        if claim.mode == Mode.ACT:
            return rules.Unknown("defect", "The hub itself failed at this; it checks what happened.")
        return rules.Undecided("defect", "The hub itself failed while checking; it tries again.")


def outcome_of(error: IntegrationError, mode: str) -> rules.Outcome:
    """Map the taxonomy of outside errors, in which nothing has happened, to an outcome."""
    wait: float | None = None
    pause: float | None = None
    match error:
        case TransientError():
            wait = error.retry_after
            pause = error.retry_after if error.pause else None
        case AuthError():
            wait = pause = AUTH_REST * scale()
        case _:
            return rules.Park(error.code, error.reason)
    if mode == Mode.ACT:
        return rules.Again(error.code, error.reason, after=wait, pause_target=pause)
    return rules.Undecided(error.code, error.reason, after=wait, pause_target=pause)


def settle(kind: Kind, claim: Claim, outcome: rules.Outcome) -> bool:
    """Save the outcome if the claim still holds; False when the lease was lost and somebody else decides."""
    with transaction.atomic():
        ask = statements_of(kind)
        row = ask.leased.first(pk=claim.row.pk, fence=claim.fence)
        said = {"pk": claim.attempt_id, "code": outcome.code[:60], "reason": _reason(outcome)}
        if row is None:
            ask.settle_attempt(**said, result=AttemptResult.LATE.value, ended_at=timezone.now())
            return False
        facts = rules.Facts(
            mode=claim.mode, tries=row.tries, first_tried_at=row.first_tried_at or row.created_at,
            attempt_started_at=claim.row.db_now, unknown_since=row.unknown_since, now=row.db_now,
        )  # fmt: skip
        change = rules.decide(outcome, facts, kind.policy, scale(), random.random)  # jitter, not a secret
        result = rules.RESULTS[type(outcome)].value
        together(ask.settle_attempt.part(**said, result=result, ended_at=row.db_now), _settling(ask, row, change))
        _rest_target(kind, claim, outcome)
        kind.settled(claim, outcome, change)
    logger.info(
        "delivery.settled", kind=kind.name, delivery=claim.row.pk, mode=claim.mode, fence=claim.fence,
        result=rules.RESULTS[type(outcome)].value, state=change.state.value, code=change.code,
    )  # fmt: skip
    return True


def _due_row(kind: Kind, pk: int | None) -> Any:
    ask = statements_of(kind)
    return ask.most_urgent.first() if pk is None else ask.due.first(pk=pk)


def _admission(kind: Kind, row: Any) -> limits.Admission:
    targets = statements_of(kind).target
    target_id = getattr(row, f"{kind.target_field}_id") if targets else None
    target = targets.first(pk=target_id) if targets and target_id is not None else None
    return limits.admit(target, row.db_now) if target is not None else limits.Admission(admitted=True)


def _lease(kind: Kind, row: Any, allowance: float | None) -> Claim:
    row.mode = Mode.RECONCILE if row.state == DeliveryState.UNKNOWN else Mode.ACT
    row.state = DeliveryState.RUNNING
    row.fence += 1
    row.tries += 1
    row.first_tried_at = row.first_tried_at or row.db_now
    row.lease_until = row.db_now + (kind.timeout + LEASE_MARGIN) * scale()
    ask = statements_of(kind)
    leasing = ask.lease.part(
        pk=row.pk, mode=row.mode.value, state=row.state.value, fence=row.fence, tries=row.tries,
        first_tried_at=row.first_tried_at, lease_until=row.lease_until,
    )  # fmt: skip
    attempt = kind.attempts(delivery_id=row.pk, fence=row.fence, mode=row.mode, started_at=row.db_now)
    spending = []
    if ask.spend and allowance is not None:
        target_id = getattr(row, f"{kind.target_field}_id")
        spending = [ask.spend.part(pk=target_id, allowance=allowance, at=row.db_now)]
    together(*spending, leasing, inserting(attempt))
    kind.changed([row.pk])
    return Claim(row=row, fence=row.fence, mode=row.mode, attempt_id=attempt.pk)


def _hold(kind: Kind, row: Any, rule: holds.HoldRule) -> None:
    row.held_from, row.state = row.state, DeliveryState.HELD
    row.reason_code, row.reason = "observe" if rule.observe else "held", rule.reason[:500]
    row.save(update_fields=["held_from", "state", "reason_code", "reason", "updated_at"])
    kind.changed([row.pk])


def _settling(ask: Statements, row: Any, change: rules.Change) -> Part:
    return ask.settle.part(
        pk=row.pk, state=change.state.value, not_before=change.not_before, unknown_since=change.unknown_since,
        reason_code=change.code[:60], reason=change.reason[:500],
        done_at=row.db_now if change.state == DeliveryState.DONE else None,
    )  # fmt: skip


def _rest_target(kind: Kind, claim: Claim, outcome: rules.Outcome) -> None:
    seconds = outcome.pause_target if isinstance(outcome, rules.Again | rules.Undecided) else None
    if seconds and kind.target_field:
        target = getattr(claim.row, kind.target_field)
        limits.rest(target, limits.resting_end(claim.row.db_now, seconds), _reason(outcome), outcome.code)


def _reason(outcome: rules.Outcome) -> str:
    return outcome.reason[:500]
