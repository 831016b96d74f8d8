"""Whose credentials count, and which adapter a tracker gets."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from supporthub.core.errors import AuthError, Rejected
from tickets.clients import tracker_client
from tickets.clients.jira import JiraTracker
from tickets.clients.jira_access import credentials_of, jira_client, longest_attempt
from tickets.models import Tracker

SITE = "https://example.atlassian.net"


@pytest.fixture(autouse=True)
def _server_has_credentials(settings: Settings) -> None:
    settings.ATLASSIAN_URL = SITE
    settings.ATLASSIAN_USER = "hub@example.test"
    settings.ATLASSIAN_API_TOKEN = "server-token"


def row(**changes: Any) -> Tracker:
    return Tracker(**{"slug": "jira", "name": "Our Jira", "base_url": SITE, **changes})


def test_a_row_with_credentials_uses_them() -> None:
    who = credentials_of(row(account="a@b.test", token="t"))
    assert (who.account, who.token) == ("a@b.test", "t")


@pytest.mark.parametrize("base_url", [SITE, f"{SITE}/", SITE.upper()])
@pytest.mark.parametrize("account", ["", "hub@example.test"])
def test_a_row_about_the_servers_site_uses_the_servers_credentials(base_url: str, account: str) -> None:
    assert credentials_of(row(base_url=base_url, account=account)).token == "server-token"


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"base_url": "https://other.atlassian.net"}, "no account and API token"),
        ({"base_url": "https://other.atlassian.net", "account": "a@b.test"}, "no API token"),
        ({"base_url": "https://other.atlassian.net", "token": "t"}, "no account"),
        ({"account": "somebody@else.test"}, "no API token"),
        ({"token": "t"}, "no account"),
    ],
)
def test_the_servers_token_goes_nowhere_else_and_what_is_missing_is_named(
    changes: dict[str, Any], missing: str
) -> None:
    with pytest.raises(AuthError) as caught:
        tracker_client(row(**changes))
    assert missing in caught.value.reason
    assert "'Our Jira'" in caught.value.reason


def test_without_any_credentials_the_settings_are_named(settings: Settings) -> None:
    settings.ATLASSIAN_API_TOKEN = ""
    with pytest.raises(AuthError, match="set ATLASSIAN_USER and ATLASSIAN_API_TOKEN"):
        tracker_client(row())


def test_an_empty_address_in_the_settings_matches_no_row(settings: Settings) -> None:
    settings.ATLASSIAN_URL = ""
    with pytest.raises(AuthError):
        credentials_of(row(base_url=""))


def test_a_jira_row_gets_the_jira_adapter_and_other_kinds_none() -> None:
    assert isinstance(tracker_client(row()), JiraTracker)
    with pytest.raises(Rejected, match="'another'"):
        tracker_client(row(kind="another"))


def test_waits_are_scaled_like_leases_and_the_lease_covers_an_attempt(settings: Settings) -> None:
    settings.JIRA_CONNECT_TIMEOUT, settings.JIRA_READ_TIMEOUT, settings.DELIVERY_TIME_SCALE = 5.0, 60.0, 0.1
    endpoint = jira_client(row())._http.endpoint
    assert (endpoint.connect_timeout, endpoint.read_timeout) == (0.5, 6.0)
    assert longest_attempt() == timedelta(seconds=130)


def test_a_token_never_shows_when_credentials_are_printed() -> None:
    assert "server-token" not in repr(credentials_of(row()))
