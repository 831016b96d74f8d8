"""What a verified token may say, and what follows from it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supporthub.integrations.entra.claims import LEEWAY, LONGEST_LIFETIME, AccessToken, Expected, read_claims
from supporthub.integrations.entra.errors import ScopeMissing, TokenRefused

TENANT, CLIENT, OID = (f"{digit}" * 8 + "-1111-4111-8111-111111111111" for digit in "abc")
EXPECTED = Expected(TENANT, f"https://login.example/{TENANT}/v2.0", frozenset({CLIENT}))
NOW = 1_800_000_000
V1: dict[str, Any] = {
    "iss": f"https://sts.windows.net/{TENANT}/", "aud": f"api://{CLIENT}", "tid": TENANT, "oid": OID, "sub": "s",
    "ver": "1.0", "iat": NOW, "nbf": NOW, "exp": NOW + 3600, "scp": "Tickets.Submit Other", "upn": "Ann@b.example",
    "name": "Ann", "appid": CLIENT.upper(), "uti": "u",
}  # fmt: skip
V2 = {**V1, "iss": EXPECTED.v2_issuer, "aud": CLIENT, "ver": "2.0", "azp": OID, "preferred_username": "p@b.example"}


def read(
    changes: dict[str, Any] | None = None, base: dict[str, Any] = V1, now: float = NOW, **options: Any
) -> AccessToken:
    claims = {name: value for name, value in {**base, **(changes or {})}.items() if value is not None}
    return read_claims(claims, EXPECTED, "f" * 64, now, **options)


def test_both_versions_are_read() -> None:
    assert (read().version, read().app_id) == (1, CLIENT)
    assert (read(base=V2).version, read(base=V2).app_id) == (2, OID)
    assert read().scopes == {"Tickets.Submit", "Other"}


def test_preferred_username_stands_in_for_upn() -> None:
    assert read(base=V2).upn == "Ann@b.example"
    assert read({"upn": None}, V2).upn == "p@b.example"
    assert read({"upn": None}).upn == ""


@given(st.integers(0, 2**37), st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_token_is_valid_from_its_beginning_to_its_end_and_a_minute_around(now: int, begins: int, lasts: int) -> None:
    issued = max(0, now + begins)
    claims = {"iat": issued, "nbf": issued, "exp": max(0, issued + lasts)}
    lives = claims["exp"] - issued
    valid = 0 < lives <= LONGEST_LIFETIME and issued - LEEWAY <= now < claims["exp"] + LEEWAY
    if valid:
        assert read(claims, now=now).oid == OID
    else:
        with pytest.raises(TokenRefused):
            read(claims, now=now)


@given(st.integers(NOW + 3600 + LEEWAY, 2**37))
def test_expired_is_accepted_only_when_it_is_asked_for(now: int) -> None:
    with pytest.raises(TokenRefused, match="expired"):
        read(now=now)
    assert read(now=now, allow_expired=True).oid == OID


def test_future_is_not_accepted_with_the_past() -> None:
    with pytest.raises(TokenRefused, match="not valid yet"):
        read({"nbf": NOW + 61}, allow_expired=True)


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [None, "1800000000", True, 1.5, -1, 10**30, [], {}], ids=str)
def test_times_are_whole_seconds(name: str, value: Any) -> None:
    with pytest.raises(TokenRefused):
        read({name: value})


@pytest.mark.parametrize(
    ("changes", "is_app"),
    [
        ({}, False),
        ({"idtyp": "user"}, False),
        ({"idtyp": "app"}, True),
        ({"scp": None, "sub": OID}, True),
        ({"scp": None, "sub": "pairwise"}, False),
        ({"scp": None, "sub": OID, "idtyp": "user"}, False),
    ],
    ids=str,
)
def test_applications_own_tokens_are_told_apart(changes: dict[str, Any], is_app: bool) -> None:
    assert read(changes).is_app_only is is_app


@given(st.lists(st.sampled_from(["Tickets.Submit", "tickets.submit", "Tickets.Submit.All", "openid", ""])))
def test_scope_is_a_whole_word(scopes: list[str]) -> None:
    token = read({"scp": " ".join(scopes)})
    if "Tickets.Submit" in scopes:
        token.require_scope("Tickets.Submit")
    else:
        with pytest.raises(ScopeMissing):
            token.require_scope("Tickets.Submit")


@pytest.mark.parametrize("base", [V1, V2], ids=["v1", "v2"])
@pytest.mark.parametrize(
    "audience",
    [CLIENT, f"api://{CLIENT}", f"api://{CLIENT.upper()}", f"api://{CLIENT}/", "", [CLIENT], 7, None],
    ids=str,
)
def test_audience_is_the_one_of_the_version(base: dict[str, Any], audience: Any) -> None:
    if audience == base["aud"]:
        assert read({"aud": audience}, base).oid == OID
    else:
        with pytest.raises(TokenRefused) as caught:
            read({"aud": audience}, base)
        assert caught.value.code == "wrong_audience"


@pytest.mark.parametrize(
    "issuer",
    [f"https://sts.windows.net/{TENANT}", f"https://sts.windows.net/{OID}/", f"{EXPECTED.v2_issuer}/", "", 7, ["x"]],
    ids=str,
)
def test_issuer_is_compared_whole(issuer: Any) -> None:
    with pytest.raises(TokenRefused) as caught:
        read({"iss": issuer})
    assert caught.value.code == "wrong_issuer"


def test_tenant_inside_the_token_must_be_the_issuers() -> None:
    with pytest.raises(TokenRefused) as caught:
        read({"tid": OID})
    assert caught.value.code == "wrong_tenant"


@pytest.mark.parametrize("roles", ["Admin", [1], {"a": 1}], ids=str)
def test_roles_are_a_list_of_words(roles: Any) -> None:
    assert read({"roles": ["a", "b"]}).roles == {"a", "b"}
    with pytest.raises(TokenRefused):
        read({"roles": roles})
