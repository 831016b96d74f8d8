"""Actions with a preview: nothing happens before the look, and each row answers for itself afterwards."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.db import connection

from accounts.admin import preview
from accounts.choices import Role
from supporthub.core.deliveries.states import DeliveryState
from tests.factories.tickets import IssueLinkFactory, TicketFactory
from tests.integration.admin.conftest import Browse, Hub
from tickets.choices import TimelineKind
from tickets.models import Submission

pytestmark = pytest.mark.django_db


def do(client: Any, step: str, *rows: Any, model: str = "submission", **fields: str) -> Any:
    ids = ",".join(str(row.pk) for row in rows)
    return client.post(f"/admin/tickets/{model}/do/{step}/", {"ids": ids, **fields})


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def state_of(row: Any) -> str:
    row.refresh_from_db()
    return str(row.state)


def test_choosing_an_action_only_leads_to_the_preview(hub: Hub, browse: Browse) -> None:
    client, row = browse(Role.LEAD), hub.ours.submission
    form = {"action": "retry_chosen", "_selected_action": [row.pk]}
    answer = client.post("/admin/tickets/submission/", form)
    assert answer["Location"] == f"/admin/tickets/submission/do/retry/?ids={row.pk}"
    page = client.get(answer["Location"])
    assert page.status_code == 200
    assert "Printer is on fire" in page.content.decode()
    assert state_of(row) == DeliveryState.PARKED


def test_a_retry_is_done_by_the_service_and_names_who_did_it(hub: Hub, browse: Browse) -> None:
    client, row = browse(Role.LEAD), hub.ours.submission
    answer = do(client, "retry", row)
    assert answer.status_code == 302
    assert state_of(row) == DeliveryState.PENDING
    entry = hub.ours.timeline.get(kind=TimelineKind.SUBMISSION_RETRIED)
    assert entry.actor == client.user
    assert LogEntry.objects.get(object_id=str(row.pk)).user == client.user


def test_rows_that_refuse_are_named_and_do_not_stop_the_others(hub: Hub, browse: Browse) -> None:
    done = TicketFactory(board=hub.helpdesk, with_submission__state=DeliveryState.DONE).submission
    answer = do(browse(Role.LEAD), "retry", done, hub.ours.submission)
    messages = said(answer)
    assert state_of(hub.ours.submission) == DeliveryState.PENDING
    assert state_of(done) == DeliveryState.DONE
    assert any("1 are on their way" in message for message in messages)
    assert any("there is nothing to retry" in message for message in messages)


def test_accepting_needs_an_issue(hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD)
    IssueLinkFactory(ticket=hub.theirs)
    answer = do(client, "accept", hub.ours.submission, hub.theirs.submission)
    assert state_of(hub.ours.submission) == DeliveryState.PARKED
    assert state_of(hub.theirs.submission) == DeliveryState.DONE
    assert any("no issue yet" in message for message in said(answer))


@pytest.mark.parametrize(("step", "after"), [("retry", "pending"), ("accept", "done"), ("cancel", "cancelled")])
def test_changes_of_issues_have_the_same_three_steps(step: str, after: str, hub: Hub, browse: Browse) -> None:
    do(browse(Role.LEAD), step, hub.change, model="issuechange")
    assert state_of(hub.change) == after


def test_rows_out_of_reach_are_left_alone(hub: Hub, browse: Browse) -> None:
    do(browse(Role.LEAD, hub.contoso), "cancel", hub.ours.submission, hub.theirs.submission)
    assert state_of(hub.ours.submission) == DeliveryState.CANCELLED
    assert state_of(hub.theirs.submission) == DeliveryState.PARKED


def test_the_policy_is_asked_for_each_row_and_action(hub: Hub, browse: Browse) -> None:
    """Lead of Contoso, auditor of Fabrikam: both rows are seen, one may be cancelled."""
    client = browse(Role.LEAD, hub.contoso)
    browse(Role.AUDITOR, hub.fabrikam, user=client.user)
    assert client.get("/admin/tickets/submission/").context["cl"].result_count == 2
    do(client, "cancel", hub.ours.submission, hub.theirs.submission)
    assert state_of(hub.ours.submission) == DeliveryState.CANCELLED
    assert state_of(hub.theirs.submission) == DeliveryState.PARKED


def test_an_auditor_is_offered_no_action(hub: Hub, browse: Browse) -> None:
    client = browse(Role.AUDITOR)
    assert "retry_chosen" not in client.get("/admin/tickets/submission/").content.decode()
    assert do(client, "retry", hub.ours.submission).status_code == 403
    assert state_of(hub.ours.submission) == DeliveryState.PARKED


def test_many_rows_need_their_number_typed(hub: Hub, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "BRAKE_ABOVE", 1)
    client, rows = browse(Role.LEAD), (hub.ours.submission, hub.theirs.submission)
    for wrong in ({}, {"number": "1"}):
        assert do(client, "cancel", *rows, **wrong).status_code == 200
    assert {state_of(row) for row in rows} == {DeliveryState.PARKED}
    assert do(client, "cancel", *rows, number="2").status_code == 302
    assert {state_of(row) for row in rows} == {DeliveryState.CANCELLED}


@pytest.mark.parametrize("ids", ["", "x", "1;DROP", "9" * 30, "-1", ",,"])
def test_a_made_up_list_of_rows_does_nothing(ids: str, hub: Hub, browse: Browse) -> None:
    answer = browse(Role.LEAD).get("/admin/tickets/submission/do/retry/", {"ids": ids})
    assert answer["Location"] == "/admin/tickets/submission/"


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        ("parked", {"retry", "accept", "cancel"}),
        ("pending", {"retry", "cancel"}),
        ("held", {"cancel"}),
        ("running", set()),
        ("done", set()),
    ],
)
def test_the_page_of_a_delivery_offers_what_its_state_allows(
    state: str, offered: set[str], hub: Hub, browse: Browse
) -> None:
    row = hub.ours.submission
    Submission.objects.filter(pk=row.pk).update(state=state)
    page = browse(Role.LEAD).get(f"/admin/tickets/submission/{row.pk}/change/")
    assert {step.name for step, _url in page.context["steps"]} == offered


@pytest.mark.parametrize(
    "path", ["tickets/ticket", "tickets/submission", "accounts/user", "tickets/tracker", "accounts/organisation"]
)
def test_a_list_asks_as_many_queries_for_many_rows_as_for_few(path: str, hub: Hub, browse: Browse) -> None:
    client = browse(Role.LEAD)
    browse(Role.TECHNICIAN, hub.fabrikam)

    def queries() -> int:
        with connection.execute_wrapper(counter := Counter()):
            assert client.get(f"/admin/{path}/").status_code == 200
        return counter.total

    few = queries()
    TicketFactory.create_batch(12, board__goes_out=True)
    browse(Role.TECHNICIAN, hub.contoso)
    browse(Role.TECHNICIAN, hub.helpdesk)
    assert queries() == few


class Counter:
    """Counts what is sent to the database."""

    total = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.total += 1
        return execute(sql, params, many, context)
