"""A ticket's way into the played Jira, with the faults that matter: through the engine, over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from directory.models import Person
from supporthub.core.deliveries import engine
from supporthub.core.deliveries.registry import Claim
from supporthub.core.deliveries.states import DeliveryState
from supporthub.core.deliveries.sweep import sweep
from tests.factories.accounts import technician
from tests.factories.directory import PersonFactory
from tests.factories.tickets import TicketFactory
from tests.sandbox.client import SandboxProcess, rule
from tests.sandbox.jira import seeds
from tickets.choices import TimelineKind
from tickets.models import Board, IssueChange, IssueLink, Submission, Ticket
from tickets.services import changes, submissions
from tickets.services.conversation import add_watcher
from tickets.services.duplicates import look_for_duplicates

pytestmark = pytest.mark.django_db(transaction=True)
CREATE: dict[str, Any] = {"method": "POST", "path": "/issue$"}
ADA = "ada.jansen@contoso.example"


def submitted(ticket: Ticket, *, beyond_window: bool = False) -> Submission:
    """Do one step of the ticket's submission now; with `beyond_window` the doubt is made an hour old first."""
    if beyond_window:
        Submission.objects.filter(unknown_since__isnull=False).update(unknown_since=timezone.now() - timedelta(hours=1))
    Submission.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    submission = Submission.objects.get(ticket=ticket)
    claim = engine.claim_row(submissions.KIND, submission.pk)
    if isinstance(claim, Claim):
        engine.settle(submissions.KIND, claim, engine.perform(submissions.KIND, claim))
    submission.refresh_from_db()
    return submission


def test_the_issue_says_what_the_ticket_says(jira: SandboxProcess, board: Board) -> None:
    ticket = TicketFactory.create(
        board=board, title="Printer", priority="high", requester=PersonFactory.create(email=ADA)
    )
    assert submitted(ticket).state == DeliveryState.DONE
    link = IssueLink.objects.get(ticket=ticket)
    (issue,) = jira.control.issues(project="HELP")
    assert (link.key, link.issue_id, link.url) == (
        issue["key"],
        str(issue["id"]),
        f"{jira.jira_url}/browse/{issue['key']}",
    )
    assert "helpdesk" in str(issue)
    assert ticket.timeline.filter(kind=TimelineKind.SUBMITTED).count() == 1


@pytest.mark.parametrize("fault", [rule("drop_after", count=1, **CREATE), rule("broken_json", count=1, **CREATE),
                                   rule("status_after_effect", count=1, status=502, **CREATE)])  # fmt: skip
def test_an_answer_that_is_lost_after_the_effect_makes_one_issue(
    jira: SandboxProcess, board: Board, fault: Any
) -> None:
    jira.control.faults(fault)
    ticket = TicketFactory.create(board=board)
    assert submitted(ticket).state == DeliveryState.UNKNOWN
    assert submitted(ticket).state == DeliveryState.DONE
    assert [issue["key"] for issue in jira.control.issues()] == [IssueLink.objects.get().key]


@pytest.mark.parametrize("lag", [0, 3600])
def test_a_request_that_never_arrived_is_sent_again_only_after_the_window(
    jira: SandboxProcess, board: Board, lag: int
) -> None:
    submitted(TicketFactory.create(board=board))  # the issue by which the look proves itself
    jira.control.set_search_lag(lag)
    jira.control.faults(rule("drop_before", count=1, **CREATE))
    ticket = TicketFactory.create(board=board)
    assert submitted(ticket).state == DeliveryState.UNKNOWN
    assert submitted(ticket).state == DeliveryState.UNKNOWN
    assert len(jira.control.issues()) == 1
    assert submitted(ticket, beyond_window=True).state == DeliveryState.PENDING
    assert submitted(ticket).state == DeliveryState.DONE
    assert len(jira.control.issues()) == 2


def test_a_new_hub_on_a_large_old_project_needs_nobody_when_its_first_worker_dies(
    jira: SandboxProcess, board: Board
) -> None:
    jira.control.create_issue(count=2_100, days_ago=30)
    ticket = TicketFactory.create(board=board)
    engine.claim_row(submissions.KIND, Submission.objects.get(ticket=ticket).pk)  # and then it dies
    Submission.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep(submissions.KIND)
    assert submitted(ticket, beyond_window=True).state == DeliveryState.PENDING
    assert submitted(ticket).state == DeliveryState.DONE
    assert IssueLink.objects.get().key == "HELP-2101"


def test_an_issue_is_found_while_the_search_index_lags(jira: SandboxProcess, board: Board) -> None:
    jira.control.set_search_lag(3600)
    jira.control.faults(rule("drop_after", count=1, **CREATE))
    ticket = TicketFactory.create(board=board)
    submitted(ticket)
    assert submitted(ticket).state == DeliveryState.DONE
    assert len(jira.control.issues()) == 1


