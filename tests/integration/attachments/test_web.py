"""Files in the web UI: staged while somebody writes, sent with the form, shown with the message."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from supporthub.core.deliveries.states import DeliveryState
from tests.factories.accounts import UserFactory, technician
from tests.factories.files import PAGE, PROGRAM, picture, stored
from tests.factories.tickets import IssueLinkFactory
from tests.integration.attachments.conftest import kept_files
from tickets.models import Attachment, Board, FileDelivery, Ticket
from tickets.services.attachments import add_files
from tickets.services.conversation import add_message

pytestmark = pytest.mark.django_db
SCRIPT = {"HX-Request": "true"}


def browser_of(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def browser(ben: User, store: Path) -> Client:
    return browser_of(ben)


def upload(browser: Client, content: bytes, name: str = "error.png") -> Any:
    return browser.post("/uploads/", {"file": SimpleUploadedFile(name, content)}, headers=SCRIPT)


def staged(browser: Client, content: bytes | None = None, name: str = "error.png") -> str:
    answer = upload(browser, content or picture(), name)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def test_a_staged_file_is_sent_with_the_reply_and_shown_below_it(browser: Client, ticket: Ticket) -> None:
    one = staged(browser)
    answer = browser.post(
        f"/tickets/{ticket.key}/messages/", {"kind": "public", "body": "See it.", "staged": [one]}, headers=SCRIPT
    )
    assert answer.status_code == 204
    row = Attachment.objects.get()
    assert (row.ticket, row.message, row.state) == (ticket, ticket.messages.last(), "attached")
    page = browser.get(f"/tickets/{ticket.key}/").content.decode()
    assert f"/tickets/{ticket.key}/files/{row.public_id}/thumbnail/" in page
    assert 'alt="Picture error.png"' in page
    small = browser.get(f"/tickets/{ticket.key}/files/{row.public_id}/thumbnail/")
    assert (small.headers["Content-Type"], small.headers["X-Content-Type-Options"]) == ("image/webp", "nosniff")


def test_a_note_of_files_alone_needs_no_words(browser: Client, ticket: Ticket) -> None:
    sent = {"kind": "internal", "body": " ", "staged": [staged(browser)]}
    assert browser.post(f"/tickets/{ticket.key}/messages/", sent, headers=SCRIPT).status_code == 204
    nothing = {"kind": "internal", "body": " "}
    assert browser.post(f"/tickets/{ticket.key}/messages/", nothing, headers=SCRIPT).status_code == 400


def test_without_a_script_the_form_brings_its_files_itself(browser: Client, ticket: Ticket) -> None:
    files = [SimpleUploadedFile("one.log", b"words"), SimpleUploadedFile("two.log", b"words")]
    answer = browser.post(f"/tickets/{ticket.key}/messages/", {"kind": "public", "body": "See.", "files": files})
    assert answer.status_code == 302
    assert [row.name for row in Attachment.objects.all()] == ["one.log", "two.log"]


def test_a_new_ticket_takes_staged_and_brought_files_once(browser: Client, board: Board, store: Path) -> None:
    one, once = staged(browser), str(uuid4())
    form = {"title": "Printer", "body": "It smokes.", "board": board.slug, "priority": "normal", "source": "phone",
            "once": once, "staged": [one]}  # fmt: skip
    answers = [
        browser.post("/tickets/new/", {**form, "files": [SimpleUploadedFile("bad-day.log", b"words")]})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    ticket = Ticket.objects.get()
    assert {row.name for row in ticket.attachments.all()} == {"error.png", "bad-day.log"}
    assert {row.message for row in ticket.attachments.all()} == {ticket.messages.get()}
    assert len(kept_files(store)) == 2


def test_a_form_that_comes_back_keeps_what_was_staged(browser: Client, board: Board) -> None:
    one = staged(browser)
    answer = browser.post("/tickets/new/", {"title": "", "once": str(uuid4()), "staged": [one]})
    assert answer.status_code == 422
    assert f'name="staged" value="{one}"' in answer.content.decode()


class TestRefusals:
    def test_a_refusal_is_said_in_words_and_keeps_nothing(self, browser: Client, store: Path) -> None:
        for content, name in ((PAGE, "error.png"), (PROGRAM, "a.exe"), (b"", "empty.log")):
            answer = upload(browser, content, name)
            assert answer.status_code == 400
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert answer.content.decode().endswith(".")
        assert kept_files(store) == []

    def test_a_file_that_is_too_large_is_413_in_words_before_any_view_runs(
        self, browser: Client, limits: Callable[..., None]
    ) -> None:
        limits(max_bytes=1000, tray_bytes=1000)
        answer = upload(browser, b"x" * 1001, "big.log")
        assert answer.status_code == 413
        assert "larger than" in answer.content.decode()

    def test_a_refused_file_refuses_the_whole_message(self, browser: Client, ticket: Ticket, store: Path) -> None:
        before = ticket.messages.count()
        files = [SimpleUploadedFile("one.log", b"words"), SimpleUploadedFile("a.exe", PROGRAM)]
        answer = browser.post(f"/tickets/{ticket.key}/messages/", {"kind": "public", "body": "See.", "files": files})
        assert answer.status_code == 400
        assert ticket.messages.count() == before
        assert kept_files(store) == []

    def test_what_another_has_staged_cannot_be_sent(self, browser: Client, ticket: Ticket, store: Path) -> None:
        theirs = staged(browser_of(technician()))
        before = ticket.messages.count()
        sent = {"kind": "public", "body": "See.", "staged": [theirs]}
        answer = browser.post(f"/tickets/{ticket.key}/messages/", sent, headers=SCRIPT)
        assert answer.status_code == 400
        assert ticket.messages.count() == before
        assert len(kept_files(store)) == 1
        assert browser.get(f"/uploads/{theirs}/thumbnail/").status_code == 404
        assert browser.delete(f"/uploads/{theirs}/").status_code == 204
        assert Attachment.objects.count() == 1

    def test_the_same_upload_is_sent_once(self, browser: Client, ticket: Ticket) -> None:
        sent = {"kind": "public", "body": "See.", "staged": [staged(browser)]}
        path = f"/tickets/{ticket.key}/messages/"
        answers = [browser.post(path, sent, headers=SCRIPT).status_code for _ in range(2)]
        assert answers == [204, 400]

    def test_nobody_stages_without_end(self, browser: Client, limits: Callable[..., None]) -> None:
        limits(per_message=1)
        for _ in range(3):
            staged(browser)
        answer = upload(browser, picture())
        assert answer.status_code == 409
        assert "3 files" in answer.content.decode()

    def test_who_may_do_nothing_may_not_upload(self, store: Path) -> None:
        assert upload(browser_of(UserFactory.create()), picture()).status_code == 403
        assert Client().post("/uploads/", {"file": SimpleUploadedFile("a", b"x")}, headers=SCRIPT).status_code == 401
        assert kept_files(store) == []


def test_a_stopped_file_says_why_and_is_tried_again(browser: Client, store: Path) -> None:
    ticket = IssueLinkFactory.create().ticket
    add_message(ticket_id=ticket.pk, kind="public", body="See.", actor=technician(), files=[stored()])
    FileDelivery.objects.update(state=DeliveryState.PARKED, reason_code="forbidden", reason="A lead must look.")
    row = Attachment.objects.get()
    page = browser.get(f"/tickets/{ticket.key}/").content.decode()
    assert "Not in the tracker: A lead must look." in page
    answer = browser.post(f"/tickets/{ticket.key}/files/{row.public_id}/retry/", headers=SCRIPT)
    assert answer.status_code == 204
    assert FileDelivery.objects.get().state == DeliveryState.PENDING


def test_files_without_a_message_stand_below_their_fact(browser: Client, ticket: Ticket) -> None:
    add_files(ticket_id=ticket.pk, stored=[stored(name="one.log"), stored(name="two.log")], actor=technician())
    page = browser.get(f"/tickets/{ticket.key}/").content.decode()
    assert "added files: one.log, two.log" in page
    assert page.count('class="file"') == 2
