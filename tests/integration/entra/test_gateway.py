"""AUTH_MODE=gateway: a name in a header counts only after the gateway has proven itself."""

import base64
import hashlib
from io import BytesIO
from urllib.parse import quote

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from pytest_django import Settings

from accounts.callers import TrayCaller, tray_caller
from supporthub.integrations.entra.errors import KeysUnavailable, TokenRefused, UpnMissing
from tests.integration.entra.conftest import Entra, call
from tests.sandbox.client import rule
from tests.sandbox.entra.seeds import CONTOSO, GATEWAY_APP, TRAY_APP

SECRETS = ["the-gateways-new-secret", "the-gateways-old-secret"]
HASH = hashlib.sha256(b"ann:1").hexdigest()
DER = b"0\x82 not a real certificate, and only its digest counts"
ANN = {"x_user_upn": "Ann.Baker@Contoso.example", "x_auth_hash": HASH}


@pytest.fixture
def gateway(entra: Entra, settings: Settings) -> Entra:
    settings.AUTH_MODE = "gateway"
    settings.GATEWAY_APP_IDS = frozenset({GATEWAY_APP})
    settings.GATEWAY_SECRET_HEADER = "X-Gateway-Key"
    settings.GATEWAY_SECRETS = SECRETS
    settings.GATEWAY_CERT_HEADER = "X-Client-Cert"
    settings.GATEWAY_CERT_FINGERPRINTS = frozenset({hashlib.sha256(DER).hexdigest()})
    return entra


def refusal(request: HttpRequest) -> str:
    with pytest.raises(TokenRefused) as caught:
        tray_caller(request)
    assert caught.value.status == 401
    return caught.value.code


def test_gateways_own_token_lets_its_headers_count(gateway: Entra) -> None:
    for version in (1, 2):
        caller = tray_caller(call(gateway.token(app=GATEWAY_APP, version=version), **ANN))
        assert (caller.tenant_id, caller.object_id) == (CONTOSO, None)
        assert caller.upn == "ann.baker@contoso.example"
        assert caller.organisation == gateway.organisation
        assert not caller.has_expired


@pytest.mark.parametrize("secret", SECRETS)
def test_either_secret_lets_headers_count(gateway: Entra, secret: str) -> None:
    assert tray_caller(call(x_gateway_key=secret, **ANN)).upn == "ann.baker@contoso.example"
    assert gateway.fetches() == 0


@pytest.mark.parametrize(
    "header",
    [
        hashlib.sha256(DER).hexdigest(),
        hashlib.sha256(DER).hexdigest().upper(),
        base64.b64encode(DER).decode(),
        f":{base64.b64encode(DER).decode()}:",
        quote(f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(DER).decode()}-----END CERTIFICATE-----\n"),
    ],
    ids=["digest", "upper", "base64", "rfc9440", "pem"],
)
def test_certificate_that_the_front_server_saw_lets_headers_count(gateway: Entra, header: str) -> None:
    assert tray_caller(call(x_client_cert=header, **ANN)).upn == "ann.baker@contoso.example"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_gateway_key": ""},
        {"x_gateway_key": "guess"},
        {"x_gateway_key": SECRETS[0] + "," + SECRETS[0]},
        {"x_client_cert": base64.b64encode(b"another").decode()},
        {"x_client_cert": "%%%"},
        {"x_client_cert": ""},
    ],
    ids=str,
)
def test_nobody_passes_for_the_gateway(gateway: Entra, headers: dict[str, str]) -> None:
    assert refusal(call(**ANN, **headers)) == "gateway_not_proven"


def test_empty_secret_in_the_settings_lets_nobody_in(gateway: Entra, settings: Settings) -> None:
    settings.GATEWAY_SECRETS = [""]
    assert refusal(call(x_gateway_key="", **ANN)) == "gateway_not_proven"
    assert refusal(call(**ANN)) == "gateway_not_proven"


def test_persons_own_token_does_not_open_the_door_for_a_header(gateway: Entra) -> None:
    assert refusal(call(gateway.token(), **ANN)) == "gateway_not_proven"
    assert refusal(call(gateway.token(client_id=GATEWAY_APP), **ANN)) == "gateway_not_proven"


def test_another_apps_token_is_refused(gateway: Entra) -> None:
    assert refusal(call(gateway.token(app=TRAY_APP), **ANN)) == "gateway_not_proven"


