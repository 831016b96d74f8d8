"""The played Entra, by the public client library and by hand."""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from msal import ConfidentialClientApplication  # type: ignore[import-untyped]

from tests.sandbox.client import SandboxProcess, rule
from tests.sandbox.entra.seeds import CONTOSO, FABRIKAM, HUB_APP, LEADS_GROUP, oid

BACK = "http://127.0.0.1:9/callback/"


class LoopbackHttp:
    """What the library needs of a transport: it insists on https, the sandbox speaks http on loopback."""

    def get(self, url: str, params: Any = None, headers: Any = None, **_more: Any) -> Any:
        return self._secure(httpx.get(_plain(url), params=params, headers=headers, trust_env=False))

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_more: Any) -> Any:
        # Assertions come as bytes, which this library would write as their repr.
        form = {name: value.decode() if isinstance(value, bytes) else value for name, value in (data or {}).items()}
        return self._secure(httpx.post(_plain(url), params=params, data=form, headers=headers, trust_env=False))

    def close(self) -> None:
        """Nothing is kept open."""

    def _secure(self, answer: httpx.Response) -> httpx.Response:
        text = answer.text.replace("http://127.0.0.1", "https://127.0.0.1")
        return httpx.Response(answer.status_code, text=text, request=answer.request)


def _plain(url: str) -> str:
    return url.replace("https://", "http://", 1)


def application(sandbox: SandboxProcess, credential: Any) -> ConfidentialClientApplication:
    authority = f"{sandbox.entra_url}/{CONTOSO}".replace("http://", "https://")
    return ConfidentialClientApplication(
        HUB_APP, client_credential=credential, authority=authority, instance_discovery=False, http_client=LoopbackHttp()
    )


@pytest.fixture
def entra(sandbox: SandboxProcess) -> Iterator[httpx.Client]:
    base = f"{sandbox.entra_url}/{CONTOSO}"
    with httpx.Client(base_url=base, timeout=10, trust_env=False, follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="module")
def certificate() -> tuple[str, str]:
    """A private key and its certificate, both in PEM."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    pem = built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), pem


def checked(sandbox: SandboxProcess, token: str, version: int, **options: Any) -> dict[str, Any]:
    """The token's claims by the published key, as a library reads the set."""
    infix = "v2.0/" if version == 2 else ""
    answer = httpx.get(f"{sandbox.entra_url}/{CONTOSO}/discovery/{infix}keys", trust_env=False)
    found = jwt.PyJWKSet.from_dict(answer.json())
    key = found[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key.key, algorithms=["RS256"], **options)


def test_documents_of_both_versions_name_issuer_and_keys(sandbox: SandboxProcess, entra: httpx.Client) -> None:
    v2 = entra.get("/v2.0/.well-known/openid-configuration").json()
    v1 = entra.get("/.well-known/openid-configuration").json()
    assert v2["issuer"] == f"{sandbox.entra_url}/{CONTOSO}/v2.0"
    assert v1["issuer"] == f"https://sts.windows.net/{CONTOSO}/"
    for document in (v1, v2):
        keys = httpx.get(document["jwks_uri"], trust_env=False).json()["keys"]
        assert len(keys) == 2
        assert all("alg" not in key and key["issuer"] == document["issuer"] for key in keys)


