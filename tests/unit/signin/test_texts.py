"""Keys, codes and device names, taken apart."""

import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.choices import ALLOWED, SCOPES, Action, ClientScope, EntraValue, Role
from accounts.parsing import (
    PREFIX_LENGTH,
    SECRET_LENGTH,
    KeyText,
    MalformedKey,
    base62,
    device_name,
    parse_key,
    read_code,
    recovery_digest,
)
from accounts.rules import BadClaims, Newcomer, RoleRule, newcomer_of, roles_of

LETTERS = string.ascii_letters + string.digits
keys = st.builds(
    KeyText,
    prefix=st.text(LETTERS, min_size=PREFIX_LENGTH, max_size=PREFIX_LENGTH),
    secret=st.text(LETTERS, min_size=SECRET_LENGTH, max_size=SECRET_LENGTH),
)


@given(keys)
def test_a_key_is_read_as_it_was_written(key: KeyText) -> None:
    assert parse_key(str(key)) == key


@given(keys, st.data())
def test_one_wrong_character_is_a_typo_and_not_a_wrong_key(key: KeyText, data: st.DataObject) -> None:
    whole = str(key)
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.sampled_from(LETTERS + "_-é").filter(lambda letter: letter != whole[place]))
    with pytest.raises(MalformedKey):
        parse_key(whole[:place] + other + whole[place + 1 :])


@given(keys, st.integers(0, 61))
def test_a_key_that_was_cut_off_is_a_typo(key: KeyText, length: int) -> None:
    with pytest.raises(MalformedKey):
        parse_key(str(key)[:length])


@given(st.text(max_size=80))
def test_no_text_from_outside_breaks_the_reading_of_a_key(raw: str) -> None:
    try:
        assert str(parse_key(raw)) == raw
    except MalformedKey:
        pass  # the only refusal there is


@given(st.integers(0, 2**256 - 1))
def test_the_secret_part_holds_all_256_bits(number: int) -> None:
    written = base62(number, SECRET_LENGTH)
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    value = 0
    for letter in written:
        value = value * 62 + digits.index(letter)
    assert (len(written), value) == (SECRET_LENGTH, number)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("123456", "123456"),
        (" 123 456 ", "123456"),
        ("abcd-efgh-2345-6777", "ABCDEFGH23456777"),
        ("12345", ""),
        ("1234567", ""),
        ("١٢٣٤٥٦", ""),
        ("ABCD-EFGH-0189-AAAA", ""),
        ("", ""),
    ],
)
def test_a_code_may_be_typed_with_blanks_and_hyphens_and_in_small_letters(typed: str, read: str) -> None:
    assert read_code(typed) == read


def test_the_same_recovery_code_of_two_people_is_kept_differently() -> None:
    assert recovery_digest(1, "ABCDEFGH23456777") != recovery_digest(2, "ABCDEFGH23456777")


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/139.0 Safari/537.36 Edg/139.0", "Edge, Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/139.0 Safari/537.36", "Chrome, Linux"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/139.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari, iPhone"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("", ""),
    ],
)
def test_a_device_is_named_as_people_know_it(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


@given(st.text(max_size=300))
def test_no_user_agent_breaks_the_name_of_a_device(user_agent: str) -> None:
    assert len(device_name(user_agent)) <= 40


# --- What scopes open ---------------------------------------------------------------------------------------------


def test_every_scope_has_a_line_in_the_table_and_none_opens_more_than_admin() -> None:
    assert set(SCOPES) == set(ClientScope.values)
    assert all(opened <= SCOPES[ClientScope.ADMIN] for opened in SCOPES.values())
    assert set(ALLOWED) == set(ClientScope.values) | set(Role.values)


def test_submitting_opens_tickets_and_nothing_of_others() -> None:
    assert SCOPES[ClientScope.TICKETS_SUBMIT] == {Action.OPEN_TICKET, Action.VIEW_OWN_TICKET}


def test_only_admins_manage_clients_and_people() -> None:
    for action in (Action.MANAGE_CLIENTS, Action.CHANGE_PEOPLE):
        assert {name for name, opened in ALLOWED.items() if action in opened} == {Role.ADMIN}


# --- Roles from Entra ---------------------------------------------------------------------------------------------

HOME, ELSEWHERE, GROUP = uuid.UUID(int=1), uuid.UUID(int=2), str(uuid.UUID(int=0xABC))
CLAIMS = {
    "tid": str(HOME), "oid": str(uuid.UUID(int=7)), "preferred_username": "Ann@Contoso.example", "name": "Ann Baker",
    "roles": ["Hub.Lead"], "groups": [GROUP.upper()],
}  # fmt: skip


def rule(**changes: object) -> RoleRule:
    facts = {"tenant_id": HOME, "kind": EntraValue.ROLE, "value": "Hub.Lead", "role": "lead", "organisation": None}
    return RoleRule(**{**facts, **changes})  # type: ignore[arg-type]  # fields by name


def test_an_app_role_or_a_group_gives_the_role_of_its_rule() -> None:
    ann = newcomer_of(CLAIMS)
    rules = [rule(), rule(kind=EntraValue.GROUP, value=GROUP, role="technician", organisation=3)]
    assert roles_of(ann, rules) == {("lead", None), ("technician", 3)}


@pytest.mark.parametrize(
    "other",
    [
        {"tenant_id": ELSEWHERE},
        {"value": "hub.lead"},  # Entra's role values have a case
        {"value": "Hub"},
        {"kind": EntraValue.GROUP},
        {"kind": "other"},
    ],
)
def test_a_rule_that_does_not_fit_exactly_gives_nothing(other: dict[str, object]) -> None:
    assert roles_of(newcomer_of(CLAIMS), [rule(**other)]) == frozenset()


@pytest.mark.parametrize("sign", [{"_claim_names": {"groups": "src1"}}, {"hasgroups": True}])
def test_groups_that_entra_left_out_give_nothing_and_are_noticed(sign: dict[str, object]) -> None:
    ann = newcomer_of({**CLAIMS, "groups": None, **sign})
    assert ann.groups_left_out
    assert roles_of(ann, [rule(kind=EntraValue.GROUP, value=GROUP)]) == frozenset()


@pytest.mark.parametrize("name", ["tid", "oid"])
@pytest.mark.parametrize("value", [None, "", "ann", 7, ["x"]])
def test_without_tenant_or_object_id_nobody_comes_in(name: str, value: object) -> None:
    with pytest.raises(BadClaims):
        newcomer_of({**CLAIMS, name: value})


anything = st.none() | st.text() | st.integers() | st.lists(st.text() | st.integers())


@given(st.dictionaries(st.sampled_from([*CLAIMS, "email", "_claim_names", "hasgroups"]), anything))
def test_odd_claims_are_refused_or_read_but_never_fail(odd: dict[str, object]) -> None:
    try:
        found = newcomer_of({**CLAIMS, **odd})
    except BadClaims:
        return
    assert isinstance(found, Newcomer)
    assert len(found.email) <= 254
