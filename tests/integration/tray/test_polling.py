"""What a client hears while its ticket goes its way into the tracker, and who may ask."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.choices import HoldScope
from accounts.services.holds import place_hold
from supporthub.core.deliveries import engine
from supporthub.core.deliveries.registry import Claim
from tests.factories.accounts import lead
from tests.integration.tray.conftest import Tray, refused, work
from tests.sandbox.client import rule
from tickets.models import Board, IssueLink, Submission, Ticket
from tickets.services import submissions
from tickets.services.submissions import cancel_submission, retry_submission

pytestmark = pytest.mark.django_db
HOUR = 3600
CREATE: dict[str, Any] = {"method": "POST", "path": "/issue$"}


@pytest.fixture
def token(tray: Tray) -> str:
    return tray.token()


def said(tray: Tray, instance: str, token: str) -> tuple[str, str | None]:
    """The word and the status; every answer names the submission and its ticket."""
    answer = tray.status(instance, token)
    assert (answer["instance_id"], answer["ticket_id"]) == (instance, Ticket.objects.get().key)
    assert answer["created_time"] <= answer["last_updated_time"]
    return answer["runtimeStatus"], answer.get("status")


class TestWay:
    """One by one, as the engine takes it."""

    def test_from_pending_over_running_to_completed(self, tray: Tray, jira_board: Board, token: str) -> None:
        instance = tray.accepted(token)
        assert said(tray, instance, token) == ("Pending", None)
        claim = engine.claim_row(submissions.KIND, Submission.objects.get().pk)
        assert isinstance(claim, Claim)
        assert said(tray, instance, token) == ("Running", None)
        engine.settle(submissions.KIND, claim, engine.perform(submissions.KIND, claim))
        assert said(tray, instance, token) == ("Completed", "success")
        assert len(tray.entra.control.issues()) == 1

    def test_waiting_for_another_try_is_running(self, tray: Tray, jira_board: Board, token: str) -> None:
        tray.entra.control.faults(rule("429", count=1, retry_after=1, **CREATE))
        instance = tray.accepted(token)
        work()
        assert Submission.objects.get().state == "pending"
        assert said(tray, instance, token) == ("Running", None)
        tray.entra.control.clear_faults()
        jira_board.tracker.__class__.objects.update(resting_until=None)  # type: ignore[union-attr]  # it has one
        work()
        assert said(tray, instance, token) == ("Completed", "success")

    def test_in_doubt_is_running(self, tray: Tray, jira_board: Board, token: str) -> None:
        tray.entra.control.faults(rule("drop_after", count=1, **CREATE))
        instance = tray.accepted(token)
        work()
        assert Submission.objects.get().state == "unknown"
        assert said(tray, instance, token) == ("Running", None)
        work(beyond_window=True)
        assert said(tray, instance, token) == ("Completed", "success")
        assert len(tray.entra.control.issues()) == 1

    def test_held_is_running(self, tray: Tray, jira_board: Board, token: str) -> None:
        place_hold(scope=HoldScope.ALL, value="", reason="Moving house.", actor=lead())
        instance = tray.accepted(token)
        work()
        assert Submission.objects.get().state == "held"
        assert said(tray, instance, token) == ("Running", None)

    def test_parked_is_suspended_and_goes_on_after_a_retry(self, tray: Tray, jira_board: Board, token: str) -> None:
        tray.entra.control.faults(rule("no_permission", permission="CREATE_ISSUES"))
        instance = tray.accepted(token)
        work()
        assert Submission.objects.get().state == "parked"
        assert said(tray, instance, token) == ("Suspended", None)
        tray.entra.control.clear_faults()
        retry_submission(ticket_id=Ticket.objects.get().pk, actor=lead())
        assert said(tray, instance, token) == ("Running", None)
        work()
        assert said(tray, instance, token) == ("Completed", "success")

    def test_cancelled_by_a_lead_is_terminated(self, tray: Tray, jira_board: Board, token: str) -> None:
        instance = tray.accepted(token)
        cancel_submission(ticket_id=Ticket.objects.get().pk, actor=lead())
        assert said(tray, instance, token) == ("Terminated", "error")
        assert "cancelled" in tray.status(instance, token)["message"]

    def test_board_without_a_tracker_completes_at_once(self, tray: Tray, helpdesk: Board, token: str) -> None:
        instance = tray.accepted(token)
        assert said(tray, instance, token) == ("Completed", "success")

    def test_ticket_id_stays_the_hubs_when_the_issue_has_its_own(
        self, tray: Tray, jira_board: Board, token: str
    ) -> None:
        instance = tray.accepted(token)
        work()
        assert IssueLink.objects.get().key.startswith("HELP-")
        assert tray.status(instance, token)["ticket_id"] == Ticket.objects.get().key

    def test_times_are_those_of_the_row(self, tray: Tray, jira_board: Board, token: str) -> None:
        before = timezone.now() - timedelta(seconds=1)
        instance = tray.accepted(token)
        Submission.objects.update(updated_at=timezone.now() + timedelta(hours=1))
        answer = tray.status(instance, token)
        created, updated = (
            datetime.strptime(answer[name], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            for name in ("created_time", "last_updated_time")
        )
        assert before <= created <= timezone.now()
        assert timedelta(minutes=59) < updated - created < timedelta(minutes=61)


class TestWhoMayAsk:
    """The person, with any valid token; the very token, also after its end."""

    def test_any_valid_token_of_the_person(self, tray: Tray, helpdesk: Board, token: str) -> None:
        instance, refusal = tray.accepted(token), tray.accepted(token, title="Mouse")
        renamed = tray.token(claims={"upn": "ann.cooper@contoso.example"})
        for other in (tray.token(), tray.token(version=2), renamed):
            assert tray.status(instance, other)["status"] == "success"
            assert tray.status(refusal, other)["status"] == "error"

    def test_nobody_else(self, tray: Tray, helpdesk: Board, token: str) -> None:
        instance, refusal = tray.accepted(token), tray.accepted(token, title="Mouse")
        stranger = tray.token(person="joerg.mueller@contoso.example")
        namesake = tray.token(claims={"oid": "0d9e2c51-6a47-4b38-9f20-00000000ffff"})
        for one in (instance, refusal):
            refused(tray.ask(one, stranger), 401)
            refused(tray.ask(one, namesake), 401)
            refused(tray.ask(one), 401)

    def test_the_very_token_after_its_end(self, tray: Tray, helpdesk: Board) -> None:
        token = tray.token(issued=-HOUR, lifetime=HOUR - 57)  # valid for three seconds more, by the clocks' minute
        instance, refusal = tray.accepted(token), tray.accepted(token, title="Mouse")
        _wait_until_refused(tray, token)
        assert tray.status(instance, token)["status"] == "success"
        assert tray.status(refusal, token)["status"] == "error"

    def test_an_ended_token_opens_nothing_else(self, tray: Tray, helpdesk: Board, token: str) -> None:
        instance, refusal = tray.accepted(token), tray.accepted(token, title="Mouse")
        ended = tray.token(issued=-2 * HOUR, lifetime=HOUR)
        for one in (instance, refusal, "0d9e2c516a474b389f20000000000001"):
            assert "expired" in refused(tray.ask(one, ended), 401)

    def test_an_ended_token_of_a_withdrawn_key_is_refused(self, tray: Tray, helpdesk: Board, token: str) -> None:
        instance = tray.accepted(token)
        refused(tray.ask(instance, tray.token(issued=-2 * HOUR, lifetime=HOUR, key="stranger")), 401)


def _wait_until_refused(tray: Tray, token: str) -> None:
    deadline = time.monotonic() + 20
    while tray.submit(token, title="Too late").status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.2)  # the token's end is what is waited for


@pytest.mark.parametrize("instance", [None, "", " "])
def test_question_without_an_id_is_a_bad_request(tray: Tray, instance: str | None) -> None:
    assert "instance_id" in refused(tray.ask(instance, tray.token()), 400)


@pytest.mark.parametrize("instance", ["x", "0d9e2c516a474b389f20000000000001", "1", "' OR 1=1", "\x00", "ü" * 500])
def test_unknown_id_is_not_found(tray: Tray, helpdesk: Board, instance: str) -> None:
    refused(tray.ask(instance, tray.token()), 404)


def test_id_may_be_spelled_with_hyphens(tray: Tray, helpdesk: Board, token: str) -> None:
    found = tray.accepted(token)
    spelled = f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}".upper()
    assert tray.status(spelled, token)["instance_id"] == found


def test_deleted_ticket_is_not_found(tray: Tray, helpdesk: Board, token: str) -> None:
    instance = tray.accepted(token)
    Ticket.objects.get().delete()
    refused(tray.ask(instance, token), 404)
