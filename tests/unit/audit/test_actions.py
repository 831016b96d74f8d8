"""Codes of actions and the key's setting."""

import pytest

from accounts.audit_actions import register_actions, registered, words_of
from accounts.chain import canonical
from supporthub.settings.env import Env


@pytest.mark.parametrize("code", ["opened", "Ticket.opened", "ticket.", "ticket.opened.twice", "a." + "b" * 60])
def test_a_code_is_a_thing_and_what_happened(code: str) -> None:
    with pytest.raises(ValueError, match="no code"):
        register_actions({code: "words"})


def test_a_code_of_an_older_release_is_shown_as_it_is() -> None:
    assert words_of("thing.forgotten") == "thing.forgotten"
    assert words_of("user.signed_in") == "signed in"
    assert "audit.exported" in registered()


def test_the_canonical_form_is_that_of_rfc_8785() -> None:
    """The example of its section 3.2.2, without the fractions that an entry never has."""
    value = {"string": '\u20ac$\u000f\nA\'B"\\\\"/', "literals": [None, True, False], "b": 1, "a": -7}
    assert canonical(value) == (
        '{"a":-7,"b":1,"literals":[null,true,false],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_one_key_alone_is_called_k1_and_the_first_of_several_seals() -> None:
    assert Env({"AUDIT_KEY": "0123456789abcdef"}).named_keys("AUDIT_KEY") == {"k1": b"0123456789abcdef"}
    keys = Env({"AUDIT_KEY": "k2:the-newer-secret-1, k1:0123456789abcdef"}).named_keys("AUDIT_KEY")
    assert list(keys.items()) == [("k2", b"the-newer-secret-1"), ("k1", b"0123456789abcdef")]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("", "AUDIT_KEY is missing"),
        ("k1:short", "fewer than 16"),
        ("k1:0123456789abcdef,k1:0123456789abcdeg", "a different id"),
        ("not an id:0123456789abcdef", "a different id"),
    ],
)
def test_a_key_that_cannot_be_used_is_one_line(value: str, fault: str) -> None:
    env = Env({"AUDIT_KEY": value})
    env.named_keys("AUDIT_KEY")
    assert len(env.faults) == 1
    assert fault in env.faults[0]
