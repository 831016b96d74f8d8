"""Signing in and out, lockout, one's own preferences."""

import pytest
from django.test import Client

from accounts.models import User
from tests.factories.accounts import PASSWORD
from tests.factories.tickets import TicketFactory
from tickets.models import Board


def test_the_right_password_leads_on(tech: User) -> None:
    response = Client().post(
        "/sign-in/", {"username": "ANNA@hub.example", "password": PASSWORD, "next": "/tickets/new/"}
    )
    assert response.status_code == 302
    assert response["Location"] == "/tickets/new/"


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example"]
)
def test_next_never_leaves_the_hub(tech: User, where: str) -> None:
    response = Client().post("/sign-in/", {"username": tech.email, "password": PASSWORD, "next": where})
    assert response["Location"] == "/"


def test_a_refusal_does_not_tell_who_exists(tech: User) -> None:
    wrong = Client().post("/sign-in/", {"username": tech.email, "password": "wrong"})
    nobody = Client().post("/sign-in/", {"username": "nobody@hub.example", "password": "wrong"})
    assert wrong.status_code == nobody.status_code == 422
    assert wrong.context["form"].non_field_errors() == nobody.context["form"].non_field_errors()


def test_too_many_wrong_passwords_lock_with_clear_words(tech: User) -> None:
    client = Client()
    for _ in range(5):
        response = client.post("/sign-in/", {"username": tech.email, "password": "wrong"})
    assert response.status_code == 429
    assert "15 minutes" in response.content.decode()
    assert client.post("/sign-in/", {"username": tech.email, "password": PASSWORD}).status_code == 429


def test_signing_out_needs_a_button_and_ends_the_session(browser: Client) -> None:
    assert browser.get("/sign-out/").status_code == 405
    assert browser.post("/sign-out/")["Location"] == "/sign-in/"
    assert browser.get("/").status_code == 302


def test_preferences_are_kept_and_used(browser: Client, tech: User) -> None:
    data = {"name": "Anna L.", "language": "de", "time_zone": "Asia/Tokyo"}
    assert browser.post("/profile/", data)["Location"] == "/profile/"
    tech.refresh_from_db()
    assert (tech.name, tech.language, tech.time_zone, tech.shortcuts) == ("Anna L.", "de", "Asia/Tokyo", False)
    page = browser.get("/profile/").content.decode()
    assert '<html lang="de">' in page
    assert browser.post("/profile/", {"time_zone": "Mars/Base"}).status_code == 422


def test_error_pages_need_no_database() -> None:
    """Without the `db` fixture, pytest-django refuses every query."""
    response = Client().get("/no-such-page/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_a_refusal_inside_says_that_nothing_changed(browser: Client, board: Board) -> None:
    ticket = TicketFactory(board=board)
    response = browser.post(f"/tickets/{ticket.key}/transition/", {"verb": "reopen"})
    assert response.status_code == 409
    assert "Nothing was changed." in response.content.decode()