def test_unknown_tenant_is_refused_in_entras_words(sandbox: SandboxProcess) -> None:
    answer = httpx.get(f"{sandbox.entra_url}/nobody.example/v2.0/.well-known/openid-configuration", trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["error_codes"] == [90002]


@pytest.mark.parametrize(("version", "audience"), [(1, f"api://{HUB_APP}"), (2, HUB_APP)])
def test_minted_tokens_hold_in_both_versions(sandbox: SandboxProcess, version: int, audience: str) -> None:
    token = sandbox.control.entra.token(version=version)
    issuer = f"https://sts.windows.net/{CONTOSO}/" if version == 1 else f"{sandbox.entra_url}/{CONTOSO}/v2.0"
    claims = checked(sandbox, token, version, audience=audience, issuer=issuer)
    assert (claims["oid"], claims["scp"]) == (oid(1), "Tickets.Submit")
    assert claims["upn" if version == 1 else "preferred_username"] == "ann.baker@contoso.example"


def test_rotated_key_signs_and_withdrawn_key_is_gone(sandbox: SandboxProcess, entra: httpx.Client) -> None:
    old = sandbox.control.entra.keys()
    new = sandbox.control.entra.rotate()
    assert sandbox.control.entra.keys() == [new, *old]
    assert sandbox.control.entra.mint()["header"]["kid"] == new
    sandbox.control.entra.withdraw(old[0])
    shown = {key["kid"] for key in entra.get("/discovery/v2.0/keys").json()["keys"]}
    assert shown == {new, old[1]}
    assert sandbox.control.entra.mint(key=old[0])["header"]["kid"] == old[0]


def test_library_signs_in_with_secret_pkce_and_nonce(sandbox: SandboxProcess) -> None:
    app = application(sandbox, sandbox.entra_settings["ENTRA_CLIENT_SECRET"])
    flow = app.initiate_auth_code_flow([f"api://{HUB_APP}/Tickets.Submit"], redirect_uri=BACK)
    page = httpx.get(_plain(flow["auth_uri"]), trust_env=False)
    assert "Mia Novak" in page.text
    assert "set-cookie" not in page.headers
    chosen = httpx.get(_plain(flow["auth_uri"]), params=_query(flow, sandbox_person="mia@hub.example"), trust_env=False)
    given = {name: values[0] for name, values in parse_qs(urlsplit(chosen.headers["location"]).query).items()}
    result = app.acquire_token_by_auth_code_flow(flow, given)
    claims = result["id_token_claims"]
    assert (claims["oid"], claims["tid"], claims["roles"]) == (oid(6), CONTOSO, ["Hub.Lead"])
    assert LEADS_GROUP in claims["groups"]
    renewed = app.acquire_token_silent(
        [f"api://{HUB_APP}/Tickets.Submit"], account=app.get_accounts()[0], force_refresh=True
    )
    assert "access_token" in renewed


def _query(flow: dict[str, Any], **more: str) -> dict[str, str]:
    asked = {name: values[0] for name, values in parse_qs(urlsplit(flow["auth_uri"]).query).items()}
    return {**asked, **more}


def test_library_proves_itself_by_both_kinds_of_assertion(
    sandbox: SandboxProcess, certificate: tuple[str, str]
) -> None:
    private, pem = certificate
    sandbox.control.entra.add_certificate(HUB_APP, pem)
    sha1 = x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA1()).hex()  # noqa: S303  (what x5t holds)
    for credential in (
        {"private_key": private, "public_certificate": pem},
        {"private_key": private, "thumbprint": sha1},
    ):
        result = application(sandbox, credential).acquire_token_for_client([f"api://{HUB_APP}/.default"])
        claims = checked(sandbox, result["access_token"], 1, audience=f"api://{HUB_APP}")
        assert claims["idtyp"] == "app"
        assert claims["oid"] == claims["sub"]
        assert "scp" not in claims


def test_assertion_by_an_unregistered_certificate_is_refused(
    sandbox: SandboxProcess, certificate: tuple[str, str]
) -> None:
    credential = {"private_key": certificate[0], "public_certificate": certificate[1]}
    result = application(sandbox, credential).acquire_token_for_client([f"api://{HUB_APP}/.default"])
    assert result["error_codes"] == [700027]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"client_secret": "guess"}, 7000215),
        ({"client_secret": None}, 7000218),
        ({"client_id": "11111111-2222-3333-4444-555555555555"}, 700016),
        ({"scope": "User.Read"}, 1002012),
        ({"scope": "https://unknown.example/.default"}, 500011),
        ({"grant_type": "password"}, 70003),
        ({"grant_type": None}, 900144),
    ],
)
def test_wrong_token_requests_have_entras_numbers(
    sandbox: SandboxProcess, entra: httpx.Client, changed: dict[str, str | None], code: int
) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": HUB_APP,
        "client_secret": sandbox.entra_settings["ENTRA_CLIENT_SECRET"],
        "scope": f"api://{HUB_APP}/.default",
        **changed,
    }
    answer = entra.post("/oauth2/v2.0/token", data={name: value for name, value in form.items() if value is not None})
    assert answer.status_code in {400, 401}
    assert answer.json()["error_codes"] == [code]
    assert f"AADSTS{code}" in answer.json()["error_description"]


def _code(entra: httpx.Client, verifier: str = "v" * 43, **more: str) -> httpx.Response:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": HUB_APP, "response_type": "code", "redirect_uri": BACK, "scope": "openid", "state": "s1",
        "nonce": "n1", "code_challenge": challenge, "code_challenge_method": "S256", "sandbox_person": oid(5), **more,
    }  # fmt: skip
    return entra.get("/oauth2/v2.0/authorize", params=asked)


