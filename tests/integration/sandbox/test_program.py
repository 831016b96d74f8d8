"""The program itself: what survives, who may control it, its pages, and that the public client can use it."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from jira import JIRA

from tests.integration.sandbox.bodies import create, new_issue
from tests.sandbox.client import PROJECT_ROOT, SandboxProcess, rule
from tests.sandbox.jira.seeds import ADA


def api(sandbox: SandboxProcess) -> httpx.Client:
    auth = (sandbox.jira_user, sandbox.jira_token)
    return httpx.Client(base_url=f"{sandbox.jira_url}/rest/api/3", auth=auth, trust_env=False)


def test_answered_create_survives_kill_and_faults_go_on_counting(tmp_path: Path) -> None:
    with SandboxProcess(tmp_path) as sandbox, api(sandbox) as jira:
        sandbox.control.faults(rule("drop_after", method="POST", path="/issue$", count=2))
        sandbox.control.set_search_lag(600)
        with pytest.raises(httpx.RemoteProtocolError):
            jira.post("/issue", json=new_issue("ext-dropped"))
        sandbox.kill()
        assert not sandbox.running
        sandbox.start().wait_ready()
        assert [issue["labels"] for issue in sandbox.control.issues()] == [["ext-dropped"]]
        assert sandbox.control.list_faults()[0]["fired"] == 1
        with pytest.raises(httpx.RemoteProtocolError):
            jira.post("/issue", json=new_issue("ext-2"))
        assert jira.post("/issue", json=new_issue("ext-3")).json()["key"] == "HELP-3"
        assert jira.post("/search/jql", json={"jql": "labels = ext-3"}).json()["issues"] == []
        numbers = [line["id"] for line in sandbox.control.journal()]
        assert numbers == sorted(set(numbers))


def test_reset_goes_back_to_the_seeds(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    create(jira)
    sandbox.control.faults(rule("latency", ms=1))
    sandbox.control.set_search_lag(9)
    sandbox.control.reset()
    assert sandbox.control.state()["issue"] == 0
    assert (sandbox.control.list_faults(), sandbox.control.journal()) == ([], [])
    assert create(jira) == "HELP-1"
    assert jira.get("/search/jql", params={"jql": "labels = ext-1"}).json()["issues"]


def test_human_side_effects(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    made = sandbox.control.create_issue(labels=["walk-in"], count=3)
    assert (made["key"], create(jira)) == ("HELP-3", "HELP-4")
    sandbox.control.set_status("HELP-3", "Done")
    assert jira.get("/issue/HELP-3").json()["fields"]["resolution"]["name"] == "Done"
    account = sandbox.control.create_account("New Person", "new@contoso.example")
    assert jira.get("/user/search", params={"query": "new@"}).json()[0]["accountId"] == account
    sandbox.control.delete_issue("HELP-1")
    assert jira.get("/issue/HELP-1").status_code == 404
    creators = {issue["creator"] for issue in sandbox.control.issues(label="walk-in")}
    assert creators == {ADA}


@pytest.mark.parametrize(
    "path", ["/_control/faults", "/_control/journal", "/_control/jira/issues", "/_control/settings"]
)
def test_control_needs_the_secret(sandbox: SandboxProcess, path: str) -> None:
    assert httpx.get(sandbox.base_url + path, trust_env=False).status_code == 403
    wrong = {"x-sandbox-secret": "guess"}
    assert httpx.get(sandbox.base_url + path, headers=wrong, trust_env=False).status_code == 403


def test_senseless_control_calls_are_refused(sandbox: SandboxProcess) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        sandbox.control.faults({"kind": "explode"})
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        sandbox.control.set_status("HELP-9", "Done")
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        sandbox.control.create_project("HELP")


@pytest.mark.parametrize("arguments", [["--host", "0.0.0.0"], ["--host", "example.org"], ["--secret", ""]])
def test_program_starts_only_on_loopback_and_with_a_secret(tmp_path: Path, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "tests.sandbox", "--data", str(tmp_path), "--secret", "s", *arguments]
    ended = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert b"loopback" in ended.stderr or b"secret" in ended.stderr


def test_page_shows_issues_escaped_and_switches_faults_with_the_cookie(
    sandbox: SandboxProcess, jira: httpx.Client
) -> None:
    create(jira, summary="<b>bold</b>")
    with httpx.Client(base_url=sandbox.base_url, trust_env=False) as browser:
        page = browser.get("/")
        assert "&lt;b&gt;bold&lt;/b&gt;" in page.text
        assert "<b>bold" not in page.text
        assert "<form" not in page.text
        assert browser.post("/faults", data={"kind": "drop_before"}).status_code == 403
        opened = browser.get("/", params={"secret": sandbox.secret})
        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        assert "<form" in browser.get("/").text
        given = {"kind": "latency", "params": '{"ms": 1}', "count": "3", "path_regex": "/issue"}
        assert browser.post("/faults", data=given).status_code == 303
        listed = sandbox.control.list_faults()
        assert [(one["kind"], one["count"]) for one in listed] == [("latency", 3)]
        browser.post("/faults/off", data={"id": listed[0]["id"]})
        assert sandbox.control.list_faults() == []


def test_issue_page_shows_description_and_comments(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    key = create(jira)
    comment = {"type": "doc", "version": 1, "content": [{"type": "rule"}]}
    sandbox.control.comment(key, comment)
    page = httpx.get(f"{sandbox.jira_url}/browse/{key}", trust_env=False)
    assert "<p>It burns.</p>" in page.text
    assert "<hr>" in page.text
    assert "Ada Jansen" in page.text
    assert httpx.get(f"{sandbox.jira_url}/browse/HELP-99", trust_env=False).status_code == 404


def test_public_jira_client_reads_what_was_created(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    key = create(jira)
    client = JIRA(
        sandbox.jira_url,
        basic_auth=(sandbox.jira_user, sandbox.jira_token),
        options={"rest_api_version": "3"},
        timeout=(5, 60),
        max_retries=0,
    )
    with closing(client):
        assert client.myself()["emailAddress"] == sandbox.jira_user
        issue = client.issue(key)
        assert (issue.fields.summary, issue.fields.status.name) == ("Printer on fire", "To Do")
        found = client.enhanced_search_issues('labels = "ext-1"', fields=["key", "summary"])
        assert [(one.key, one.fields.summary) for one in found] == [(key, "Printer on fire")]
