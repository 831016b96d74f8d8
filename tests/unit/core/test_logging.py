"""Logs never show who or with what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supporthub.core.logging import MASK, redact, redact_event


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
        ("Basic aHViQGV4YW1wbGU6dG9rZW4=", "aHViQGV4YW1wbGU6dG9rZW4="),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
        ("password=hunter2222", "hunter2222"),
        ("api_key: 0123456789", "0123456789"),
        ("shk_0123456789abcdef", "0123456789abcdef"),
    ],
)
def test_secrets_in_texts_are_masked(text: str, secret: str) -> None:
    shown = redact(f"before {text} after")
    assert MASK in shown
    assert secret not in shown


@given(st.emails())
def test_the_local_part_of_an_address_is_not_shown(address: str) -> None:
    local = address.partition("@")[0]
    shown = redact(f"mail from {address}")
    assert len(local) < 2 or f"{local}@" not in shown


def test_values_of_telling_keys_are_masked_however_deep() -> None:
    event = redact_event(None, "info", {"event": "x", "data": {"headers": [{"api_token": "abc"}], "count": 3}})
    assert event["data"] == {"headers": [{"api_token": MASK}], "count": 3}
