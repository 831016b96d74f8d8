"""Search over HTTP: paging, lag, refusals."""

from typing import Any

import httpx
import pytest

from tests.integration.sandbox.bodies import create
from tests.sandbox.client import SandboxProcess, rule


def search(jira: httpx.Client, jql: str, **more: Any) -> Any:
    answer = jira.post("/search/jql", json={"jql": jql, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_id_alone_comes_back_unless_more_is_asked(jira: httpx.Client) -> None:
    create(jira)
    found = search(jira, "labels = 'ext-1'")
    assert (found["isLast"], [issue.keys() for issue in found["issues"]]) == (True, [{"id"}])
    issue = search(jira, 'labels = "ext-1"', fields=["key", "summary"], properties=["ext"])["issues"][0]
    assert (issue["key"], issue["fields"]) == ("HELP-1", {"summary": "Printer on fire"})
    assert issue["properties"] == {"ext": {"tag": "ext-1"}}


def test_pages_follow_by_token_until_the_last(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    sandbox.control.create_issue(count=7)
    jql, keys = "project = HELP ORDER BY key ASC", []
    query: dict[str, str] = {}
    while True:
        page = jira.get("/search/jql", params={"jql": jql, "maxResults": 3, "fields": "key", **query}).json()
        keys += [issue["key"] for issue in page["issues"]]
        if page["isLast"]:
            break
        query = {"nextPageToken": page["nextPageToken"]}
    assert "nextPageToken" not in page
    assert keys == [f"HELP-{number}" for number in range(1, 8)]
    wrong = {"jql": "project = NET", **query}
    assert jira.get("/search/jql", params=wrong).status_code == 400


def test_heavy_page_is_shorter_than_asked(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    sandbox.control.create_issue(count=120)
    page = search(jira, "project = HELP", maxResults=1000, fields=["summary"])
    assert (len(page["issues"]), page["isLast"]) == (100, False)
    assert len(search(jira, "project = HELP", maxResults=1000, fields=["key"])["issues"]) == 120


def test_search_lags_but_a_named_id_is_fresh(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    sandbox.control.set_search_lag(600)
    create(jira)
    assert search(jira, "labels = ext-1")["issues"] == []
    assert len(search(jira, "labels = ext-1", reconcileIssues=[10001])["issues"]) == 1
    assert search(jira, "labels = ext-1")["issues"] == []
    assert jira.post("/search/approximate-count", json={"jql": "labels = ext-1"}).json() == {"count": 0}
    sandbox.control.set_search_lag(0)
    assert jira.post("/search/approximate-count", json={"jql": "labels = ext-1"}).json() == {"count": 1}


@pytest.mark.parametrize(
    "body",
    [
        {"jql": "ORDER BY created"},
        {"jql": "project = NONE"},
        {"jql": "project = HELP", "startAt": 0},
        {"jql": "project = HELP", "fields": "key"},
        {"jql": "project = HELP", "nextPageToken": "x"},
        {"jql": "project = HELP", "properties": list("abcdef")},
        {"jql": "project = HELP", "reconcileIssues": list(range(51))},
        {"jql": "project = HELP", "reconcileIssues": ["HELP-1"]},
    ],
)
def test_wrong_search_is_refused(jira: httpx.Client, body: Any) -> None:
    answer = jira.post("/search/jql", json=body)
    assert answer.status_code == 400
    assert answer.json()["errorMessages"]


def test_removed_search_is_gone_and_says_where_to_go(jira: httpx.Client) -> None:
    answer = jira.get("/search", params={"jql": "project = HELP"})
    assert answer.status_code == 410
    assert "/rest/api/3/search/jql" in answer.text


def test_wrong_credentials_are_401_everywhere_but_in_server_info(sandbox: SandboxProcess) -> None:
    with httpx.Client(base_url=f"{sandbox.jira_url}/rest/api/3", trust_env=False) as anyone:
        assert anyone.get("/serverInfo").json()["deploymentType"] == "Cloud"
        assert anyone.get("/myself").status_code == 401
        assert anyone.get("/myself", auth=(sandbox.jira_user, "wrong")).status_code == 401
        assert anyone.get("/search/jql", params={"jql": "project = HELP"}).status_code == 401


def test_expired_credentials_find_nothing_without_an_error(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    create(jira)
    sandbox.control.faults(rule("expired_auth"))
    assert search(jira, "labels = ext-1") == {"issues": [], "isLast": True}
    assert jira.get("/myself").status_code == 401
