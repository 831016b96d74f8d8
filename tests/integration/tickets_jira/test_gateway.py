"""A scoped token talks to Atlassian's gateway, whose address is of no use to people."""

from typing import Any

import pytest

from supporthub.core.errors import TransientError
from supporthub.integrations.http import Endpoint, OutsideHttp, Params
from supporthub.integrations.jira.client import JiraClient
from tests.integration.tickets_jira.conftest import draft
from tickets.clients.jira import JiraTracker
from tickets.clients.jira_cache import Memory

TYPES = {"values": [{"id": "7", "name": "Task"}], "isLast": True}
FIELDS = {"values": [{"fieldId": "summary"}, {"fieldId": "labels"}], "isLast": True}


class Scripted(OutsideHttp):
    """Answers by the path's last part; an exception is raised."""

    def __init__(self, base_url: str, answers: dict[str, Any]) -> None:
        super().__init__(Endpoint("Jira", base_url, (), 1.0, 1.0))
        self._answers = answers

    def send(self, method: str, path: str, *, effect: bool, params: Params | None = None, **body: Any) -> Any:
        answer = self._answers[path.rsplit("/", 1)[-1]]
        if isinstance(answer, Exception):
            raise answer
        return answer


def made_at(cloud: str, info: object) -> str:
    answers = {
        "issuetypes": TYPES,
        "7": FIELDS,
        "search": [],
        "issue": {"id": "1", "key": "HELP-1"},
        "serverInfo": info,
    }
    client = JiraClient(Scripted(f"https://api.atlassian.com/ex/jira/{cloud}", answers))
    return JiraTracker(client, Memory(), patience=5, default_type="Task").create_issue(draft()).ref.url


def test_people_are_sent_to_the_site_and_not_to_the_gateway() -> None:
    assert made_at("one", {"baseUrl": "https://x.atlassian.net/"}) == "https://x.atlassian.net/browse/HELP-1"


@pytest.mark.parametrize("info", [TransientError("no"), {}])
def test_not_knowing_the_site_does_not_spoil_a_created_issue(info: object) -> None:
    assert made_at("two", info) == "https://api.atlassian.com/ex/jira/two/browse/HELP-1"
