"""Who we are and what the server is, read with the `jira` package, for the set-up doctor.

The package repeats POSTs, so nothing with an effect goes through it. Here it gets time-outs, no retries and API 3.
Its start-up call (`serverInfo`) is kept: without it the package does not know that the server is Cloud.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
from jira import JIRA, JIRAError

from supporthub.core.errors import IntegrationError, OutcomeUnknown, Rejected, TransientError
from supporthub.integrations.outcomes import Answered, error_for, read_refusal


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server says of itself, to anybody. `clock_ahead` is their clock minus ours, in seconds."""

    deployment: str
    base_url: str
    clock_ahead: float | None


class JiraReader:
    """One site through the `jira` package; made for one look, not shared between threads."""

    def __init__(self, base_url: str, account: str, token: str, *, connect_timeout: float, read_timeout: float) -> None:
        """Makes one call (`serverInfo`). Raises an IntegrationError when there is no answer."""
        try:
            self._jira = JIRA(
                base_url, basic_auth=(account, token), options={"rest_api_version": "3"},
                timeout=(connect_timeout, read_timeout), max_retries=0,
            )  # fmt: skip
        except (JIRAError, requests.RequestException, ValueError) as error:
            raise _ours(error) from error

    def server_info(self) -> ServerInfo:
        """The kind of server, its own address, and how far its clock is from ours."""
        try:
            info = self._jira.server_info()
        except (JIRAError, requests.RequestException, ValueError) as error:
            raise _ours(error) from error
        info = info if isinstance(info, dict) else {}
        return ServerInfo(
            deployment=str(info.get("deploymentType", "")),
            base_url=str(info.get("baseUrl", "")),
            clock_ahead=_ahead(info.get("serverTime"), datetime.now(UTC)),
        )

    def myself(self) -> str:
        """The name of the account that our credentials belong to; AuthError when they are refused."""
        try:
            me: dict[str, Any] = self._jira.myself()
        except (JIRAError, requests.RequestException, ValueError) as error:
            raise _ours(error) from error
        return str(me.get("displayName") or me.get("accountId") or "")


def _ahead(stamp: Any, now: datetime) -> float | None:
    """Seconds between a stamp like 2026-01-02T03:04:05.000+0100 and `now`."""
    try:
        return (datetime.strptime(str(stamp), "%Y-%m-%dT%H:%M:%S.%f%z") - now).total_seconds()
    except ValueError:
        return None


def _ours(error: JIRAError | requests.RequestException | ValueError) -> IntegrationError | OutcomeUnknown:
    """Our error for one of the package's. Its texts hold headers and bodies, so none of them is passed on."""
    if isinstance(error, JIRAError) and error.status_code:
        headers = {name.lower(): value for name, value in getattr(error.response, "headers", {}).items()}
        refusal = read_refusal(None)
        status = int(error.status_code)
        return error_for(Answered("Jira", status, headers, refusal, effect=False), datetime.now(UTC))
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
        return Rejected("Jira's address in the settings cannot be used", code="bad_address")
    if isinstance(error, requests.Timeout):
        return TransientError("Jira did not answer in time", code="no_answer")
    if isinstance(error, requests.ConnectionError):
        return TransientError("Jira could not be reached", code="unreachable")
    return TransientError("Jira gave an answer that could not be read", code="unreadable_answer")
