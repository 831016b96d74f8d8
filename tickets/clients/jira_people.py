"""Which Jira account belongs to a mail address.

Guessing wrong would show a ticket to a stranger, so doubt means nobody.
"""

from collections.abc import Sequence
from typing import NamedTuple

from supporthub.core.errors import NotFound, Rejected
from supporthub.integrations.jira.client import JiraClient
from supporthub.integrations.jira.schemas import User
from tickets.clients.jira_cache import Memory

_KNOWN_FOR = 12 * 3600.0
_UNKNOWN_FOR = 2 * 3600.0


class Match(NamedTuple):
    """The accounts with an address; empty when there is none that is certain. `customer` is a portal account."""

    member: str = ""
    customer: str = ""

    def for_project(self, project_type: str) -> str:
        """Who may be a reporter there: a member, or in a service project a customer."""
        return self.member or (self.customer if project_type == "service_desk" else "")


def match_user(hits: Sequence[User], email: str) -> Match:
    """Choose from the hits of a user search, which also finds beginnings of names and addresses.

    An account counts when it is active, shows exactly this address (ignoring case), and is the only one of its type
    that does. A hidden address is no proof, not even of a single hit.
    """
    wanted = email.strip().casefold()
    found: dict[str, set[str]] = {"atlassian": set(), "customer": set()}
    for user in hits:
        same = (user.get("emailAddress") or "").strip().casefold() == wanted
        if wanted and same and user.get("active") is True and user.get("accountType") in found:
            found[user["accountType"]].add(user["accountId"])
    return Match(*(next(iter(ids)) if len(ids) == 1 else "" for ids in (found["atlassian"], found["customer"])))


class People:
    """Accounts by address, remembered for hours: all user searches of a site share one small rate limit."""

    def __init__(self, client: JiraClient, memory: Memory) -> None:
        self._client = client
        self._memory = memory

    def find(self, email: str) -> Match:
        """The accounts of an address. Raises when Jira does not answer; a refused search means nobody."""
        if "@" not in email:
            return Match()
        parts = ("user", self._client.base_url, email.strip().casefold())
        return Match(*self._memory.recall(parts, lambda: self._ask(email.strip())))

    def _ask(self, email: str) -> tuple[tuple[str, ...], float]:
        try:
            match = match_user(self._client.find_users(email), email)
        except (Rejected, NotFound):
            return (), 0.0
        return tuple(match), _KNOWN_FOR if any(match) else _UNKNOWN_FOR