def _redeem(sandbox: SandboxProcess, entra: httpx.Client, code: str, **more: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code", "client_id": HUB_APP, "code": code, "redirect_uri": BACK,
        "client_secret": sandbox.entra_settings["ENTRA_CLIENT_SECRET"], "code_verifier": "v" * 43, **more,
    }  # fmt: skip
    return entra.post("/oauth2/v2.0/token", data=form)


def _given(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def test_code_is_bound_to_verifier_address_and_one_use(sandbox: SandboxProcess, entra: httpx.Client) -> None:
    given = _given(_code(entra))
    assert given["state"] == "s1"
    assert _redeem(sandbox, entra, given["code"], code_verifier="w" * 43).json()["error_codes"] == [501481]
    assert _redeem(sandbox, entra, given["code"], redirect_uri=BACK + "x").json()["error_codes"] == [500112]
    bought = _redeem(sandbox, entra, given["code"]).json()
    assert jwt.decode(bought["id_token"], options={"verify_signature": False})["nonce"] == "n1"
    assert _redeem(sandbox, entra, given["code"]).json()["error_codes"] == [54005]


def test_address_outside_of_this_machine_gets_nobody(entra: httpx.Client) -> None:
    answer = _code(entra, redirect_uri="https://evil.example/")
    assert answer.status_code == 400
    assert "AADSTS50011" in answer.text


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"sandbox_person": "nobody"}, "access_denied"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_refusals_go_back_to_the_client_with_its_state(entra: httpx.Client, more: dict[str, str], error: str) -> None:
    given = _given(_code(entra, **more))
    assert (given["error"], given["state"]) == (error, "s1")


def test_person_of_another_tenant_cannot_be_chosen(entra: httpx.Client) -> None:
    assert _code(entra, sandbox_person="zoe.angstrom@fabrikam.example").status_code == 400


def test_sign_out_goes_back_where_it_was_asked(entra: httpx.Client) -> None:
    answer = entra.get("/oauth2/v2.0/logout", params={"post_logout_redirect_uri": BACK})
    assert (answer.status_code, answer.headers["location"]) == (302, BACK)
    answer = entra.get("/oauth2/v2.0/logout", params={"post_logout_redirect_uri": "https://evil.example/"})
    assert answer.status_code == 400


def test_tokens_are_minted_only_with_the_secret(sandbox: SandboxProcess) -> None:
    for address in ("tokens", "keys", "state"):
        answer = httpx.post(f"{sandbox.base_url}/_control/entra/{address}", json={}, trust_env=False)
        assert answer.status_code in {403, 405}
    assert sandbox.control.entra.state()["issued"] == 0


def test_graph_token_does_not_hold_by_ordinary_checking(sandbox: SandboxProcess) -> None:
    token = sandbox.control.entra.token(resource="https://graph.microsoft.com")
    assert "nonce" in jwt.get_unverified_header(token)
    with pytest.raises(jwt.InvalidSignatureError):
        checked(sandbox, token, 1, audience="https://graph.microsoft.com")


def test_faults_reach_keys_discovery_and_tokens(sandbox: SandboxProcess, entra: httpx.Client) -> None:
    sandbox.control.faults(
        rule("status", path="openid-configuration$", status=503),
        rule("429", path="/discovery/", retry_after=7),
        rule("drop_before", path="/oauth2/v2.0/token$"),
    )
    assert entra.get("/v2.0/.well-known/openid-configuration").status_code == 503
    assert entra.get("/discovery/v2.0/keys").headers["retry-after"] == "7"
    with pytest.raises(httpx.RemoteProtocolError):
        entra.post("/oauth2/v2.0/token", data={"grant_type": "x"})


def test_people_are_renamed_and_leave(sandbox: SandboxProcess) -> None:
    entra = sandbox.control.entra
    renamed = entra.put_person("ann.baker@contoso.example", upn="ann.smith@contoso.example")
    assert renamed["oid"] == oid(1)
    made = entra.put_person("ann.baker@contoso.example", tenant=CONTOSO, name="Another Ann")
    assert made["oid"] != oid(1)
    entra.delete_person("ann.smith@contoso.example")
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        entra.token(person="ann.smith@contoso.example")


def test_page_shows_tenants_keys_and_tokens_without_their_text(sandbox: SandboxProcess) -> None:
    token = sandbox.control.entra.token(person="omar.haddad@fabrikam.example")
    page = httpx.get(sandbox.base_url, trust_env=False).text
    assert "omar.haddad@fabrikam.example" in page
    assert FABRIKAM in page
    assert sandbox.control.entra.keys(FABRIKAM)[0] in page
    assert token.rpartition(".")[2] not in page
    assert json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["uti"] in page
