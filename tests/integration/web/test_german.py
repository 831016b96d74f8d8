"""A person who reads German gets German everywhere: pages, refusals, reasons; and programs never do."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import User
from supporthub.core.deliveries.states import DeliveryState
from tests.factories.accounts import UserFactory, technician
from tests.factories.tickets import BoardFactory, TicketFactory
from tickets.choices import TicketStatus, TimelineKind
from tickets.models import Board, Submission, Ticket

HTMX = {"HX-Request": "true"}
REASON = "Jira's project HELP needs the field 'Cost centre'"


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """A request's language stays active in its thread; keep it from the tests after."""
    with translation.override("en"):
        yield


@pytest.fixture
def german(db: None, browser_of: Callable[[User], Client]) -> Client:
    return browser_of(technician(name="Jana", language="de"))


@pytest.fixture
def parked(db: None) -> Ticket:
    ticket: Ticket = TicketFactory(board=BoardFactory(goes_out=True))
    Submission.objects.filter(ticket=ticket).update(
        state=DeliveryState.PARKED, reason_code="field_refused", reason=REASON, tries=2
    )
    ticket.timeline.create(kind=TimelineKind.SUBMISSION_PARKED, data={"code": "field_refused", "reason": REASON})
    return ticket


def test_a_parked_submission_is_explained_in_german_with_the_trackers_words(german: Client, parked: Ticket) -> None:
    page = german.get(f"/tickets/{parked.key}/").content.decode()
    assert page.count("Der Tracker lehnt ein Feld ab oder verlangt eines, das der Hub nicht ausfüllt") == 2
    assert page.count('<span class="as-written" lang="en">Jira&#x27;s project HELP needs') == 2


def test_in_english_the_trackers_words_stand_alone(browser: Client, parked: Ticket) -> None:
    page = browser.get(f"/tickets/{parked.key}/").content.decode()
    assert "The tracker refused a field" not in page
    assert "as-written" not in page
    assert page.count("Jira&#x27;s project HELP needs") == 2


def test_a_refusal_with_names_in_it_is_german(german: Client, board: Board) -> None:
    ticket = TicketFactory(board=board, status=TicketStatus.NEW)
    answer = german.post(f"/tickets/{ticket.key}/transition/", {"verb": "close"})
    assert answer.status_code == 409
    assert "Für ein Ticket im Status „neu“ gibt es &#x27;close&#x27; nicht, nur: start, " in answer.content.decode()


def test_a_refusal_for_a_script_is_german_too(german: Client, board: Board) -> None:
    answer = german.get("/tickets/HUB-99999999/", headers=HTMX)
    assert (answer.status_code, answer.content.decode()) == (404, "Dieses Ticket gibt es nicht.")


def test_the_sign_in_follows_the_browser(db: None) -> None:
    page = Client().get("/sign-in/", headers={"Accept-Language": "de-AT,de;q=0.9"}).content.decode()
    assert '<html lang="de">' in page
    assert "Kein Konto oder kein Passwort?" in page


def test_the_admin_speaks_german_in_its_menu_its_lists_and_its_themes_own_words(
    db: None, browser_of: Callable[[User], Client], parked: Ticket
) -> None:
    lead = browser_of(UserFactory(is_superuser=True, language="de"))
    index, listed = (lead.get(path).content.decode() for path in ("/admin/", "/admin/tickets/submission/"))
    assert "Was jemanden braucht" in index
    assert "Übergabe an den Tracker" in index
    assert "Der Tracker lehnt ein Feld ab" in listed
    assert "Filter anwenden" in listed
    row = lead.get(f"/admin/tickets/submission/{parked.submission.pk}/change/").content.decode()
    assert "Ungewiss seit" in row
    assert 'lang="en">Jira&#x27;s project HELP needs' in row


def test_the_api_answers_in_english_whatever_the_client_or_the_person_reads(german: Client, board: Board) -> None:
    answer = german.get("/api/v1/tickets/HUB-99999999/", headers={"Accept-Language": "de"})
    assert answer.json()["detail"] == "There is no such ticket."
    assert answer["Content-Language"] == "en"
    assert german.get("/api/v1/nothing/", headers={"Accept-Language": "de"}).json()["detail"].isascii()


def test_validation_texts_of_the_api_are_english(german: Client, board: Board) -> None:
    answer = german.post("/api/v1/tickets/", {}, content_type="application/json", headers={"Accept-Language": "de"})
    assert answer.status_code == 400
    assert answer.json()["errors"]["title"] == ["This field is required."]
