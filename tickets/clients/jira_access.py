"""From a tracker's row to a client: whose credentials count, and how long is waited."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings

from supporthub.core.errors import AuthError
from supporthub.integrations.http import Endpoint, OutsideHttp
from supporthub.integrations.jira.client import JiraClient, basic_auth
from tickets.models.boards import Tracker


@dataclass(frozen=True, slots=True)
class Credentials:
    account: str
    token: str = field(repr=False)


def credentials_of(tracker: Tracker) -> Credentials:
    """The row's own credentials, else the server's when the row is about the server's Jira site.

    Raises AuthError naming what is missing. A row's account is never combined with another account's token.
    """
    if tracker.account and tracker.token:
        return Credentials(tracker.account, tracker.token)
    if _same_site(tracker.base_url, settings.ATLASSIAN_URL) and not tracker.token:
        if settings.ATLASSIAN_API_TOKEN and tracker.account in ("", settings.ATLASSIAN_USER):
            return Credentials(settings.ATLASSIAN_USER, settings.ATLASSIAN_API_TOKEN)
        fix = "enter its account and API token in the admin, or set ATLASSIAN_USER and ATLASSIAN_API_TOKEN"
    else:
        fix = "enter them in the admin; the server's own ones are only used for the address in ATLASSIAN_URL"
    missing = " and ".join(
        name for name, value in (("account", tracker.account), ("API token", tracker.token)) if not value
    )
    raise AuthError(f"The tracker '{tracker.name}' has no {missing}: {fix}", code="no_credentials")


def _same_site(one: str, other: str) -> bool:
    return bool(other) and one.rstrip("/").lower() == other.rstrip("/").lower()


def jira_client(tracker: Tracker) -> JiraClient:
    """A client for the row. Waits are scaled like the leases of the deliveries that use it."""
    who = credentials_of(tracker)
    scale = settings.DELIVERY_TIME_SCALE
    endpoint = Endpoint(
        system="Jira",
        base_url=tracker.base_url.rstrip("/"),
        headers=(basic_auth(who.account, who.token),),
        connect_timeout=settings.JIRA_CONNECT_TIMEOUT * scale,
        read_timeout=settings.JIRA_READ_TIMEOUT * scale,
        connections=tracker.max_concurrency,
    )
    return JiraClient(OutsideHttp(endpoint))


def longest_attempt() -> timedelta:
    """The longest that one call of the port may take, before scaling; a delivery's lease must cover it.

    No request is begun later than one read time-out after the first, and the last one may take its full time.
    """
    return timedelta(seconds=2 * (settings.JIRA_CONNECT_TIMEOUT + settings.JIRA_READ_TIMEOUT))


def longest_upload() -> timedelta:
    """As `longest_attempt`, for a call that also sends a file."""
    return longest_attempt() + timedelta(seconds=settings.JIRA_UPLOAD_TIMEOUT)
