"""Every wrong token is refused, with a code that says why; nothing else gets in."""

import base64
import json
from typing import Any

import pytest
from django.test import RequestFactory

from accounts.callers import tray_caller
from supporthub.integrations.entra.errors import ScopeMissing, TokenRefused, UpnMissing
from tests.integration.entra.conftest import Entra, call
from tests.sandbox.entra.seeds import CONTOSO, FABRIKAM, GATEWAY_APP, HUB_APP, oid

HOUR = 3600
GRAPH = "https://graph.microsoft.com"


@pytest.mark.parametrize("version", [1, 2])
def test_right_token_names_its_person(entra: Entra, version: int) -> None:
    caller = tray_caller(call(entra.token(version=version)))
    assert (caller.tenant_id, caller.object_id) == (CONTOSO, oid(1))
    assert (caller.upn, caller.name) == ("ann.baker@contoso.example", "Ann Baker")
    assert caller.organisation == entra.organisation
    assert not caller.has_expired
    assert len(caller.scope_key) == 64


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"issued": -2 * HOUR, "lifetime": HOUR}, "token_expired"),
        ({"issued": HOUR}, "token_not_yet_valid"),
        ({"lifetime": 31 * HOUR}, "token_lives_too_long"),
        ({"alg": "none"}, "wrong_algorithm"),
        ({"alg": "HS256"}, "wrong_algorithm"),
        ({"alg": "RS512"}, "wrong_algorithm"),
        ({"alg": "PS256"}, "wrong_algorithm"),
        ({"alg": "HS256", "header": {"alg": "RS256"}}, "wrong_signature"),
        ({"alg": "none", "header": {"alg": "RS256"}}, "wrong_signature"),
        ({"alg": "RS512", "header": {"alg": "RS256"}}, "wrong_signature"),
        ({"key": "stranger"}, "unknown_key"),
        ({"header": {"kid": None}}, "token_malformed"),
        ({"header": {"typ": "logout+jwt"}}, "token_malformed"),
        ({"header": {"crit": ["b64"]}}, "token_malformed"),
        ({"resource": GRAPH}, "graph_token"),
        ({"claims": {"aud": "00000003-0000-0000-c000-000000000000"}}, "graph_token"),
        ({"claims": {"aud": "https://contoso.sharepoint.com"}}, "graph_token"),
        ({"header": {"nonce": "x"}}, "graph_token"),
        ({"claims": {"aud": "api://another"}}, "wrong_audience"),
        ({"version": 1, "claims": {"aud": HUB_APP}}, "wrong_audience"),
        ({"version": 2, "claims": {"aud": f"api://{HUB_APP}"}}, "wrong_audience"),
        ({"claims": {"aud": [f"api://{HUB_APP}"]}}, "wrong_audience"),
        ({"claims": {"aud": None}}, "wrong_audience"),
        ({"person": "zoe.angstrom@fabrikam.example"}, "wrong_tenant"),
        ({"claims": {"tid": "../common"}}, "token_malformed"),
        ({"claims": {"iss": f"https://sts.windows.net/{FABRIKAM}/"}}, "wrong_issuer"),
        ({"claims": {"iss": "https://evil.example/"}}, "wrong_issuer"),
        ({"claims": {"ver": "2.0"}}, "wrong_issuer"),
        ({"claims": {"exp": None}}, "token_malformed"),
        ({"claims": {"nbf": None}}, "token_malformed"),
        ({"claims": {"iat": None}}, "token_malformed"),
        ({"claims": {"iss": None}}, "wrong_issuer"),
        ({"claims": {"tid": None}}, "token_malformed"),
        ({"claims": {"oid": None}}, "token_malformed"),
        ({"claims": {"exp": "tomorrow"}}, "token_malformed"),
        ({"claims": {"scp": ["Tickets.Submit"]}}, "token_malformed"),
        ({"app": GATEWAY_APP}, "app_only_token"),
        ({"claims": {"idtyp": "app"}}, "app_only_token"),
    ],
    ids=str,
)
def test_wrong_token_is_refused(entra: Entra, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        tray_caller(call(entra.token(**asked)))
    assert (caught.value.code, caught.value.status) == (code, 401)


def test_token_signed_with_a_strangers_key_under_a_published_id_is_refused(entra: Entra) -> None:
    kid = entra.calls.keys()[0]
    with pytest.raises(TokenRefused) as caught:
        tray_caller(call(entra.token(key="stranger", header={"kid": kid})))
    assert caught.value.code == "wrong_signature"


def test_key_of_another_tenant_does_not_sign_for_ours(entra: Entra) -> None:
    tray_caller(call(entra.token()))
    foreign = entra.calls.keys(FABRIKAM)[0]
    with pytest.raises(TokenRefused, match="key"):
        tray_caller(call(entra.token(key=foreign)))


def test_token_with_another_persons_claims_is_refused(entra: Entra) -> None:
    header, payload, signature = entra.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = base64.urlsafe_b64encode(json.dumps({**claims, "oid": oid(2)}).encode()).decode().rstrip("=")
    with pytest.raises(TokenRefused) as caught:
        tray_caller(call(f"{header}.{changed}.{signature}"))
    assert caught.value.code == "wrong_signature"


@pytest.mark.parametrize("seconds", [-59, 0, 59])
def test_clocks_may_differ_by_a_minute(entra: Entra, seconds: int) -> None:
    assert tray_caller(call(entra.token(issued=seconds))).object_id == oid(1)
    assert tray_caller(call(entra.token(issued=seconds - HOUR, lifetime=HOUR + 5))).object_id == oid(1)


def test_expired_token_still_names_its_person_when_that_is_asked(entra: Entra) -> None:
    caller = tray_caller(call(entra.token(issued=-2 * HOUR, lifetime=HOUR)), allow_expired=True)
    assert caller.has_expired
    assert caller.object_id == oid(1)
    with pytest.raises(TokenRefused) as caught:
        tray_caller(call(entra.token(issued=-2 * HOUR, lifetime=HOUR, key="stranger")), allow_expired=True)
    assert caught.value.code == "unknown_key"


def test_missing_scope_is_said_as_such(entra: Entra) -> None:
    for scopes in ([], ["tickets.submit"], ["Tickets.SubmitAll"]):
        with pytest.raises(ScopeMissing) as caught:
            tray_caller(call(entra.token(scopes=scopes, claims={"idtyp": "user"})))
        assert caught.value.status == 403


def test_token_without_any_name_is_a_bad_request(entra: Entra) -> None:
    with pytest.raises(UpnMissing) as caught:
        tray_caller(call(entra.token(claims={"upn": None, "preferred_username": None})))
    assert (caught.value.code, caught.value.status) == ("upn_missing", 400)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer a.b.c,Bearer a.b.c", "Token a.b.c"]
)
def test_anything_but_one_bearer_token_is_refused(entra: Entra, header: str) -> None:
    request = RequestFactory().post("/api/tickets", HTTP_AUTHORIZATION=header)
    with pytest.raises(TokenRefused) as caught:
        tray_caller(request)
    assert caught.value.code == "token_missing"


