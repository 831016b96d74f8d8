"""The adapter against the played Jira, over HTTP."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings

from supporthub.integrations.jira.client import JiraClient
from tests.integration.tickets_jira.requests import RecordingHttp
from tests.sandbox.client import Control, SandboxProcess
from tickets.clients.jira import JiraTracker
from tickets.clients.jira_access import jira_client
from tickets.clients.jira_cache import Memory
from tickets.models import Tracker
from tickets.ports import IssueDraft

DRAFT = IssueDraft(
    tag="ext-aaaaaaaaaaaaaaaaaaaaaaaaaa", project_key="HELP", issue_type="Task", title="Printer is broken",
    html="<p>It <strong>smokes</strong>.</p><ul><li>third floor</li></ul>", text="It smokes.", priority="high",
    labels=("helpdesk", "third floor"), reporter_email="ada.jansen@contoso.example", reporter_name="Ada Jansen",
    ticket_key="HUB-12", link="https://hub.example/tickets/HUB-12/",
)  # fmt: skip


def draft(**changes: Any) -> IssueDraft:
    return replace(DRAFT, **changes)


@dataclass
class Jira:
    """The played site, and what we sent to it."""

    process: SandboxProcess
    control: Control
    https: list[RecordingHttp] = field(default_factory=list)

    def row(self, **changes: Any) -> Tracker:
        known = {"slug": "jira", "name": "Jira", "base_url": self.process.jira_url, "account": self.process.jira_user}
        return Tracker(**{**known, "token": self.process.jira_token, **changes})

    def client(self, **changes: Any) -> JiraClient:
        http = RecordingHttp(jira_client(self.row(**changes))._http)
        self.https.append(http)
        return JiraClient(http)

    def tracker(self, *, patience: float = 20.0, remembered: Memory | None = None, **changes: Any) -> JiraTracker:
        return JiraTracker(self.client(**changes), remembered or Memory(), patience=patience, default_type="Task")

    @property
    def lines(self) -> list[str]:
        return [sent.line for http in self.https for sent in http.sent]

    def posts(self) -> int:
        return self.lines.count("POST issue")


@pytest.fixture(scope="package")
def jira_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox")) as process:
        yield process


@pytest.fixture
def jira(jira_process: SandboxProcess, settings: Settings) -> Jira:
    settings.DELIVERY_TIME_SCALE = 0.05  # a read time-out of 3 s, enough on a busy machine
    settings.JIRA_CONNECT_TIMEOUT = 20.0
    jira_process.control.reset()
    cache.clear()
    return Jira(jira_process, jira_process.control)


@pytest.fixture
def impatient(settings: Settings) -> Callable[[], None]:
    """Call it to wait half a second for an answer, where none will come."""

    def shorten() -> None:
        settings.JIRA_READ_TIMEOUT = 10.0

    return shorten