def test_gateways_token_is_checked_like_every_token(gateway: Entra) -> None:
    assert refusal(call(gateway.token(app=GATEWAY_APP, alg="none"), **ANN)) == "wrong_algorithm"
    assert refusal(call(gateway.token(app=GATEWAY_APP, issued=-7200, lifetime=3600), **ANN)) == "token_expired"
    assert refusal(call(gateway.token(app=GATEWAY_APP, claims={"aud": "api://other"}), **ANN)) == "wrong_audience"


def test_keys_out_of_reach_are_an_outage(gateway: Entra) -> None:
    token = gateway.token(app=GATEWAY_APP)
    gateway.control.faults(rule("status", path="/discovery/", status=500))
    with pytest.raises(KeysUnavailable):
        tray_caller(call(token, **ANN))


@pytest.mark.parametrize(
    "upn",
    [
        "",
        "ann",
        "ann@contoso",
        "ann@contoso.example,eve@contoso.example",
        "ann baker@contoso.example",
        "a@b.c@d.e",
        "ann@contoso.example;",
        "<ann@contoso.example>",
        "änn@contoso.example",
        "a" * 129 + "@contoso.example",
    ],
)
def test_malformed_names_are_a_bad_request(gateway: Entra, upn: str) -> None:
    with pytest.raises(UpnMissing) as caught:
        tray_caller(call(x_gateway_key=SECRETS[0], x_user_upn=upn, x_auth_hash=HASH))
    assert caught.value.code == "upn_missing"


@pytest.mark.parametrize("upn", ["pat.o'brien@contoso.example", "zoe_fabrikam.example#EXT#@contoso.onmicrosoft.com"])
def test_unusual_names_of_entra_are_right(gateway: Entra, upn: str) -> None:
    assert tray_caller(call(x_gateway_key=SECRETS[0], x_user_upn=upn, x_auth_hash=HASH)).upn == upn.lower()


@pytest.mark.parametrize("given", ["", HASH.upper(), "xyz", f"{HASH},{HASH}", "a" * 200])
def test_auth_hash_must_be_lower_case_hexadecimal(gateway: Entra, given: str) -> None:
    assert refusal(call(x_gateway_key=SECRETS[0], x_user_upn="a@b.example", x_auth_hash=given)) == "bad_auth_hash"


def test_scope_is_the_pair_of_name_and_hash(gateway: Entra) -> None:
    def scope(upn: str, digest: str) -> str:
        return tray_caller(call(x_gateway_key=SECRETS[0], x_user_upn=upn, x_auth_hash=digest)).scope_key

    other = hashlib.sha256(b"ann:2").hexdigest()
    assert scope("ann@b.example", HASH) == scope("ANN@b.example", HASH)
    assert len({scope("ann@b.example", HASH), scope("eve@b.example", HASH), scope("ann@b.example", other)}) == 3


def from_wire(*headers: tuple[bytes, bytes]) -> HttpRequest:
    """A request as it comes through the ASGI server."""
    scope = {"type": "http", "method": "POST", "path": "/api/tickets", "query_string": b"", "headers": list(headers)}
    return ASGIRequest(scope, BytesIO())


def _called(*headers: tuple[bytes, bytes]) -> TrayCaller:
    return tray_caller(from_wire((b"x-auth-hash", HASH.encode()), *headers))


def test_names_with_underscores_do_not_pass_for_the_hyphenated_ones(gateway: Entra) -> None:
    ann, key = (b"x-user-upn", b"ann@contoso.example"), (b"x-gateway-key", SECRETS[0].encode())
    assert _called(ann, key, (b"x_user_upn", b"eve@contoso.example")).upn == "ann@contoso.example"
    with pytest.raises(TokenRefused):
        _called(ann, (b"x_gateway_key", SECRETS[0].encode()))
    with pytest.raises(UpnMissing):
        _called(key, (b"x_user_upn", b"eve@contoso.example"))


def test_repeated_headers_are_refused(gateway: Entra) -> None:
    ann, key = (b"x-user-upn", b"ann@contoso.example"), (b"x-gateway-key", SECRETS[0].encode())
    with pytest.raises(UpnMissing):
        _called(key, ann, (b"x-user-upn", b"eve@contoso.example"))
    with pytest.raises(TokenRefused):
        _called(ann, key, (b"x-gateway-key", b"guess"))


def test_gateway_headers_mean_nothing_in_jwt_mode(gateway: Entra, settings: Settings) -> None:
    settings.AUTH_MODE = "jwt"
    assert refusal(call(x_gateway_key=SECRETS[0], **ANN)) == "token_missing"
    assert refusal(call(gateway.token(app=GATEWAY_APP), **ANN)) == "app_only_token"
