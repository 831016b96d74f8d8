"""The ticket page and what is done from it."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from accounts.models import User
from supporthub.core.deliveries.states import DeliveryState
from tests.factories.accounts import RoleGrantFactory, UserFactory, technician
from tests.factories.tickets import BoardFactory, IssueLinkFactory, TicketFactory
from tickets.choices import MessageKind, Priority, TicketStatus
from tickets.models import Board, Message, Submission, Ticket
from tickets.services import conversation, workflow
from tickets.workflow import Verb, steps_from

HTMX = {"HX-Request": "true"}


@pytest.fixture
def ticket(board: Board) -> Ticket:
    return TicketFactory(board=board, title="VPN drops")


def post(client: Client, ticket: Ticket, what: str, **data: Any) -> Any:
    return client.post(f"/tickets/{ticket.key}/{what}/", data, headers=HTMX)


def test_any_key_leads_to_the_hubs_own_address(browser: Client) -> None:
    ticket = TicketFactory(board=BoardFactory(goes_out=True))
    IssueLinkFactory(ticket=ticket, key="HELP-77")
    for key in ("HELP-77", "help-77", ticket.key.lower()):
        assert browser.get(f"/tickets/{key}/")["Location"] == f"/tickets/{ticket.key}/"
    assert browser.get(f"/tickets/{ticket.key}/").status_code == 200


def test_number_of_queries_does_not_grow_with_the_conversation(browser: Client, tech: User, ticket: Ticket) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(f"/tickets/{ticket.key}/").status_code == 200
        return len(captured)

    few = queries()
    for number in range(12):
        conversation.add_message(ticket_id=ticket.pk, kind=MessageKind.INTERNAL, body=f"note {number}", actor=tech)
    assert queries() == few


def test_reply_and_note_are_stored_as_what_they_are(browser: Client, ticket: Ticket) -> None:
    assert post(browser, ticket, "messages", kind="public", body="Hello <b>you</b>").status_code == 204
    answer = post(browser, ticket, "messages", kind="internal", body="Call him")
    assert json.loads(answer["HX-Trigger"])["hub:sent"] == {"kind": "internal"}
    kinds = list(Message.objects.filter(ticket=ticket).order_by("pk").values_list("kind", flat=True))
    assert kinds[-2:] == [MessageKind.PUBLIC, MessageKind.INTERNAL]
    assert "&lt;b&gt;" in Message.objects.filter(ticket=ticket).order_by("-pk")[1].html


def test_forms_work_without_scripts(browser: Client, ticket: Ticket) -> None:
    response = browser.post(f"/tickets/{ticket.key}/messages/", {"kind": "public", "body": "Hello"}, follow=True)
    assert response.redirect_chain == [(f"/tickets/{ticket.key}/", 302)]
    assert "Reply sent." in response.content.decode()


@pytest.mark.parametrize("data", [{"kind": "system", "body": "x"}, {"kind": "public", "body": "  "}, {"body": "x"}])
def test_a_message_that_cannot_be_is_refused_in_words(browser: Client, ticket: Ticket, data: dict[str, str]) -> None:
    before = Message.objects.count()
    response = post(browser, ticket, "messages", **data)
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/plain")
    assert Message.objects.count() == before


def test_send_and_resolve_is_one_step_or_none(browser: Client, ticket: Ticket) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(status=TicketStatus.CLOSED)
    before = Message.objects.count()
    assert post(browser, ticket, "messages", kind="public", body="Done", then="resolve").status_code == 409
    assert Message.objects.count() == before
    Ticket.objects.filter(pk=ticket.pk).update(status=TicketStatus.IN_PROGRESS)
    assert post(browser, ticket, "messages", kind="public", body="Done", then="resolve").status_code == 204
    assert Ticket.objects.get(pk=ticket.pk).status == TicketStatus.RESOLVED


def test_the_page_offers_what_the_table_offers(browser: Client, ticket: Ticket) -> None:
    offered = [step.verb for step in steps_from(ticket.status)]
    page = browser.get(f"/tickets/{ticket.key}/").content.decode()
    assert [verb for verb in Verb if f'value="{verb}"' in page] == offered


def test_an_auditor_reads_but_changes_nothing(db: None, ticket: Ticket) -> None:
    user: User = UserFactory()
    RoleGrantFactory(user=user, role=Role.AUDITOR)
    client = Client()
    client.force_login(user)
    page = client.get(f"/tickets/{ticket.key}/")
    assert page.status_code == 200
    assert 'id="composer"' not in page.content.decode()
    for what, data in (
        ("messages", {"kind": "public", "body": "x"}),
        ("transition", {"verb": "resolve"}),
        ("assign", {"assignee": "me"}),
        ("retry", {}),
    ):
        assert post(client, ticket, what, **data).status_code == 403, what
    assert Ticket.objects.get(pk=ticket.pk).version == ticket.version


def test_change_of_another_field_meanwhile_is_no_conflict(browser: Client, ticket: Ticket) -> None:
    seen = Ticket.objects.get(pk=ticket.pk).version
    workflow.edit_ticket(ticket_id=ticket.pk, actor=technician(name="Ben"), title="VPN drops at noon")
    answer = post(browser, ticket, "edit", field="priority", value="high", was="normal", version=seen)
    assert answer.status_code == 204
    assert Ticket.objects.get(pk=ticket.pk).priority == Priority.HIGH


def test_change_of_the_same_field_meanwhile_asks_with_both_values(browser: Client, ticket: Ticket) -> None:
    seen = Ticket.objects.get(pk=ticket.pk).version
    workflow.edit_ticket(ticket_id=ticket.pk, actor=technician(name="Ben"), priority="urgent")
    answer = post(browser, ticket, "edit", field="priority", value="low", was="normal", version=seen)
    assert answer.status_code == 409
    words = answer.content.decode()
    assert "Ben changed" in words
    assert "urgent" in words
    assert "low" in words
    assert Ticket.objects.get(pk=ticket.pk).priority == Priority.URGENT


def test_two_people_taking_one_ticket_are_told(browser: Client, ticket: Ticket) -> None:
    ben = technician(name="Ben")
    workflow.assign_ticket(ticket_id=ticket.pk, assignee=ben, actor=ben)
    answer = post(browser, ticket, "assign", assignee="me", was="")
    assert answer.status_code == 409
    assert Ticket.objects.get(pk=ticket.pk).assignee == ben
    assert post(browser, ticket, "assign", assignee="me", was=ben.pk).status_code == 204


def test_only_people_who_may_work_it_can_get_a_ticket(browser: Client, ticket: Ticket) -> None:
    outsider: User = UserFactory(name="Outsider")
    assert post(browser, ticket, "assign", assignee=outsider.pk).status_code == 400
    assert "Outsider" not in browser.get(f"/tickets/{ticket.key}/").content.decode()


def test_watchers_come_and_go(browser: Client, ticket: Ticket) -> None:
    assert post(browser, ticket, "watchers", email="not an address").status_code == 400
    assert post(browser, ticket, "watchers", email="Eve@contoso.example").status_code == 204
    assert [person.email for person in ticket.watchers.all()] == ["eve@contoso.example"]
    assert post(browser, ticket, "watchers", remove="eve@contoso.example").status_code == 204
    assert not ticket.watchers.exists()


def test_a_parked_submission_says_why_and_can_be_retried(browser: Client, tech: User) -> None:
    ticket = TicketFactory(board=BoardFactory(goes_out=True))
    Submission.objects.filter(ticket=ticket).update(
        state=DeliveryState.PARKED, reason="Jira refused the field X.", tries=3
    )
    page = browser.get(f"/tickets/{ticket.key}/").content.decode()
    assert "Jira refused the field X" in page
    assert "needs a person" in page
    assert f"/tickets/{ticket.key}/retry/" in page
    assert post(browser, ticket, "retry").status_code == 204
    assert Submission.objects.get(ticket=ticket).state == DeliveryState.PENDING
    assert post(browser, TicketFactory(board=BoardFactory()), "retry").status_code == 409


def test_parts_come_alone_with_version_and_digest(browser: Client, ticket: Ticket) -> None:
    response = browser.get(f"/tickets/{ticket.key}/parts/?only=stream,properties")
    page = response.content.decode()
    assert 'data-part="stream"' in page
    assert 'data-part="head"' not in page
    version = Ticket.objects.get(pk=ticket.pk).version
    assert response["X-Version"] == str(version)
    assert json.loads(response["X-Live-Digest"]) == {f"ticket:{ticket.pk}": [version, 1, version]}
