"""A token buys one ticket; the same content is the same submission."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEntry, AuditText, TenantConnection, TokenUse
from accounts.services.token_uses import forget_used_tokens
from directory.models import Person
from tests.factories.accounts import OrganisationFactory, technician
from tests.factories.directory import PersonFactory
from tests.factories.files import picture
from tests.integration.tray.conftest import Tray, refused
from tests.sandbox.entra.seeds import CONTOSO, FABRIKAM, oid
from tickets.models import Attachment, Board, Ticket, TraySubmission
from tickets.models.tickets import TITLE_LENGTH

pytestmark = pytest.mark.django_db
EXCHANGED = {"status": "error", "message": "Token has already been exchanged."}


def only_ticket() -> Ticket:
    return Ticket.objects.get()


@pytest.mark.parametrize("version", [1, 2])
def test_submission_is_a_ticket_of_that_person(tray: Tray, helpdesk: Board, version: int) -> None:
    tray.accepted(tray.token(version=version), title="Printer", description="It smokes.\nA lot.")
    ticket = only_ticket()
    assert (ticket.title, ticket.source, ticket.board, ticket.organisation) == (
        "Printer", "tray", helpdesk, tray.entra.organisation,
    )  # fmt: skip
    assert (ticket.created_by, ticket.assignee) == (None, None)
    person = ticket.requester
    assert person
    assert (person.email, person.name, str(person.tenant_id), str(person.object_id)) == (
        "ann.baker@contoso.example", "Ann Baker", CONTOSO, oid(1),
    )  # fmt: skip
    message = ticket.messages.get()
    assert (message.text, message.author_person, message.kind) == ("It smokes.\nA lot.", person, "public")
    assert ticket.timeline.get().data == {"source": "tray"}


def test_ticket_belongs_to_the_organisation_of_the_tokens_tenant(tray: Tray, helpdesk: Board) -> None:
    fabrikam = OrganisationFactory.create(slug="fabrikam")
    TenantConnection.objects.create(organisation=fabrikam, tenant_id=FABRIKAM)
    tray.accepted(tray.token(person="zoe.angstrom@fabrikam.example"))
    assert only_ticket().organisation == fabrikam


def test_organisation_of_the_tenant_counts_and_not_where_somebody_put_the_person(tray: Tray, helpdesk: Board) -> None:
    tray.accepted(tray.token())
    Person.objects.update(organisation=OrganisationFactory.create())
    tray.accepted(tray.token())
    assert {ticket.organisation for ticket in Ticket.objects.all()} == {tray.entra.organisation}


def test_description_is_text_and_never_markup(tray: Tray, helpdesk: Board) -> None:
    tray.accepted(tray.token(), title="<b>x</b>", description="<script>alert(1)</script> & so on")
    ticket = only_ticket()
    assert ticket.title == "<b>x</b>"
    assert ticket.messages.get().html == "<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; so on</p>"


def test_title_that_is_too_long_is_kept_in_the_message(tray: Tray, helpdesk: Board) -> None:
    title = "word " * 150
    tray.accepted(tray.token(), title=title, description="And so on.")
    ticket = only_ticket()
    assert len(ticket.title) <= TITLE_LENGTH
    assert ticket.messages.get().text == f"{title.strip()}\n\nAnd so on."


def test_team_sees_who_sent_it_and_how_it_came_in(tray: Tray, helpdesk: Board) -> None:
    tray.accepted(tray.token(), image=("screen.png", picture()))
    team = Client()
    team.force_login(technician(), backend="django.contrib.auth.backends.ModelBackend")
    page = team.get(f"/tickets/{only_ticket().key}/").content.decode()
    for words in ("Ann Baker", "The ticket came in (tray client)", "It smokes.", "screen.png"):
        assert words in page


def test_urlencoded_form_is_taken_too(tray: Tray, helpdesk: Board) -> None:
    answer = tray.http.generic(
        "POST", "/api/tickets", "title=Drucker&description=Er+raucht%20%C3%BCbel.",
        content_type="application/x-www-form-urlencoded", headers={"Authorization": f"Bearer {tray.token()}"},
    )  # fmt: skip
    assert answer.status_code == 200
    assert only_ticket().messages.get().text == "Er raucht übel."


@pytest.mark.parametrize("accept", ["text/plain", "application/xml;q=1", "*/*", "nonsense"])
def test_answer_is_json_whatever_a_client_accepts(tray: Tray, helpdesk: Board, accept: str) -> None:
    token = tray.token()
    answer = tray.submit(token, headers={"Accept": accept, "x-functions-key": "abc"}, path="/api/tickets?code=abc")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    asked = tray.ask(answer.json()["instance_id"], token, headers={"Accept": accept, "x-functions-key": "abc"})
    assert asked.headers["Content-Type"] == "application/json"


def test_no_cookie_is_needed_and_none_is_set(tray: Tray, helpdesk: Board) -> None:
    tray.http.handler.enforce_csrf_checks = True
    answer = tray.submit(tray.token(), headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 200
    assert not answer.cookies


def test_same_content_again_is_the_same_submission(tray: Tray, helpdesk: Board) -> None:
    token = tray.token()
    first = tray.accepted(token)
    assert tray.accepted(token) == first
    assert tray.accepted(token, more="of no account") == first
    assert Ticket.objects.count() == TraySubmission.objects.count() == 1


def test_name_and_type_of_the_picture_do_not_count_and_its_content_does(tray: Tray, helpdesk: Board) -> None:
    token, png = tray.token(), picture()
    first = tray.accepted(token, image=("a.png", png))
    assert tray.accepted(token, image=("C:\\b\\another.png", png, "application/octet-stream")) == first
    other = tray.accepted(token, image=("a.png", picture(colour="red")))
    without = tray.accepted(token)
    assert len({first, other, without}) == 3
    assert Ticket.objects.count() == Attachment.objects.count() == 1
    assert tray.status(other, token) | EXCHANGED == tray.status(other, token)


@pytest.mark.parametrize("change", [{"title": "Printer "}, {"description": "It smokes"}, {"title": "printer"}])
def test_other_content_gets_a_refusal_with_an_id_of_its_own(
    tray: Tray, helpdesk: Board, change: dict[str, str]
) -> None:
    token = tray.token()
    first = tray.accepted(token)
    other = tray.accepted(token, **change)
    assert other != first
    assert tray.accepted(token, **change) == other
    found = tray.status(other, token)
    assert found == {
        "instance_id": other, "created_time": found["created_time"], "last_updated_time": found["created_time"],
        "runtimeStatus": "Completed", **EXCHANGED,
    }  # fmt: skip
    assert tray.status(first, token)["status"] == "success"
    assert Ticket.objects.count() == 1


def test_respelled_token_is_the_same_token(tray: Tray, helpdesk: Board) -> None:
    token = tray.token()
    first = tray.accepted(token)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    stray = token[:-1] + letters[letters.index(token[-1]) | 1]
    for respelled in (stray, token + "==", token.replace(".", "=.", 1)):
        assert tray.accepted(respelled) == first
        assert tray.status(tray.accepted(respelled, title="Mouse"), token)["status"] == "error"
    assert Ticket.objects.count() == 1


def test_token_signed_anew_with_the_same_claims_is_the_same_token(tray: Tray, helpdesk: Board) -> None:
    token = tray.token()
    header, payload, signature = token.split(".")
    assert base64.urlsafe_b64decode(header + "==")
    first = tray.accepted(token)
    refused(tray.submit(f"{header}.{payload}.{signature[:-8]}AAAAAAAA"), 401)
    assert tray.accepted(token) == first


def test_another_token_buys_another_ticket(tray: Tray, helpdesk: Board) -> None:
    assert tray.accepted(tray.token()) != tray.accepted(tray.token())
    assert Ticket.objects.count() == 2
    assert Person.objects.count() == 1


def test_setting_lets_a_token_buy_several(tray: Tray, helpdesk: Board, settings: Settings) -> None:
    settings.TRAY_SUBMISSIONS_PER_TOKEN = 3
    token = tray.token()
    ids = [tray.accepted(token, title=f"Printer {number}") for number in range(5)]
    assert [tray.status(one, token)["status"] for one in ids] == ["success"] * 3 + ["error"] * 2
    assert Ticket.objects.count() == 3
    assert tray.accepted(token, title="Printer 0") == ids[0]


def test_person_who_was_known_by_mail_is_the_same_person(tray: Tray, helpdesk: Board) -> None:
    known = PersonFactory.create(email="ann.baker@contoso.example", organisation=tray.entra.organisation)
    tray.accepted(tray.token())
    assert only_ticket().requester == known


def test_address_that_moved_makes_a_new_person_and_keeps_the_old_ones_tickets(tray: Tray, helpdesk: Board) -> None:
    old = tray.token()
    first = tray.accepted(old)
    newcomer = tray.token(claims={"oid": "0d9e2c51-6a47-4b38-9f20-00000000ffff"})
    second = tray.accepted(newcomer)
    people = {ticket.requester_id for ticket in Ticket.objects.all()}
    assert len(people) == 2
    refused(tray.ask(first, newcomer), 401)
    refused(tray.ask(second, old), 401)


def test_submission_is_recorded_as_the_persons(tray: Tray, helpdesk: Board) -> None:
    token = tray.token()
    instance = tray.accepted(token)
    tray.accepted(token)
    tray.accepted(token, title="Mouse")
    done, refusal = AuditEntry.objects.filter(action__startswith="tray.").order_by("pk")
    ticket = only_ticket()
    assert (done.action, done.actor_kind, done.actor_id) == ("tray.submitted", "person", str(ticket.requester_id))
    assert (done.target_type, done.target_id, done.organisation_id) == (
        "ticket",
        str(ticket.pk),
        ticket.organisation_id,
    )
    assert done.data["instance"].replace("-", "") == instance
    assert (refusal.action, refusal.data) == ("tray.exchanged", {})
    assert AuditText.objects.get(pk=refusal.pk).texts == {"name": "ann.baker@contoso.example"}


def test_token_is_written_nowhere(tray: Tray, helpdesk: Board, caplog: Any, capsys: Any) -> None:
    token = tray.token()
    tray.status(tray.accepted(token), token)
    signature = token.rpartition(".")[2]
    printed = capsys.readouterr()
    assert signature not in caplog.text + printed.out + printed.err
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM accounts_tokenuse t UNION ALL SELECT t::text FROM tickets_traysubmission t")
        assert all(signature not in row for (row,) in cursor.fetchall())


def test_statements_of_a_submission_do_not_grow(tray: Tray, helpdesk: Board) -> None:
    tray.accepted(tray.token())
    counts = []
    for number in range(3):
        token = tray.token()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            tray.accepted(token, title=f"Printer {number}")
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert counts[0] <= 15, [query["sql"][:120] for query in queries]


def test_submission_is_known_after_its_token_was_forgotten(tray: Tray, helpdesk: Board) -> None:
    token = tray.token()
    instance, refusal = tray.accepted(token), tray.accepted(token, title="Mouse")
    TokenUse.objects.update(expires_at=timezone.now() - timedelta(days=2))
    assert forget_used_tokens() == 2
    assert tray.status(instance, tray.token())["status"] == "success"
    refused(tray.ask(refusal, tray.token()), 404)
