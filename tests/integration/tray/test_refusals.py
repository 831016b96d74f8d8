"""Every wrong call ends in a plain answer, and in nothing else: no ticket, no used-up token."""

import base64
import json
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import AuditEntry, AuditText, TokenUse
from directory.models import Person
from supporthub.core import hurry
from supporthub.integrations.entra.keys import shelf
from tests.integration.tray.conftest import Tray, refused
from tests.sandbox.client import rule
from tests.sandbox.entra.seeds import CONTOSO, FABRIKAM, GATEWAY_APP, HUB_APP
from tickets.api.tray.throttling import TrayThrottle
from tickets.models import Board, Ticket, TraySubmission

pytestmark = pytest.mark.django_db
HOUR = 3600
WRONG: list[dict[str, Any]] = [
    {"issued": -2 * HOUR, "lifetime": HOUR},
    {"issued": HOUR},
    {"alg": "none"},
    {"alg": "none", "header": {"alg": "RS256"}},
    {"alg": "HS256"},
    {"alg": "HS256", "header": {"alg": "RS256"}},
    {"alg": "RS512"},
    {"key": "stranger"},
    {"header": {"kid": None}},
    {"resource": "https://graph.microsoft.com"},
    {"claims": {"aud": "api://another"}},
    {"version": 2, "claims": {"aud": f"api://{HUB_APP}"}},
    {"person": "zoe.angstrom@fabrikam.example"},
    {"claims": {"iss": f"https://sts.windows.net/{FABRIKAM}/"}},
    {"claims": {"tid": "../common"}},
    {"claims": {"exp": None}},
    {"claims": {"scp": None}},
    {"scopes": []},
    {"scopes": ["Tickets.Read"]},
    {"app": GATEWAY_APP},
]


def nothing_happened() -> None:
    assert not Ticket.objects.exists()
    assert not TokenUse.objects.exists()
    assert not TraySubmission.objects.exists()
    assert not Person.objects.exists()


@pytest.mark.parametrize("asked", WRONG, ids=str)
def test_wrong_token_is_refused_by_both_calls(tray: Tray, helpdesk: Board, asked: dict[str, Any]) -> None:
    token = tray.token(**asked)
    submitted = tray.submit(token)
    refused(submitted, 401)
    assert submitted.headers["WWW-Authenticate"].startswith("Bearer")
    asked_for = tray.ask("0d9e2c516a474b389f20000000000001", token)
    refused(asked_for, 401)
    nothing_happened()


def test_token_signed_by_a_stranger_under_our_key_id_is_refused(tray: Tray, helpdesk: Board) -> None:
    refused(tray.submit(tray.token(key="stranger", header={"kid": tray.entra.calls.keys()[0]})), 401)
    nothing_happened()


def test_token_whose_claims_were_changed_is_refused(tray: Tray, helpdesk: Board) -> None:
    header, payload, signature = tray.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    other = base64.urlsafe_b64encode(json.dumps({**claims, "upn": "eve@contoso.example"}).encode()).decode().rstrip("=")
    refused(tray.submit(f"{header}.{other}.{signature}"), 401)
    nothing_happened()


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer  ", "Basic YTpi", "Bearer x", "Bearer a.b.c", "Bearer a.b.c,Bearer a.b.c"]
)
def test_anything_but_a_token_is_refused(tray: Tray, helpdesk: Board, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    refused(tray.submit(headers=headers), 401)
    refused(tray.ask("x", headers=headers), 401)
    nothing_happened()


def test_names_in_headers_count_nothing_beside_tokens(tray: Tray, helpdesk: Board) -> None:
    named = {"X-User-UPN": "ann.baker@contoso.example", "X-Auth-Hash": "ab" * 32}
    refused(tray.submit(headers=named), 401)
    nothing_happened()


def test_token_without_a_name_is_a_bad_request(tray: Tray, helpdesk: Board) -> None:
    token = tray.token(claims={"upn": None, "preferred_username": None})
    refused(tray.submit(token), 400)
    refused(tray.ask("x", token), 400)
    nothing_happened()


def test_flood_of_made_up_key_ids_fetches_keys_once(tray: Tray, helpdesk: Board) -> None:
    tray.accepted(tray.token())
    before = tray.entra.fetches("/discovery/")
    token = tray.token(key="stranger")
    for _ in range(30):
        refused(tray.submit(token), 401)
    assert tray.entra.fetches("/discovery/") - before <= 1
    assert Ticket.objects.count() == 1


def test_unreachable_keys_ask_to_come_again_and_lose_nothing(tray: Tray, helpdesk: Board) -> None:
    token = tray.token()
    tray.entra.control.faults(rule("status", status=503, path="(discovery|openid-configuration)"))
    answer = tray.submit(token)
    assert "Entra" in refused(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    refused(tray.ask("0d9e2c516a474b389f20000000000001", token), 503)
    nothing_happened()
    tray.entra.control.clear_faults()
    shelf.drop(f"failed:{tray.entra.process.entra_url}:{CONTOSO}")  # two seconds have passed
    assert tray.status(tray.accepted(token), token)["status"] == "success"


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"title": ""}, "title"),
        ({"title": " \t"}, "title"),
        ({"description": "\x00\n"}, "description"),
        ({"title": ["one", "two"]}, "title"),
        ({"description": "x" * 200_001}, "description"),
    ],
)
def test_form_that_lacks_something_is_refused_by_name(
    tray: Tray, helpdesk: Board, fields: dict[str, Any], names: str
) -> None:
    token = tray.token()
    assert refused(tray.submit(token, **fields), 400).startswith(f"{names}: ")
    nothing_happened()
    tray.accepted(token)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=b"),
        (b"--b\r\nContent-Disposition: form-data; na", "multipart/form-data; boundary=b"),
        (b"x", "multipart/form-data"),
        (b"x", 'multipart/form-data; boundary="' + "b" * 300 + '"'),
        (b'{"title": "Printer", "description": "It smokes."}', "application/json"),
        (b"title=Printer&description=It+smokes.", "text/plain"),
        (b"title=Printer", "application/x-www-form-urlencoded"),
        (b"--b--\r\n", "multipart/form-data; boundary=b"),
        (b"&".join(b"a=b" for _ in range(1100)), "application/x-www-form-urlencoded"),
    ],
    ids=str,
)
def test_body_that_is_no_form_is_refused(tray: Tray, helpdesk: Board, body: bytes, kind: str) -> None:
    token = tray.token()
    headers = {"Authorization": f"Bearer {token}"}
    refused(tray.http.generic("POST", "/api/tickets", body, content_type=kind, headers=headers), 400)
    nothing_happened()
    tray.accepted(token)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/tickets"), ("PUT", "/api/tickets"), ("OPTIONS", "/api/tickets"), ("POST", "/api/checkstatus"),
        ("DELETE", "/api/checkstatus"),
    ],
)  # fmt: skip
def test_other_methods_are_not_offered(tray: Tray, method: str, path: str) -> None:
    answer = tray.http.generic(method, path)
    refused(answer, 405)
    assert answer.headers["Allow"] == ("POST" if path.endswith("tickets") else "GET")


