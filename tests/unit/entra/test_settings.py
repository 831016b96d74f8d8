"""Settings of Entra and of the gateway: what is set must suffice for a use, and every fault is one line."""

import pytest

from supporthub.settings.entra import check_entra, check_gateway
from supporthub.settings.env import Env

TENANT, CLIENT = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
BOTH = {"ENTRA_TENANT_ID": TENANT, "ENTRA_CLIENT_ID": CLIENT}
SECRET = {"GATEWAY_SECRET_HEADER": "X-Key", "GATEWAY_SECRETS": "sixteen-letters-1"}
DIGEST = "ab" * 32


def faults(source: dict[str, str], *, gateway: bool = False) -> list[str]:
    env = Env(source)
    check_entra(env, gateway_mode=gateway)
    check_gateway(env, gateway_mode=gateway)
    return env.faults


@pytest.mark.parametrize(
    "source",
    [
        {},
        BOTH,
        {**BOTH, "ENTRA_CLIENT_SECRET": "s"},
        {**BOTH, "ENTRA_PRIVATE_KEY_FILE": "/key", "ENTRA_CERTIFICATE_FILE": "/cert"},
        {**BOTH, "ENTRA_PRIVATE_KEY": "key", "ENTRA_CERTIFICATE_THUMBPRINT": "ab"},
        {"ENTRA_AUTHORITY": "https://login.microsoftonline.us"},
    ],
    ids=str,
)
def test_what_suffices_is_accepted(source: dict[str, str]) -> None:
    assert faults(source) == []


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ({"ENTRA_TENANT_ID": TENANT}, "ENTRA_CLIENT_ID"),
        ({"ENTRA_CLIENT_ID": CLIENT}, "ENTRA_TENANT_ID"),
        ({"ENTRA_CLIENT_SECRET_FILE": "/s"}, "ENTRA_TENANT_ID, ENTRA_CLIENT_ID"),
        ({**BOTH, "ENTRA_PRIVATE_KEY": "k"}, "ENTRA_CERTIFICATE"),
        ({**BOTH, "ENTRA_CERTIFICATE": "c"}, "ENTRA_PRIVATE_KEY"),
        ({"GATEWAY_SECRETS": "sixteen-letters-1"}, "GATEWAY_SECRET_HEADER"),
        ({"GATEWAY_CERT_HEADER": "X-Cert"}, "GATEWAY_CERT_FINGERPRINTS"),
    ],
    ids=str,
)
def test_what_does_not_suffice_names_what_is_missing(source: dict[str, str], missing: str) -> None:
    (fault,) = faults(source)
    assert fault.startswith(f"{missing} is missing")
    assert "\n" not in fault


@pytest.mark.parametrize(
    "proof",
    [
        SECRET,
        {"ENTRA_CLIENT_ID": CLIENT, "GATEWAY_APP_IDS": CLIENT},
        {"GATEWAY_CERT_HEADER": "X-Cert", "GATEWAY_CERT_FINGERPRINTS": DIGEST},
    ],
    ids=str,
)
def test_gateway_needs_one_proof_and_a_tenant(proof: dict[str, str]) -> None:
    assert faults({"ENTRA_TENANT_ID": TENANT, **proof}, gateway=True) == []
    assert any("ENTRA_TENANT_ID is missing" in fault for fault in faults(proof, gateway=True))


def test_gateway_without_any_proof_does_not_start() -> None:
    (fault,) = faults(BOTH, gateway=True)
    assert "everybody could pass for the gateway" in fault


def test_gateways_token_cannot_be_checked_without_the_client_id() -> None:
    found = faults({"ENTRA_TENANT_ID": TENANT, "GATEWAY_APP_IDS": CLIENT}, gateway=True)
    assert any("ENTRA_CLIENT_ID is missing" in fault for fault in found)


@pytest.mark.parametrize("secrets", ["short", "sixteen-letters-1,short", ",".join(["sixteen-letters-1"] * 3)])
def test_secrets_are_long_and_two_at_most(secrets: str) -> None:
    (fault,) = faults({**SECRET, "GATEWAY_SECRETS": secrets})
    assert fault.startswith("GATEWAY_SECRETS")
    assert "sixteen" not in fault


def test_ids_are_read_in_lower_case_and_wrong_ones_named() -> None:
    env = Env({"ONE": TENANT.upper(), "TWO": f"{TENANT}, nonsense"})
    assert (env.guid("ONE"), env.guid("NONE")) == (TENANT, "")
    assert env.guids("TWO") == [TENANT]
    assert [fault.partition(" ")[0] for fault in env.faults] == ["TWO"]


@pytest.mark.parametrize("name", ["X_Key", "X Key", "X-Key:", "ключ"])
def test_header_names_have_no_underscores(name: str) -> None:
    env = Env({"HEADER": name})
    assert env.header("HEADER") == ""
    assert env.faults[0].startswith("HEADER is")


def test_fingerprints_lose_their_colons() -> None:
    env = Env({"PRINTS": "AB:" * 31 + "AB", "WRONG": "abc"})
    assert env.digests("PRINTS") == [DIGEST]
    env.digests("WRONG")
    assert env.faults[0].startswith("WRONG has")


def test_only_the_named_choices_are_accepted() -> None:
    env = Env({"MODE": "Gateway", "WRONG": "both"})
    assert env.choice("MODE", "jwt", ("jwt", "gateway")) == "gateway"
    assert env.choice("WRONG", "jwt", ("jwt", "gateway")) == "jwt"
    assert env.faults == ["WRONG is 'both': use jwt or gateway"]
