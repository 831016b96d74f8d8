"""What was done to several tickets at once can be taken back for a moment: as a change of its own, on the record."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.factories.accounts import technician
from tests.factories.tickets import TicketFactory
from tickets.choices import Priority, TicketStatus, TimelineKind
from tickets.models import Board, Ticket, TimelineEntry
from tickets.services import workflow
from tickets.services.common import record

HTMX = {"HX-Request": "true"}


def bulk(browser: Client, tickets: list[Ticket], action: str, **data: Any) -> list[int]:
    """Do it and return the facts that the toast offers to take back."""
    form = {"id": [ticket.pk for ticket in tickets], "action": action, **data}
    answer = browser.post("/queue/bulk/", form, headers=HTMX)
    offer = json.loads(answer["HX-Trigger"])["hub:toast"]["undo"]
    if offer is None:
        return []
    assert (offer["url"], offer["ms"]) == ("/queue/undo/", 10_000)
    return list(offer["values"]["fact"])


def undo(browser: Client, facts: list[int]) -> dict[str, Any]:
    answer = browser.post("/queue/undo/", {"fact": facts}, headers=HTMX)
    assert answer.status_code == 204
    return dict(json.loads(answer["HX-Trigger"])["hub:toast"])


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("assign", TimelineKind.ASSIGNED),
        ("resolve", TimelineKind.STATUS_CHANGED),
        ("priority", TimelineKind.PRIORITY_CHANGED),
    ],
)
def test_each_ticket_is_again_as_it_was_and_both_changes_are_on_record(
    browser: Client, tech: User, board: Board, action: str, kind: str
) -> None:
    colleague = technician(email="colleague@hub.example")
    tickets: list[Ticket] = [
        TicketFactory(board=board),
        TicketFactory(board=board, status=TicketStatus.ON_HOLD, priority=Priority.LOW, assignee=colleague),
    ]
    before = [(one.status, one.priority, one.assignee_id, one.resolved_at) for one in tickets]
    facts = bulk(browser, tickets, action, priority="urgent")
    versions = [Ticket.objects.get(pk=one.pk).version for one in tickets]
    assert undo(browser, facts) == {"text": "2 changes undone.", "level": "success"}
    now = [Ticket.objects.get(pk=one.pk) for one in tickets]
    assert [(one.status, one.priority, one.assignee_id, one.resolved_at) for one in now] == before
    assert all(one.version > version for one, version in zip(now, versions, strict=True))
    for one in now:
        first, second = one.timeline.filter(kind=kind)
        assert (first.data["old"], first.data["new"]) == (second.data["new"], second.data["old"])
        assert (first.actor, second.actor) == (tech, tech)


def test_what_did_not_change_is_not_offered(browser: Client, tech: User, board: Board) -> None:
    mine, nobodys = TicketFactory(board=board, assignee=tech), TicketFactory(board=board)
    (fact,) = bulk(browser, [mine, nobodys], "assign")
    assert TimelineEntry.objects.get(pk=fact).ticket == nobodys
    assert bulk(browser, [mine], "assign") == []


def test_a_ticket_that_somebody_changed_meanwhile_stays_as_it_is(browser: Client, board: Board) -> None:
    kept, changed = TicketFactory(board=board), TicketFactory(board=board)
    facts = bulk(browser, [kept, changed], "resolve")
    workflow.edit_ticket(ticket_id=changed.pk, actor=technician(email="other@hub.example"), title="Something else")
    said = undo(browser, facts)
    assert said["level"] == "warning"
    assert changed.key in said["text"]
    assert kept.key not in said["text"]
    assert Ticket.objects.get(pk=kept.pk).status == TicketStatus.NEW
    assert Ticket.objects.get(pk=changed.pk).status == TicketStatus.RESOLVED


def test_what_the_hub_itself_writes_down_does_not_stand_in_the_way(browser: Client, board: Board) -> None:
    ticket = TicketFactory(board=board)
    facts = bulk(browser, [ticket], "resolve")
    record(ticket, TimelineKind.SUBMITTED, None, key="HELP-1")
    assert undo(browser, facts)["level"] == "success"


def test_it_is_taken_back_once(browser: Client, board: Board) -> None:
    ticket = TicketFactory(board=board)
    facts = bulk(browser, [ticket], "assign")
    undo(browser, facts)
    assert undo(browser, facts)["level"] == "warning"
    assert ticket.timeline.filter(kind=TimelineKind.ASSIGNED).count() == 2


def test_it_is_too_late_after_a_while(browser: Client, board: Board) -> None:
    ticket = TicketFactory(board=board)
    facts = bulk(browser, [ticket], "assign")
    TimelineEntry.objects.filter(pk__in=facts).update(created_at=timezone.now() - timedelta(seconds=31))
    assert "too late" in undo(browser, facts)["text"]
    assert Ticket.objects.get(pk=ticket.pk).assignee is not None


def test_nobody_takes_back_what_somebody_else_did(
    browser: Client, browser_of: Callable[[User], Client], contoso_only: Client, board: Board
) -> None:
    ticket = TicketFactory(board=board)
    facts = bulk(browser, [ticket], "assign")
    assert undo(browser_of(technician(email="other@hub.example")), facts)["level"] == "warning"
    assert undo(contoso_only, facts)["text"] == "0 changes undone."  # not even whose it was
    assert Ticket.objects.get(pk=ticket.pk).assignee is not None


def test_an_account_that_is_gone_cannot_get_its_ticket_back(browser: Client, board: Board) -> None:
    leaver = technician(email="leaver@hub.example")
    ticket = TicketFactory(board=board, assignee=leaver)
    facts = bulk(browser, [ticket], "assign")
    User.objects.filter(pk=leaver.pk).update(is_active=False)
    assert undo(browser, facts)["level"] == "warning"
    assert Ticket.objects.get(pk=ticket.pk).assignee is not None