@pytest.mark.parametrize("path", ["/api/tickets", "/api/checkstatus"])
def test_switched_off_the_calls_are_not_there(tray: Tray, helpdesk: Board, settings: Settings, path: str) -> None:
    settings.TRAY_API = False
    for method in ("GET", "POST"):
        headers = {"Authorization": f"Bearer {tray.token()}"}
        answer = tray.http.generic(method, path, headers=headers)
        unknown = tray.http.generic(method, "/api/nowhere", headers=headers)
        assert (answer.status_code, answer.content) == (unknown.status_code, unknown.content)
        assert answer.status_code == 404
    nothing_happened()


@pytest.mark.parametrize("path", ["/api/tickets/", "/api/checkstatus/"])
def test_with_a_slash_they_are_other_addresses(tray: Tray, path: str) -> None:
    assert tray.http.get(path).status_code == 404


def test_without_a_board_nothing_is_accepted_and_the_token_is_kept(tray: Tray) -> None:
    token = tray.token()
    assert refused(tray.submit(token), 400).startswith("board: ")
    nothing_happened()


def test_organisation_that_is_switched_off_takes_no_tickets(tray: Tray, helpdesk: Board) -> None:
    token, home = tray.token(), tray.entra.organisation
    home.is_active = False
    home.save()
    refused(tray.submit(token), 403)
    nothing_happened()
    home.is_active = True
    home.save()
    tray.accepted(token)


def test_refused_submission_is_recorded_with_the_address_beside_the_sealed_part(tray: Tray, helpdesk: Board) -> None:
    refused(tray.submit(tray.token(issued=-2 * HOUR, lifetime=HOUR)), 401)
    refused(tray.ask("x", tray.token(alg="none")), 401)  # only asked
    (entry,) = AuditEntry.objects.filter(action__startswith="tray.")
    assert (entry.action, entry.actor_kind, entry.data) == ("tray.refused", "system", {"code": "token_expired"})
    assert AuditText.objects.get(pk=entry.pk).texts == {"address": "127.0.0.1"}


def test_caller_is_slowed_down_by_themselves(tray: Tray, helpdesk: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TrayThrottle.THROTTLE_RATES, "tray", "3/min")
    token = tray.token()
    instance = tray.accepted(token)
    for _ in range(2):
        tray.status(instance, token)
    answer = tray.ask(instance, token)
    refused(answer, 429)
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    refused(tray.submit(token), 429)
    tray.accepted(tray.token(person="joerg.mueller@contoso.example"))


def test_refused_calls_slow_down_their_address_and_nobody_who_is_proven(
    tray: Tray, helpdesk: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TrayThrottle.THROTTLE_RATES, "tray", "3/min")
    for _ in range(3):
        refused(tray.submit("a.b.c"), 401)
    refused(tray.submit("a.b.c"), 429)
    refused(tray.ask("x", "a.b.c"), 429)
    assert AuditEntry.objects.filter(action="tray.refused").count() == 3
    tray.accepted(tray.token())
    hurry.flush()
