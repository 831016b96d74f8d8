"""What a client hears about its submission, in the words of Durable Functions. Pure.

The names, and what each stands for, are those of the ticket server that the hub replaces: its clients poll until one of
Completed, Failed or Terminated appears, and then read `status`.
"""

import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import assert_never

from supporthub.core.deliveries.states import DeliveryState

TOKEN_EXCHANGED = "Token has already been exchanged."  # noqa: S105  (a sentence)
CANCELLED = "The submission to the ticketing system was cancelled."


class RuntimeStatus(StrEnum):
    """`Failed` is missing: what goes wrong here is tried again, or waits for a person."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    COMPLETED = "Completed"
    TERMINATED = "Terminated"


def runtime_status(state: DeliveryState, tries: int) -> RuntimeStatus:
    """Map a delivery's state; one that waits for another try has begun, so it is `Running`."""
    match state:
        case DeliveryState.PENDING:
            return RuntimeStatus.RUNNING if tries else RuntimeStatus.PENDING
        case DeliveryState.RUNNING | DeliveryState.UNKNOWN | DeliveryState.HELD:
            return RuntimeStatus.RUNNING
        case DeliveryState.PARKED:
            return RuntimeStatus.SUSPENDED
        case DeliveryState.DONE:
            return RuntimeStatus.COMPLETED
        case DeliveryState.CANCELLED:
            return RuntimeStatus.TERMINATED
        case _:
            assert_never(state)


def submitted(instance_id: uuid.UUID) -> dict[str, str]:
    """Return the answer to a submission."""
    return {"instance_id": instance_id.hex}


def progress(
    instance_id: uuid.UUID, *, created_at: datetime, updated_at: datetime, ticket_key: str, state: DeliveryState,
    tries: int,
) -> dict[str, str]:  # fmt: skip
    """Return the answer to a question about a ticket's submission."""
    status = runtime_status(state, tries)
    answer = _head(instance_id, created_at, updated_at, status)
    if status is RuntimeStatus.COMPLETED:
        answer["status"] = "success"
    elif status is RuntimeStatus.TERMINATED:
        answer |= {"status": "error", "message": CANCELLED}
    return {**answer, "ticket_id": ticket_key}


def exchanged(instance_id: uuid.UUID, *, created_at: datetime) -> dict[str, str]:
    """Return the answer to a question about a refusal: its token had bought another submission."""
    answer = _head(instance_id, created_at, created_at, RuntimeStatus.COMPLETED)
    return {**answer, "status": "error", "message": TOKEN_EXCHANGED}


def moment(at: datetime) -> str:
    """ISO 8601 in UTC with whole seconds, as Durable Functions writes it: 2026-01-31T12:00:00Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _head(
    instance_id: uuid.UUID, created_at: datetime, updated_at: datetime, status: RuntimeStatus
) -> dict[str, str]:  # fmt: skip
    return {
        "instance_id": instance_id.hex, "created_time": moment(created_at), "last_updated_time": moment(updated_at),
        "runtimeStatus": status.value,
    }  # fmt: skip
