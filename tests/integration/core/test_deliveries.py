"""The life of a delivery on a real database: leases, fences, limits, holds, the sweep."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone
from pytest_django import Settings

from accounts.choices import HoldScope
from accounts.services.holds import lift_hold, place_hold
from supporthub.core.deliveries import desk, engine, rules
from supporthub.core.deliveries.registry import Claim, Kind
from supporthub.core.deliveries.states import AttemptResult, DeliveryState
from supporthub.core.deliveries.sweep import doubt_everything, expire_leases, hurry_due, release_held, sweep
from supporthub.core.errors import AuthError, Conflicted, OutcomeUnknown, Rejected, TransientError
from tests.factories.tickets import BoardFactory, TicketFactory
from tickets.models import Submission, SubmissionAttempt, Tracker
from tickets.services import submissions

pytestmark = pytest.mark.django_db(transaction=True)


def kind_that(act: Callable[[Claim], rules.Outcome]) -> Kind:
    """The real kind with another effect, recording nothing of an issue."""
    return replace(submissions.KIND, act=act, reconcile=act, settled=lambda *_: None)


def noting(notes: list[Any], note: Callable[[Claim], Any]) -> Callable[[Claim], rules.Outcome]:
    """An effect that only remembers that it happened."""

    def act(claim: Claim) -> rules.Outcome:
        notes.append(note(claim))
        return rules.Done()

    return act


def raising(error: Exception) -> Kind:
    def act(_claim: Claim) -> rules.Outcome:
        raise error

    return kind_that(act)


@pytest.fixture
def submission() -> Submission:
    return Submission.objects.get(ticket=TicketFactory.create(board=BoardFactory.create(goes_out=True)))


def now_due(submission: Submission) -> None:
    Submission.objects.filter(pk=submission.pk).update(not_before=timezone.now() - timedelta(seconds=1))


def test_a_done_delivery_is_done_once_however_often_it_is_enqueued(submission: Submission) -> None:
    done: list[int] = []
    kind = kind_that(noting(done, lambda claim: claim.row.pk))
    for _ in range(3):
        engine.deliver(kind, submission.pk)
    assert done == [submission.pk]
    submission.refresh_from_db()
    assert submission.state == DeliveryState.DONE
    assert [attempt.result for attempt in SubmissionAttempt.objects.all()] == [AttemptResult.DONE]


def test_of_many_workers_at_once_one_claims(submission: Submission) -> None:
    def claim() -> bool:
        try:
            return isinstance(engine.claim_row(submissions.KIND, submission.pk), Claim)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: claim(), range(16)))
    assert claims.count(True) == 1


def test_a_result_is_saved_only_with_the_current_fence(submission: Submission) -> None:
    first = engine.claim_row(submissions.KIND, submission.pk)
    assert isinstance(first, Claim)
    Submission.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert expire_leases(submissions.KIND) == 1
    now_due(submission)
    second = engine.claim_row(submissions.KIND, submission.pk)
    assert isinstance(second, Claim)
    assert second.mode == "reconcile"
    assert not engine.settle(kind_that(lambda _: rules.Done()), first, rules.Done())
    assert engine.settle(kind_that(lambda _: rules.Done()), second, rules.Undecided("lag", "not yet"))
    submission.refresh_from_db()
    assert submission.state == DeliveryState.UNKNOWN
    results = SubmissionAttempt.objects.values_list("result", flat=True)
    assert list(results) == [AttemptResult.LATE, AttemptResult.UNDECIDED]


def test_an_expired_lease_becomes_a_doubt_and_never_due_for_sending(submission: Submission) -> None:
    engine.claim_row(submissions.KIND, submission.pk)
    Submission.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep(submissions.KIND)
    submission.refresh_from_db()
    assert submission.state == DeliveryState.UNKNOWN
    assert submission.unknown_since is not None
    assert submission.not_before > submission.unknown_since


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (TransientError("busy", code="busy"), DeliveryState.PENDING, "busy"),
        (TransientError("busy", code="busy", retry_after=7200), DeliveryState.PARKED, "asked_to_wait_too_long"),
        (OutcomeUnknown("no answer"), DeliveryState.UNKNOWN, "no_answer"),
        (Rejected("field", code="rejected"), DeliveryState.PARKED, "rejected"),
        (AuthError("refused", code="auth"), DeliveryState.PENDING, "auth"),
        (ZeroDivisionError(), DeliveryState.UNKNOWN, "defect"),
    ],
)
def test_each_error_has_its_consequence(submission: Submission, error: Exception, state: str, code: str) -> None:
    engine.deliver(raising(error), submission.pk)
    submission.refresh_from_db()
    assert (submission.state, submission.reason_code) == (state, code)
    assert "ZeroDivision" not in submission.reason


def test_refused_credentials_rest_the_whole_target_and_not_only_the_row(submission: Submission) -> None:
    other = Submission.objects.get(ticket=TicketFactory.create(board=submission.ticket.board))
    engine.deliver(raising(AuthError("Jira refused our credentials.")), submission.pk)
    blocked = engine.claim_row(submissions.KIND, other.pk)
    assert isinstance(blocked, engine.Blocked)
    assert blocked.wait == pytest.approx(1.2, abs=0.5)
    tracker = Tracker.objects.get()
    assert (tracker.resting_code, tracker.resting_reason) == ("autherror", "Jira refused our credentials.")


def test_a_paused_target_takes_nothing(submission: Submission) -> None:
    Tracker.objects.update(paused=True)
    assert isinstance(engine.claim_row(submissions.KIND, submission.pk), engine.Blocked)
    submission.refresh_from_db()
    assert submission.state == DeliveryState.PENDING


def test_a_target_takes_no_more_than_its_concurrency(submission: Submission) -> None:
    Tracker.objects.update(max_concurrency=2, rate_per_second=1000)
    for _ in range(3):
        TicketFactory.create(board=submission.ticket.board)
    claims = [engine.claim_row(submissions.KIND) for _ in range(4)]
    assert [isinstance(claim, Claim) for claim in claims] == [True, True, False, False]


def test_a_target_takes_no_more_than_its_rate(submission: Submission) -> None:
    Tracker.objects.update(rate_per_second=2, max_concurrency=100)
    for _ in range(3):
        TicketFactory.create(board=submission.ticket.board)
    claims = [engine.claim_row(submissions.KIND) for _ in range(3)]
    assert [isinstance(claim, Claim) for claim in claims] == [True, True, False]
    blocked = claims[2]
    assert isinstance(blocked, engine.Blocked)
    assert blocked.wait is not None
    assert 0 < blocked.wait <= 0.5


def test_a_task_goes_on_with_what_is_due_most_urgent_first(submission: Submission) -> None:
    board = submission.ticket.board
    late = Submission.objects.get(ticket=TicketFactory.create(board=board))
    urgent = Submission.objects.get(ticket=TicketFactory.create(board=board))
    Submission.objects.filter(pk=urgent.pk).update(urgency=10)
    worked: list[int] = []
    kind = kind_that(noting(worked, lambda claim: claim.row.pk))
    engine.deliver(kind, submission.pk)
    assert worked == [submission.pk, urgent.pk, late.pk]


@pytest.mark.parametrize(
    ("scope", "value"),
    [(HoldScope.ALL, ""), (HoldScope.KIND, "submission"), (HoldScope.BOARD, "b"), (HoldScope.ORGANISATION, "o"),
     (HoldScope.TARGET, "t")],
)  # fmt: skip
def test_a_hold_stops_what_it_names_and_lifting_it_lets_it_go(scope: str, value: str) -> None:
    board = BoardFactory.create(goes_out=True, slug="b", tracker__slug="t")
    submission = Submission.objects.get(ticket=TicketFactory.create(board=board, organisation__slug="o"))
    hold = place_hold(scope=scope, value=value, reason="Moving house.", actor=None)
    engine.deliver(kind_that(lambda _: rules.Done()), submission.pk)
    submission.refresh_from_db()
    assert (submission.state, submission.reason) == (DeliveryState.HELD, "Moving house.")
    assert release_held(submissions.KIND) == 0
    lift_hold(hold_id=hold.pk, actor=None)
    assert release_held(submissions.KIND) == 1
    engine.deliver(kind_that(lambda _: rules.Done()), submission.pk)
    submission.refresh_from_db()
    assert submission.state == DeliveryState.DONE


def test_a_hold_on_something_else_stops_nothing(submission: Submission) -> None:
    place_hold(scope=HoldScope.BOARD, value="another", reason="x", actor=None)
    engine.deliver(kind_that(lambda _: rules.Done()), submission.pk)
    submission.refresh_from_db()
    assert submission.state == DeliveryState.DONE


def test_a_doubt_that_was_held_is_a_doubt_when_released(submission: Submission) -> None:
    engine.deliver(raising(OutcomeUnknown("no answer")), submission.pk)
    now_due(submission)
    hold = place_hold(scope=HoldScope.ALL, value="", reason="x", actor=None)
    engine.deliver(submissions.KIND, submission.pk)
    lift_hold(hold_id=hold.pk, actor=None)
    release_held(submissions.KIND)
    submission.refresh_from_db()
    assert submission.state == DeliveryState.UNKNOWN
    assert submission.unknown_since is not None


def test_the_sweep_enqueues_a_waiting_row_once_a_minute_not_at_every_look(submission: Submission) -> None:
    assert hurry_due(submissions.KIND) == 1
    assert hurry_due(submissions.KIND) == 0
    Submission.objects.update(hurried_at=timezone.now() - timedelta(minutes=2))
    assert hurry_due(submissions.KIND) == 1


def test_retrying_a_doubt_looks_before_it_sends(submission: Submission) -> None:
    Submission.objects.update(state=DeliveryState.PARKED, unknown_since=timezone.now())
    desk.retry(submissions.KIND, submission.pk)
    submission.refresh_from_db()
    assert submission.state == DeliveryState.UNKNOWN


@pytest.mark.parametrize("state", [DeliveryState.DONE, DeliveryState.RUNNING, DeliveryState.CANCELLED])
def test_there_is_nothing_to_retry_on_a_row_that_runs_or_has_ended(submission: Submission, state: str) -> None:
    Submission.objects.update(state=state)
    with pytest.raises(Conflicted):
        desk.retry(submissions.KIND, submission.pk)


@pytest.mark.parametrize("state", [DeliveryState.UNKNOWN, DeliveryState.RUNNING, DeliveryState.DONE])
def test_what_may_have_happened_cannot_be_cancelled(submission: Submission, state: str) -> None:
    Submission.objects.update(state=state)
    with pytest.raises(Conflicted):
        desk.cancel(submissions.KIND, submission.pk)


def test_after_a_restore_everything_unfinished_is_in_doubt(submission: Submission) -> None:
    held = Submission.objects.get(ticket=TicketFactory.create(board=submission.ticket.board))
    Submission.objects.filter(pk=held.pk).update(state=DeliveryState.HELD, held_from=DeliveryState.PENDING)
    doubt_everything(submissions.KIND)
    submission.refresh_from_db()
    held.refresh_from_db()
    assert submission.state == DeliveryState.UNKNOWN
    assert (held.state, held.held_from) == (DeliveryState.HELD, DeliveryState.UNKNOWN)
    assert submission.unknown_since is not None


def test_the_outside_is_never_called_inside_a_transaction(submission: Submission) -> None:
    inside: list[bool] = []
    kind = kind_that(noting(inside, lambda _: connection.in_atomic_block))
    engine.deliver(kind, submission.pk)
    close_old_connections()
    assert inside == [False]


def test_one_task_leaves_the_rest_to_others_in_time(
    submission: Submission, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a backlog of one kind would keep every thread, and neither the sweep nor another kind would run."""
    settings.DELIVERY_TIME_SCALE = 0.001  # twenty seconds become twenty milliseconds
    monkeypatch.setattr(engine, "DRAIN_AT_LEAST", 0.0)
    for _ in range(2):
        TicketFactory(board=submission.ticket.board)

    def act(_claim: Claim) -> rules.Outcome:
        time.sleep(0.05)
        return rules.Done()

    assert engine.deliver(kind_that(act), submission.pk) == 1


def test_message_of_a_row_that_is_done_already_ends_at_once(submission: Submission) -> None:
    """Its row was taken by a task that went on; the next message in the queue may be of another kind."""
    TicketFactory(board=submission.ticket.board)
    Submission.objects.filter(pk=submission.pk).update(state=DeliveryState.DONE)
    assert engine.deliver(kind_that(lambda _: rules.Done()), submission.pk) == 0
    assert Submission.objects.filter(state=DeliveryState.PENDING).count() == 1


def test_scaled_time_does_not_flood_the_queue(submission: Submission, settings: Settings) -> None:
    settings.DELIVERY_TIME_SCALE = 0.001
    Submission.objects.update(hurried_at=timezone.now() - timedelta(seconds=2))
    assert hurry_due(submissions.KIND) == 0
    Submission.objects.update(hurried_at=timezone.now() - timedelta(seconds=6))
    assert hurry_due(submissions.KIND) == 1