def test_token_in_the_address_is_not_looked_at(entra: Entra) -> None:
    request = RequestFactory().post(f"/api/tickets?access_token={entra.token()}")
    with pytest.raises(TokenRefused) as caught:
        tray_caller(request)
    assert caught.value.code == "token_missing"


@pytest.mark.parametrize("raw", ["x", "a.b", "a.b.c.d", "....", "é.é.é", "e30.e30.e30", "bnVsbA.e30.x", "A" * 20_000])
def test_what_is_no_token_is_refused_without_asking_entra(entra: Entra, raw: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        tray_caller(call(raw))
    assert caught.value.code in {"token_malformed", "wrong_algorithm"}
    assert entra.fetches() == 0


def test_respelled_token_is_the_same_token(entra: Entra) -> None:
    token = entra.token()
    first = tray_caller(call(token))
    stem, last = token[:-1], token[-1]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    stray = stem + letters[letters.index(last) | 1]  # the last character's low bits mean nothing
    for respelled in (stray, token + "==", token.replace(".", "=.", 1)):
        assert respelled != token
        assert tray_caller(call(respelled)).scope_key == first.scope_key


def test_person_header_means_nothing_beside_a_token(entra: Entra) -> None:
    caller = tray_caller(call(entra.token(), x_user_upn="zoe@contoso.example", x_auth_hash="ab" * 32))
    assert caller.upn == "ann.baker@contoso.example"
    with pytest.raises(TokenRefused):
        tray_caller(call(None, x_user_upn="ann.baker@contoso.example", x_auth_hash="ab" * 32))
