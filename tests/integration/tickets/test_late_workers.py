"""Workers that stop at the worst moment and go on later, or never; against the played Jira."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from supporthub.core.deliveries import engine
from supporthub.core.deliveries.registry import Claim
from supporthub.core.deliveries.states import AttemptResult, DeliveryState, Mode
from supporthub.core.deliveries.sweep import expire_leases
from tests.factories.tickets import IssueLinkFactory, TicketFactory
from tests.sandbox.client import SandboxProcess
from tickets.models import Board, Submission, SubmissionAttempt
from tickets.services.submissions import KIND, request_submission

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timedelta(hours=2)  # beyond every window


def claimed(submission: Submission) -> Claim:
    claim = engine.claim_row(KIND, submission.pk)
    assert isinstance(claim, Claim)
    return claim


def pass_time() -> None:
    """Make every lease, wait and window lie in the past."""
    past = timezone.now() - LONG_AGO
    Submission.objects.update(lease_until=past)
    SubmissionAttempt.objects.update(started_at=past)
    expire_leases(KIND)
    Submission.objects.filter(state=DeliveryState.UNKNOWN).update(not_before=past)


def test_worker_that_wakes_after_its_ticket_was_sent_by_another_sends_nothing(
    jira: SandboxProcess, board: Board
) -> None:
    submission = Submission.objects.get(ticket=TicketFactory.create(board=board))
    sleeper = claimed(submission)
    pass_time()
    for _ in range(2):  # proven absent, then sent again
        second = claimed(submission)
        engine.settle(KIND, second, engine.perform(KIND, second))
    submission.refresh_from_db()
    assert submission.state == DeliveryState.DONE

    assert not engine.settle(KIND, sleeper, engine.perform(KIND, sleeper))

    assert len(jira.control.issues(label=submission.tag)) == 1
    results = [attempt.result for attempt in SubmissionAttempt.objects.order_by("fence")]
    assert results == [AttemptResult.LATE, AttemptResult.ABSENT, AttemptResult.DONE]


@pytest.mark.parametrize("first_try", [True, False])
def test_worker_that_wakes_while_another_looks_sends_nothing(
    jira: SandboxProcess, board: Board, *, first_try: bool
) -> None:
    submission = Submission.objects.get(ticket=TicketFactory.create(board=board))
    if not first_try:
        Submission.objects.update(tries=1)
    sleeper = claimed(submission)
    pass_time()
    assert claimed(submission).mode == Mode.RECONCILE
    engine.perform(KIND, sleeper)
    assert jira.control.issues(label=submission.tag) == []


def test_ticket_whose_worker_died_at_once_is_sent_again_in_a_project_with_thousands_of_issues(
    jira: SandboxProcess, board: Board
) -> None:
    """What one look can read is bounded, so the look must begin at what was known when the ticket was accepted."""
    newest = jira.control.create_issue(count=2500)["key"]
    IssueLinkFactory.create(ticket__board=board, tracker=board.tracker, key=newest, number=2500)
    with transaction.atomic():
        ticket = TicketFactory.create(board=board, with_submission=False)
        request_submission(ticket, board)
    submission = ticket.submission
    claimed(submission)  # and nothing more: kill -9
    pass_time()
    look = claimed(submission)
    engine.settle(KIND, look, engine.perform(KIND, look))
    submission.refresh_from_db()
    assert (submission.state, submission.reason_code) == (DeliveryState.PENDING, "absent")
