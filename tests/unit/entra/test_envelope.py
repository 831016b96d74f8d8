"""A token taken apart: one fingerprint for all its spellings, and no header but the right one."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supporthub.integrations.entra.envelope import LONGEST, base64url, open_envelope
from supporthub.integrations.entra.errors import TokenRefused

HEADER = {"typ": "JWT", "alg": "RS256", "kid": "k1"}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
JSON = st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=20) | st.booleans(), max_size=5)


def token(header: Any, claims: Any, signature: bytes = b"signature") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return b".".join(base64url(part) for part in parts).decode()


def code(raw: str) -> str:
    with pytest.raises(TokenRefused) as caught:
        open_envelope(raw)
    return caught.value.code


def respellings(segment: str) -> list[str]:
    """The same bytes, written with padding and with other values of the bits that mean nothing."""
    free = {2: 16, 3: 4}.get(len(segment) % 4, 1)
    value = ALPHABET.index(segment[-1])
    stray = [segment[:-1] + ALPHABET[value - value % free + other] for other in range(free)]
    return [*stray, segment + "=", segment + "=="]


@given(JSON, st.binary(min_size=1, max_size=40), st.data())
def test_every_spelling_of_a_token_is_the_same_token(
    claims: dict[str, Any], signature: bytes, data: st.DataObject
) -> None:
    raw = token(HEADER, claims, signature)
    respelled = ".".join(data.draw(st.sampled_from(respellings(segment))) for segment in raw.split("."))
    one, two = open_envelope(raw), open_envelope(respelled)
    assert one == two
    assert one.signed == raw.rpartition(".")[0].encode()


@given(JSON, JSON)
def test_other_claims_have_another_fingerprint(one: dict[str, Any], two: dict[str, Any]) -> None:
    prints = [open_envelope(token(HEADER, claims)).fingerprint for claims in (one, two)]
    assert (prints[0] == prints[1]) == (json.dumps(one) == json.dumps(two))


@given(st.text(max_size=60) | st.lists(st.text(ALPHABET, max_size=12), min_size=3, max_size=3).map(".".join))
def test_nothing_but_a_refusal_comes_of_garbage(raw: str) -> None:
    assert code(raw) in {"token_malformed", "wrong_algorithm", "graph_token"}


@pytest.mark.parametrize(
    ("header", "refused"),
    [
        ({"alg": "none"}, "wrong_algorithm"),
        ({"alg": "rs256"}, "wrong_algorithm"),
        ({"alg": ["RS256"]}, "wrong_algorithm"),
        ({"alg": None}, "wrong_algorithm"),
        ({"typ": None}, "token_malformed"),
        ({"typ": "JWE"}, "token_malformed"),
        ({"kid": ""}, "token_malformed"),
        ({"kid": 7}, "token_malformed"),
        ({"kid": "k" * 257}, "token_malformed"),
        ({"crit": ["exp"]}, "token_malformed"),
        ({"nonce": "n"}, "graph_token"),
    ],
    ids=str,
)
def test_only_the_right_header_passes(header: dict[str, Any], refused: str) -> None:
    assert code(token({**HEADER, **header}, {})) == refused


def test_access_tokens_may_say_that_they_are() -> None:
    assert open_envelope(token({**HEADER, "typ": "at+JWT"}, {})).key_id == "k1"


@pytest.mark.parametrize(
    "audience",
    [
        "https://graph.microsoft.com",
        "https://graph.microsoft.com/",
        "00000003-0000-0000-c000-000000000000",
        "https://contoso.sharepoint.com",
    ],
)
def test_tokens_for_microsoft_are_told_apart(audience: str) -> None:
    assert code(token(HEADER, {"aud": audience})) == "graph_token"


@pytest.mark.parametrize("part", ["a+b/", "a b", "a\nb", "ab===", "a", "é"])
def test_letters_outside_of_base64url_are_refused(part: str) -> None:
    header, payload, _ = token(HEADER, {}).split(".")
    assert code(f"{header}.{payload}.{part}") == "token_malformed"


def test_deep_and_long_tokens_are_refused() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 9000).decode()
    assert code(f"{deep}.{deep[:4]}.AA") == "token_malformed"
    assert code("A" * (LONGEST + 1)) == "token_malformed"
