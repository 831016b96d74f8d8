"""Faults as a client meets them, and what they leave behind."""

import base64
import json
import socket
import time
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.integration.sandbox.bodies import create, new_issue
from tests.sandbox.client import SandboxProcess, rule

CREATE = r"/issue$"


def raw_create(sandbox: SandboxProcess, timeout: float = 5) -> tuple[bytes, float]:
    """Send a create over a bare socket; the bytes until end-of-file and how long that took."""
    body = json.dumps(new_issue()).encode()
    secret = base64.b64encode(f"{sandbox.jira_user}:{sandbox.jira_token}".encode()).decode()
    head = (
        "POST /jira/rest/api/3/issue HTTP/1.1\r\nHost: jira\r\nContent-Type: application/json\r\n"
        f"Authorization: Basic {secret}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    received, started = b"", time.monotonic()
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout) as connection:
        connection.sendall(head.encode() + body)
        while chunk := connection.recv(65536):
            received += chunk
            if b"\r\n\r\n" in received:
                break
    return received, time.monotonic() - started


@pytest.mark.parametrize(("kind", "issues"), [("drop_before", 0), ("drop_after", 1)])
def test_dropped_connection_ends_without_one_byte(sandbox: SandboxProcess, kind: str, issues: int) -> None:
    sandbox.control.faults(rule(kind, method="POST", path=CREATE, count=1))
    received, took = raw_create(sandbox)
    assert (received, len(sandbox.control.issues())) == (b"", issues)
    assert took < 2
    assert raw_create(sandbox)[0].startswith(b"HTTP/1.1 201 ")
    assert len(sandbox.control.issues()) == issues + 1
    assert sandbox.log() == ""


@pytest.mark.parametrize(("kind", "issues"), [("hang_before", 0), ("hang_after", 1)])
def test_hanging_request_times_out_at_the_client(
    sandbox: SandboxProcess, jira: httpx.Client, kind: str, issues: int
) -> None:
    sandbox.control.faults(rule(kind, path=CREATE, count=1, seconds=30))
    with pytest.raises(httpx.ReadTimeout):
        jira.post("/issue", json=new_issue(), timeout=0.3)
    assert len(sandbox.control.issues()) == issues
    assert jira.get("/myself").status_code == 200


def test_hang_before_ends_with_a_closed_connection(sandbox: SandboxProcess) -> None:
    sandbox.control.faults(rule("hang_before", path=CREATE, seconds=0.2))
    received, took = raw_create(sandbox)
    assert received == b""
    assert took >= 0.2
    assert sandbox.control.issues() == []


def test_late_effect_happens_after_the_client_has_left(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    sandbox.control.faults(rule("late_effect", path=CREATE, seconds=0.5))
    with pytest.raises(httpx.ReadTimeout):
        jira.post("/issue", json=new_issue(), timeout=0.1)
    assert sandbox.control.issues() == []
    deadline = time.monotonic() + 5
    while not sandbox.control.issues() and time.monotonic() < deadline:
        sandbox.control.state()
    assert len(sandbox.control.issues(label="ext-1")) == 1


def test_status_before_leaves_nothing_and_after_leaves_the_issue(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    sandbox.control.faults(rule("status", path=CREATE, count=1, status=502, body="html", language="de"))
    answer = jira.post("/issue", json=new_issue())
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html;charset=UTF-8")
    assert "später" in answer.text
    assert sandbox.control.issues() == []
    sandbox.control.faults(rule("status_after_effect", path=CREATE, count=1, status=503, retry_after=7, language="fr"))
    answer = jira.post("/issue", json=new_issue())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert "réessayer" in answer.json()["errorMessages"][0]
    assert len(sandbox.control.issues()) == 1


def test_broken_json_is_a_201_nobody_can_read(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    sandbox.control.faults(rule("broken_json", path=CREATE))
    answer = jira.post("/issue", json=new_issue())
    assert answer.status_code == 201
    with pytest.raises(ValueError, match=r"."):
        answer.json()
    assert len(sandbox.control.issues()) == 1


def test_refusal_is_not_disguised_by_faults_after_the_effect(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    sandbox.control.faults(rule("status_after_effect", path=CREATE, status=500))
    assert jira.post("/issue", json=new_issue(summary=None)).status_code == 400


def test_retry_after_in_all_its_forms(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    def refused(form: str, seconds: float) -> httpx.Headers:
        sandbox.control.faults(rule("429", retry_after=seconds, format=form, reason="jira-quota-tenant-based"))
        answer = jira.get("/myself")
        assert answer.status_code == 429
        assert answer.headers["ratelimit-reason"] == "jira-quota-tenant-based"
        return answer.headers

    assert refused("seconds", 1800)["retry-after"] == "1800"
    assert refused("decimal", 1.5)["retry-after"] == "1.5"
    assert "retry-after" not in refused("none", 1)
    assert parsedate_to_datetime(refused("http-date", 60)["retry-after"]).tzinfo is not None


def test_latency_delays_and_still_answers(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    sandbox.control.faults(rule("latency", path="/myself$", ms=200))
    started = time.monotonic()
    assert jira.get("/myself").status_code == 200
    assert time.monotonic() - started >= 0.2


def test_rate_limiter_is_off_until_it_is_switched_on(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    assert {jira.get("/myself").status_code for _ in range(10)} == {200}
    sandbox.control.set_rate_limit({"GET": 2})
    answers = [jira.get("/myself") for _ in range(6)]
    assert answers[0].status_code == 200
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].headers["ratelimit-reason"] == "jira-burst-based"
    sandbox.control.set_rate_limit(None)
    assert jira.get("/myself").status_code == 200


def test_silently_dropped_label_leaves_the_property(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    sandbox.control.faults(rule("drop_label", silent=True))
    create(jira)
    issue = sandbox.control.issues()[0]
    assert (issue["labels"], issue["properties"]) == ([], {"ext": {"tag": "ext-1"}})


def test_duplicates_show_in_labels_and_properties(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    create(jira, "ext-a")
    create(jira, "ext-b")
    assert sandbox.control.duplicates() == {"labels": {}, "properties": {}}
    create(jira, "ext-a")
    found = {"ext-a": ["HELP-1", "HELP-3"]}
    assert sandbox.control.duplicates() == {"labels": found, "properties": found}


def test_journal_names_request_fault_and_issue(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    create(jira)
    sandbox.control.faults(rule("drop_before", count=1))
    with pytest.raises(httpx.RemoteProtocolError):
        jira.get("/issue/HELP-1", params={"fields": "key"})
    lines = sandbox.control.journal()
    shown = [(line["method"], line["status"], line["fault"], line["subject"]) for line in lines]
    assert shown == [("POST", 201, "", "HELP-1"), ("GET", None, "drop_before", "")]
    assert "Printer on fire" in lines[0]["body"]
    assert lines[1]["query"] == "fields=key"
    assert [effect["kind"] for effect in sandbox.control.effects()] == ["issue_created"]
    assert sandbox.control.effects()[0]["request_id"] == lines[0]["id"]
