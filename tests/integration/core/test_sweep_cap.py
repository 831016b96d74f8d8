"""A backlog is brought back to the queue in portions: most urgent first, each row once in a while, none forgotten."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from supporthub.core.deliveries import registry
from supporthub.core.deliveries.registry import Kind
from supporthub.core.deliveries.sweep import HURRY_BATCH, hurry_due
from tests.factories.tickets import BoardFactory, TicketFactory
from tickets.models import Submission
from tickets.services import submissions

pytestmark = pytest.mark.django_db(transaction=True)
BACKLOG = HURRY_BATCH + 50


@pytest.fixture
def kind() -> Kind:
    """The real rows under a name of their own, so that nothing is put into a real queue."""
    return replace(submissions.KIND, name="backlog")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    enqueued: list[int] = []
    monkeypatch.setattr(registry, "hurry", lambda _kind, pk: enqueued.append(pk))
    return enqueued


@pytest.fixture
def backlog() -> list[int]:
    """Rows that are due for hours already, the longest waiting first."""
    board = BoardFactory.create(goes_out=True)
    for _ in range(BACKLOG):
        TicketFactory.create(board=board)
    start = timezone.now() - timedelta(hours=3)
    ids = list(Submission.objects.order_by("pk").values_list("pk", flat=True))
    for minutes, pk in enumerate(ids):
        Submission.objects.filter(pk=pk).update(not_before=start + timedelta(seconds=minutes), hurried_at=None)
    return ids


def test_one_sweep_enqueues_a_portion_and_the_next_ones_the_rest(
    kind: Kind, hurried: list[int], backlog: list[int]
) -> None:
    assert hurry_due(kind) == HURRY_BATCH
    assert hurried == backlog[:HURRY_BATCH]
    assert hurry_due(kind) == BACKLOG - HURRY_BATCH
    assert hurried == backlog
    assert hurry_due(kind) == 0  # each was enqueued just now


def test_what_is_urgent_does_not_wait_behind_the_portion(kind: Kind, hurried: list[int], backlog: list[int]) -> None:
    Submission.objects.filter(pk=backlog[-1]).update(urgency=0)
    hurry_due(kind)
    assert hurried == [backlog[-1], *backlog[: HURRY_BATCH - 1]]


def test_a_row_whose_message_was_lost_is_enqueued_again_after_a_minute(
    kind: Kind, hurried: list[int], backlog: list[int], settings: object
) -> None:
    settings.DELIVERY_TIME_SCALE = 1.0  # type: ignore[attr-defined]
    hurry_due(kind)
    lost = hurried[7]
    Submission.objects.filter(pk=lost).update(hurried_at=timezone.now() - timedelta(seconds=61))
    hurried.clear()
    hurry_due(kind)
    assert hurried[0] == lost
    assert len(hurried) == BACKLOG - HURRY_BATCH + 1
