"""Which account may be taken for a person. Jira's search finds beginnings, so hits are only candidates."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supporthub.integrations.jira.schemas import User
from tickets.clients.jira_people import Match, match_user

MAIL = "ada@contoso.example"


def user(account: str = "1", **changes: Any) -> User:
    known = {"accountId": account, "accountType": "atlassian", "active": True, "emailAddress": MAIL}
    return cast("User", {**known, **changes})


def test_the_one_active_account_with_this_address_is_taken() -> None:
    assert match_user([user()], MAIL) == Match(member="1")


def test_case_and_surrounding_blanks_do_not_matter() -> None:
    assert match_user([user(emailAddress="ADA@Contoso.Example")], f" {MAIL} ") == Match(member="1")


def test_of_two_prefix_matches_the_equal_one_is_taken_wherever_it_stands() -> None:
    other = user("2", emailAddress=f"{MAIL}.org")
    assert match_user([other, user()], MAIL) == match_user([user(), other], MAIL) == Match(member="1")


def test_a_hidden_address_is_no_proof_even_of_a_single_hit() -> None:
    assert match_user([user(emailAddress=None)], MAIL) == Match()
    hidden = user()
    del hidden["emailAddress"]
    assert match_user([hidden], MAIL) == Match()


def test_two_accounts_with_the_same_address_are_nobody() -> None:
    assert match_user([user("1"), user("2")], MAIL) == Match()


def test_the_same_account_listed_twice_is_one() -> None:
    assert match_user([user(), user()], MAIL) == Match(member="1")


@pytest.mark.parametrize(
    "changes", [{"active": False}, {"active": None}, {"accountType": "app"}, {"accountType": "unknown"}]
)
def test_inactive_accounts_and_apps_are_nobody(changes: dict[str, Any]) -> None:
    assert match_user([user(**changes)], MAIL) == Match()


def test_a_customer_may_report_in_a_service_project_only() -> None:
    match = match_user([user(accountType="customer")], MAIL)
    assert match.for_project("service_desk") == "1"
    assert match.for_project("software") == ""
    assert match.member == ""


def test_a_member_goes_before_a_customer_with_the_same_address() -> None:
    match = match_user([user("c", accountType="customer"), user("m")], MAIL)
    assert match.for_project("service_desk") == "m"


@given(st.lists(st.builds(user, st.text("abc", min_size=1, max_size=2), emailAddress=st.sampled_from([MAIL, "x@y.z"]))))
def test_whoever_is_taken_shows_exactly_this_address(hits: list[User]) -> None:
    match = match_user(hits, MAIL)
    if match.member:
        assert {hit["accountId"] for hit in hits if hit.get("emailAddress") == MAIL} == {match.member}


@given(st.lists(st.builds(user, emailAddress=st.just("")), max_size=3))
def test_no_address_is_nobody(hits: list[User]) -> None:
    assert match_user(hits, "") == Match()
