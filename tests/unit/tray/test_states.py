"""Which of Durable Functions' words stands for which state of ours."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from supporthub.core.deliveries.states import DeliveryState
from tickets.api.tray.states import CANCELLED, exchanged, moment, progress, runtime_status, submitted

INSTANCE = uuid.UUID("0d9e2c51-6a47-4b38-9f20-000000000001")
MADE = datetime(2026, 1, 31, 12, 0, 0, 999_999, tzinfo=UTC)
LATER = MADE + timedelta(seconds=2)
HEAD = {
    "instance_id": "0d9e2c516a474b389f20000000000001",
    "created_time": "2026-01-31T12:00:00Z",
    "last_updated_time": "2026-01-31T12:00:02Z",
}
TABLE = {
    (DeliveryState.PENDING, 0): ("Pending", {}),
    (DeliveryState.PENDING, 1): ("Running", {}),  # waits for another try
    (DeliveryState.PENDING, 9): ("Running", {}),
    (DeliveryState.RUNNING, 1): ("Running", {}),
    (DeliveryState.UNKNOWN, 1): ("Running", {}),
    (DeliveryState.HELD, 0): ("Running", {}),
    (DeliveryState.HELD, 3): ("Running", {}),
    (DeliveryState.PARKED, 3): ("Suspended", {}),
    (DeliveryState.DONE, 0): ("Completed", {"status": "success"}),  # the board has no tracker
    (DeliveryState.DONE, 2): ("Completed", {"status": "success"}),
    (DeliveryState.CANCELLED, 1): ("Terminated", {"status": "error", "message": CANCELLED}),
}


@pytest.mark.parametrize(("state", "tries"), TABLE, ids=str)
def test_state_is_told_in_the_words_of_durable_functions(state: DeliveryState, tries: int) -> None:
    word, ended = TABLE[state, tries]
    answer = progress(INSTANCE, created_at=MADE, updated_at=LATER, ticket_key="HUB-1", state=state, tries=tries)
    assert answer == {**HEAD, "runtimeStatus": word, **ended, "ticket_id": "HUB-1"}


def test_every_state_has_a_word() -> None:
    assert {state for state, _tries in TABLE} == set(DeliveryState)
    assert all(runtime_status(state, tries) for state in DeliveryState for tries in (0, 1))


def test_used_token_ends_as_an_error_without_a_ticket() -> None:
    assert exchanged(INSTANCE, created_at=MADE) == {
        **HEAD,
        "last_updated_time": "2026-01-31T12:00:00Z",
        "runtimeStatus": "Completed",
        "status": "error",
        "message": "Token has already been exchanged.",
    }


def test_submission_answers_its_id_alone() -> None:
    assert submitted(INSTANCE) == {"instance_id": INSTANCE.hex}


def test_times_are_utc_wherever_they_come_from() -> None:
    assert moment(datetime(2026, 1, 31, 13, 0, tzinfo=timezone(timedelta(hours=1)))) == "2026-01-31T12:00:00Z"
