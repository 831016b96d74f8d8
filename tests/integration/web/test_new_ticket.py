"""Phone intake."""

import uuid
from typing import Any

from django.test import Client

from directory.models import Person
from tests.factories.accounts import OrganisationFactory
from tests.factories.directory import PersonFactory
from tests.factories.tickets import TicketFactory
from tickets.choices import Source
from tickets.models import Board, Ticket


def answers(**changes: Any) -> dict[str, Any]:
    return {
        "requester": "julia@contoso.example", "requester_name": "Julia Hoffmann", "organisation": "",
        "title": "No network", "body": "Since noon.",
        "board": "office", "category": "", "priority": "normal", "source": "phone",
        "once": str(uuid.uuid4()), **changes,
    }  # fmt: skip


def test_a_call_becomes_a_ticket_and_opens_it(browser: Client, board: Board) -> None:
    response = browser.post("/tickets/new/", answers())
    ticket = Ticket.objects.get()
    assert response["Location"] == f"/tickets/{ticket.key}/"
    assert ticket.source == Source.PHONE
    assert ticket.requester is not None
    assert ticket.requester.name == "Julia Hoffmann"


def test_pressing_the_button_twice_makes_one_ticket(browser: Client, board: Board) -> None:
    data = answers()
    first, second = browser.post("/tickets/new/", data), browser.post("/tickets/new/", data)
    assert Ticket.objects.count() == 1
    assert first["Location"] == second["Location"]


def test_an_unknown_caller_comes_with_the_organisation_that_was_chosen(browser: Client, board: Board) -> None:
    OrganisationFactory(name="Fabrikam", slug="fabrikam")
    browser.post("/tickets/new/", answers(organisation="fabrikam"))
    assert Person.objects.get().organisation.slug == "fabrikam"
    assert Ticket.objects.get().organisation.slug == "fabrikam"


def test_what_is_missing_is_said_and_the_text_is_kept(browser: Client, board: Board) -> None:
    response = browser.post("/tickets/new/", answers(title="", requester="julia"))
    assert response.status_code == 422
    page = response.content.decode()
    assert "Since noon." in page
    assert response.context["form"].errors.keys() == {"title", "requester"}
    assert not Ticket.objects.exists()


def test_the_look_up_shows_people_with_their_open_tickets(browser: Client, board: Board) -> None:
    person = PersonFactory(name="Julia Hoffmann", email="julia@contoso.example")
    TicketFactory.create_batch(2, board=board, requester=person, organisation=person.organisation)
    page = browser.get("/tickets/new/people/?q=hoff").content.decode()
    assert "julia@contoso.example" in page
    assert "2 open" in page


def test_the_look_up_keeps_other_organisations_people_private(contoso_only: Client, db: None) -> None:
    PersonFactory(name="Julia Hoffmann", email="julia@fabrikam.example")
    assert b"julia" not in contoso_only.get("/tickets/new/people/?q=jul").content