def test_two_issues_with_one_tag_are_adopted_marked_parked_and_accepted(jira: SandboxProcess, board: Board) -> None:
    ticket = TicketFactory.create(board=board)
    submission = Submission.objects.get(ticket=ticket)
    twins: dict[str, Any] = {
        "labels": [submission.tag],
        "properties": {"supporthub": {"tag": submission.tag, "ticket": ticket.key}},
    }
    jira.control.create_issue(**twins)
    jira.control.create_issue(**twins)
    Submission.objects.update(state=DeliveryState.UNKNOWN, unknown_since=timezone.now())
    parked = submitted(ticket)
    assert (parked.state, parked.reason_code) == (DeliveryState.PARKED, "duplicate_found")
    assert "HELP-2" in parked.reason
    assert IssueLink.objects.get().key == "HELP-1"
    marked = jira.control.issues(label="duplicate")
    assert [issue["key"] for issue in marked] == ["HELP-2"]
    submissions.accept_submission(ticket_id=ticket.pk, actor=technician())
    assert Submission.objects.get().state == DeliveryState.DONE


def test_a_duplicate_that_appears_later_is_found_and_shown(jira: SandboxProcess, board: Board) -> None:
    ticket = TicketFactory.create(board=board)
    submission = submitted(ticket)
    assert look_for_duplicates() == 0
    jira.control.create_issue(
        labels=[submission.tag], properties={"supporthub": {"tag": submission.tag, "ticket": ticket.key}}
    )
    assert look_for_duplicates() == 1
    assert look_for_duplicates() == 0
    submission.refresh_from_db()
    assert (submission.state, submission.reason_code) == (DeliveryState.PARKED, "duplicate_found")
    assert ticket.timeline.filter(kind=TimelineKind.DUPLICATE_FOUND).exists()
    submissions.accept_submission(ticket_id=ticket.pk, actor=technician())
    assert look_for_duplicates() == 0, "what a person accepted is not brought up again"


def test_a_refused_field_is_left_out_and_said(jira: SandboxProcess, board: Board) -> None:
    jira.control.faults(rule("no_permission", permission="MODIFY_REPORTER"))
    ticket = TicketFactory.create(board=board, requester=PersonFactory.create(email=ADA))
    assert submitted(ticket).state == DeliveryState.DONE
    adjusted = ticket.timeline.get(kind=TimelineKind.ISSUE_ADJUSTED)
    assert adjusted.data["field"] == "reporter"


def test_a_missing_permission_parks_with_the_fix_and_a_retry_goes_through(jira: SandboxProcess, board: Board) -> None:
    jira.control.faults(rule("no_permission", permission="CREATE_ISSUES"))
    ticket = TicketFactory.create(board=board)
    parked = submitted(ticket)
    assert parked.state == DeliveryState.PARKED
    assert parked.reason
    jira.control.clear_faults()
    submissions.retry_submission(ticket_id=ticket.pk, actor=technician())
    assert submitted(ticket).state == DeliveryState.DONE
    assert len(jira.control.issues()) == 1


def test_a_used_up_quota_rests_the_tracker_for_everybody(jira: SandboxProcess, board: Board) -> None:
    jira.control.faults(rule("429", reason="jira-quota-tenant-based", retry_after=120, **CREATE))
    first, second = TicketFactory.create(board=board), TicketFactory.create(board=board)
    waiting = submitted(first)
    assert waiting.state == DeliveryState.PENDING
    assert waiting.not_before > timezone.now() + timedelta(seconds=100)
    assert submitted(second).tries == 0


class TestWatchers:
    def test_watchers_come_once_the_issue_is_there(self, jira: SandboxProcess, board: Board) -> None:
        ticket = TicketFactory.create(board=board)
        ticket.watchers.add(PersonFactory.create(email=ADA))
        assert not IssueChange.objects.exists()
        submitted(ticket)
        self._work()
        (issue,) = jira.control.issues()
        assert seeds.ADA in issue["watchers"]

    def test_a_watcher_added_later_is_asked_for_once(self, jira: SandboxProcess, board: Board) -> None:
        ticket = TicketFactory.create(board=board)
        submitted(ticket)
        for _ in range(2):
            add_watcher(ticket_id=ticket.pk, email=ADA, actor=technician())
        assert IssueChange.objects.count() == 1

    def test_somebody_unknown_to_jira_is_no_failure(self, jira: SandboxProcess, board: Board) -> None:
        ticket = TicketFactory.create(board=board)
        ticket.watchers.add(Person.objects.create(email="no@body.example", organisation=ticket.organisation))
        submitted(ticket)
        self._work()
        change = IssueChange.objects.get()
        assert (change.state, change.reason_code) == (DeliveryState.DONE, "unknown_there")

    @staticmethod
    def _work() -> None:
        for change in IssueChange.objects.all():
            engine.deliver(changes.KIND, change.pk)
