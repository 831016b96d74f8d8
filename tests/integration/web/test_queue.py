"""The queue page and its fragments."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation, User
from supporthub.core.deliveries.states import DeliveryState
from tests.factories.accounts import technician
from tests.factories.directory import PersonFactory
from tests.factories.tickets import BoardFactory, IssueLinkFactory, TicketFactory
from tickets.choices import Priority, TicketStatus
from tickets.models import Board, Submission, Ticket


def shown_in(response: Any) -> list[int]:
    """The tickets of the rows, in their order, as a browser gets them."""
    return [
        int(number) for number in re.findall(r'<div class="row-line[^>]* data-id="(\d+)"', response.content.decode())
    ]


def ids_in(client: Client, query: str) -> list[int]:
    response = client.get(f"/queue/rows/?{query}")
    assert response.status_code == 200
    return shown_in(response)


def test_a_stranger_is_led_to_the_sign_in_and_back(db: None) -> None:
    response = Client().get("/?view=open&q=vpn")
    assert response.status_code == 302
    assert response["Location"] == "/sign-in/?next=/%3Fview%3Dopen%26q%3Dvpn"


def test_a_script_without_session_gets_401_and_the_way(db: None) -> None:
    response = Client().get("/queue/rows/", headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert response["HX-Redirect"].startswith("/sign-in/")


def test_number_of_queries_does_not_grow_with_rows(browser: Client, board: Board) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert browser.get("/?view=open").status_code == 200
        return len(captured)

    TicketFactory.create_batch(2, board=board)
    few = queries()
    TicketFactory.create_batch(40, board=board, assignee=technician(email="other@hub.example"))
    assert queries() == few


def test_somebody_sees_only_their_organisations_tickets(contoso_only: Client, board: Board) -> None:
    contoso = Organisation.objects.get(slug="contoso")
    mine, other = TicketFactory(organisation=contoso, board=board), TicketFactory(board=board)
    assert ids_in(contoso_only, "view=all") == [mine.pk]
    response = contoso_only.get(f"/queue/rows/?view=all&ids={mine.pk},{other.pk}")
    assert response["X-Gone"] == str(other.pk)
    assert contoso_only.get(f"/queue/preview/{other.key}/").status_code == 404
    assert contoso_only.get(f"/tickets/{other.key}/").status_code == 404


def test_somebody_without_roles_is_told_what_to_do(db: None, browser_of: Callable[[User], Client]) -> None:
    user = User.objects.create_user("new@hub.example", "x")
    response = browser_of(user).get("/")
    assert response.status_code == 200
    assert "no role yet" in response.content.decode()


def test_views_and_filters_narrow_the_list(browser: Client, tech: User, board: Board) -> None:
    mine = TicketFactory(board=board, assignee=tech, status=TicketStatus.IN_PROGRESS, priority=Priority.HIGH)
    free = TicketFactory(board=board, labels=["vpn"])
    done = TicketFactory(board=board, status=TicketStatus.RESOLVED)
    assert ids_in(browser, "view=mine") == [mine.pk]
    assert ids_in(browser, "view=unassigned") == [free.pk]
    assert ids_in(browser, "view=open") == [free.pk, mine.pk]
    assert ids_in(browser, "view=resolved") == [done.pk]
    assert ids_in(browser, "view=all&priority=high") == [mine.pk]
    assert ids_in(browser, "view=all&label=vpn") == [free.pk]
    assert ids_in(browser, "view=all&assignee=me") == [mine.pk]
    assert ids_in(browser, "view=all&status=resolved&status=in_progress") == [done.pk, mine.pk]


@pytest.mark.parametrize("sort", ["newest", "oldest", "changed", "priority"])
def test_pages_hold_every_ticket_once_in_order(browser: Client, board: Board, sort: str) -> None:
    for number in range(9):
        TicketFactory(board=board, priority=Priority.values[number % 4])
    whole = ids_in(browser, f"view=all&sort={sort}")
    pages: list[int] = []
    query = f"view=all&sort={sort}"
    while query:
        response = browser.get(f"/queue/rows/?{query}&size=4")
        pages += shown_in(response)
        query = response["X-Next"]
    assert pages == whole
    assert len(set(pages)) == 9


def test_search_finds_words_by_their_beginning_people_and_keys(browser: Client, board: Board) -> None:
    printer = TicketFactory(board=board, title="Label printer prints empty labels")
    person = PersonFactory(name="Julia Hoffmann", email="jh@contoso.example")
    hers = TicketFactory(board=board, title="VPN drops", requester=person, organisation=person.organisation)
    assert ids_in(browser, "view=all&q=prin+lab") == [printer.pk]
    assert ids_in(browser, "view=all&q=julia") == [hers.pk]
    assert ids_in(browser, "view=all&q=JH@con") == [hers.pk]
    assert ids_in(browser, f"view=all&q={hers.pk}") == [hers.pk]
    assert ids_in(browser, "view=all&q=%27+%26+%7C+%21+%3A%2A+%5C") == []


def test_searching_for_a_key_opens_that_ticket(browser: Client) -> None:
    ticket = TicketFactory(board=BoardFactory(goes_out=True))
    IssueLinkFactory(ticket=ticket, key="HELP-77")
    for typed in (ticket.key, ticket.key.lower(), f"%23{ticket.key}", "help-77"):
        assert browser.get(f"/?view=all&q={typed}")["Location"] == f"/tickets/{ticket.key}/"


def test_rows_say_which_tickets_left_the_list_and_the_new_digest(browser: Client, tech: User, board: Board) -> None:
    stays, leaves = TicketFactory(board=board), TicketFactory(board=board, assignee=tech)
    response = browser.get(f"/queue/rows/?view=unassigned&ids={stays.pk},{leaves.pk}")
    assert shown_in(response) == [stays.pk]
    assert response["X-Gone"] == str(leaves.pk)
    assert f"queue:{board.pk}" in json.loads(response["X-Live-Digest"])
    assert json.loads(response["X-Counts"])["mine"] == 1


def test_bulk_changes_each_ticket_and_names_what_failed(browser: Client, tech: User, board: Board) -> None:
    open_one, closed = TicketFactory(board=board), TicketFactory(board=board, status=TicketStatus.CLOSED)
    response = browser.post(
        "/queue/bulk/", {"id": [open_one.pk, closed.pk], "action": "resolve"}, headers={"HX-Request": "true"}
    )
    assert response.status_code == 204
    words = json.loads(response["HX-Trigger"])["hub:toast"]["text"]
    assert closed.key in words
    assert open_one.key not in words
    assert Ticket.objects.get(pk=open_one.pk).status == TicketStatus.RESOLVED
    assert Ticket.objects.get(pk=closed.pk).status == TicketStatus.CLOSED


def test_bulk_never_touches_what_one_may_not_see(contoso_only: Client, board: Board) -> None:
    other = TicketFactory(board=board)
    contoso_only.post("/queue/bulk/", {"id": [other.pk], "action": "assign"})
    assert Ticket.objects.get(pk=other.pk).assignee is None


def test_palette_finds_at_most_eight(browser: Client, board: Board) -> None:
    TicketFactory.create_batch(10, board=board, title="VPN drops")
    assert len(browser.get("/palette/?q=vpn").context["tickets"]) == 8
    assert browser.get("/palette/?q=").content.strip() == b""


def test_pages_hold_no_inline_script_or_style(browser: Client, board: Board) -> None:
    ticket = TicketFactory(board=board)
    for path in ("/?view=open", f"/tickets/{ticket.key}/", "/tickets/new/", "/profile/", "/tickets/HUB-999999/"):
        page = browser.get(path).content.decode()
        assert " style=" not in page, path
        assert "<style" not in page, path
        assert " onclick=" not in page, path
        assert page.count("<script") == page.count("<script src=") + page.count('type="application/json"'), path


def test_the_preview_of_a_stopped_ticket_says_why(browser: Client) -> None:
    ticket = TicketFactory(board=BoardFactory(goes_out=True))
    Submission.objects.filter(ticket=ticket).update(
        state=DeliveryState.PARKED, reason_code="forbidden", reason="Our account may not create issues in HELP."
    )
    assert "may not create issues in HELP" in browser.get(f"/queue/preview/{ticket.key}/").content.decode()
