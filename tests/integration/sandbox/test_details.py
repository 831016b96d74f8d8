"""Comments, watchers, properties, transitions, links, files, worklogs, boards."""

from typing import Any

import httpx
import pytest

from tests.integration.sandbox.bodies import create, paragraph
from tests.sandbox.client import SandboxProcess
from tests.sandbox.jira.seeds import ADA, CUSTOMER

INTERNAL = [{"key": "sd.public.comment", "value": {"internal": True}}]


def test_comment_life(jira: httpx.Client) -> None:
    key = create(jira)
    body = {"body": paragraph("one"), "properties": [{"key": "ext", "value": {"id": 1}}]}
    made = jira.post(f"/issue/{key}/comment", json=body)
    assert (made.status_code, made.json()["body"]) == (201, paragraph("one"))
    assert "jsdPublic" not in made.json()
    jira.post(f"/issue/{key}/comment", json={"body": paragraph("two")})
    query: dict[str, str | int] = {"orderBy": "-created", "maxResults": 1, "expand": "properties,renderedBody"}
    listed = jira.get(f"/issue/{key}/comment", params=query).json()
    assert (listed["total"], listed["comments"][0]["renderedBody"]) == (2, "<p>two</p>")
    path = f"/issue/{key}/comment/{made.json()['id']}"
    assert jira.put(path, json={"body": paragraph("three")}).json()["body"] == paragraph("three")
    kept = jira.get(path, params={"expand": "properties"}).json()["properties"]
    assert kept == [{"key": "ext", "value": {"id": 1}}]
    assert jira.delete(path).status_code == 204
    assert jira.delete(path).status_code == 404


def test_internal_note_is_not_public_in_a_service_project_only(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    sandbox.control.create_project("DESK", kind="service_desk")
    for project, expected in (("DESK", [False, True]), ("HELP", [None, None])):
        key = create(jira, project={"key": project})
        bodies: list[dict[str, Any]] = [{"body": paragraph("a"), "properties": INTERNAL}, {"body": paragraph("a")}]
        answers = [jira.post(f"/issue/{key}/comment", json=body).json() for body in bodies]
        assert [answer.get("jsdPublic") for answer in answers] == expected


@pytest.mark.parametrize(
    "body",
    [
        {"body": "text"},
        {"body": {"type": "doc", "version": 1, "content": []}},
        {},
        {"body": paragraph("a"), "visibility": {"type": "role", "value": "Nobody"}},
        {"body": paragraph("a"), "surprise": 1},
    ],
)
def test_wrong_comment_is_refused(jira: httpx.Client, body: Any) -> None:
    key = create(jira)
    assert jira.post(f"/issue/{key}/comment", json=body).status_code == 400
    assert jira.get(f"/issue/{key}/comment").json()["total"] == 0


def test_watcher_is_a_bare_string_and_adding_twice_is_one(jira: httpx.Client) -> None:
    path = f"/issue/{create(jira)}/watchers"
    assert [jira.post(path, json=ADA).status_code for _ in range(2)] == [204, 204]
    assert jira.get(path).json()["watchCount"] == 2
    assert jira.post(path, json={"accountId": ADA}).status_code == 400
    assert jira.post(path, json="nobody").status_code == 404
    assert jira.post(path, json=CUSTOMER).status_code == 400
    assert jira.delete(path, params={"accountId": ADA}).status_code == 204
    assert jira.delete(path).status_code == 400
    assert jira.get(path).json()["watchCount"] == 1


def test_property_is_created_replaced_read_and_removed(jira: httpx.Client) -> None:
    path = f"/issue/{create(jira)}/properties/note"
    assert jira.get(path).status_code == 404
    assert jira.put(path, json={"a": 1}).status_code == 201
    assert jira.put(path, json={"a": 2}).status_code == 200
    assert jira.get(path).json() == {"key": "note", "value": {"a": 2}}
    assert jira.delete(path).status_code == 204
    assert jira.delete(path).status_code == 404


def test_only_open_transitions_are_offered_and_accepted(jira: httpx.Client) -> None:
    key = create(jira, project={"key": "NET"})
    path = f"/issue/{key}/transitions"
    assert [step["id"] for step in jira.get(path).json()["transitions"]] == ["41", "61"]
    assert jira.post(path, json={"transition": {"id": "51"}}).status_code == 400
    assert jira.post(path, json={"transition": {"id": "41"}, "fields": {"labels": []}}).status_code == 400
    comment = {"comment": [{"add": {"body": paragraph("done")}}]}
    assert jira.post(path, json={"transition": {"id": "41"}}).status_code == 204
    done = {"transition": {"id": "51"}, "fields": {"resolution": {"name": "Won't Do"}}, "update": comment}
    assert jira.post(path, json=done).status_code == 204
    fields = jira.get(f"/issue/{key}").json()["fields"]
    assert (fields["status"]["statusCategory"]["key"], fields["resolution"]["name"]) == ("done", "Won't Do")
    assert fields["comment"]["total"] == 1


def test_links_and_remote_links_are_upserts(jira: httpx.Client) -> None:
    first, second = create(jira), create(jira)
    body = {"type": {"name": "Duplicate"}, "inwardIssue": {"key": first}, "outwardIssue": {"key": second}}
    assert [jira.post("/issueLink", json=body).status_code for _ in range(2)] == [201, 201]
    links = jira.get(f"/issue/{first}").json()["fields"]["issuelinks"]
    assert [(link["type"]["name"], link["outwardIssue"]["key"]) for link in links] == [("Duplicate", second)]
    assert jira.post("/issueLink", json={**body, "type": {"name": "Loves"}}).status_code == 404
    remote = {"globalId": "hub=1", "object": {"url": "https://hub", "title": "HUB-1"}}
    path = f"/issue/{first}/remotelink"
    assert [jira.post(path, json=remote).status_code for _ in range(2)] == [201, 200]
    assert len(jira.get(path).json()) == 1
    assert jira.post(path, json={"object": {"url": "https://hub"}}).json()["errors"].keys() == {"title"}


def test_attachment_travels_unchanged(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    key, content = create(jira), bytes(range(256)) * 40
    path, header = f"/issue/{key}/attachments", {"X-Atlassian-Token": "no-check"}
    files = [("file", ("Übersicht 1.bin", content, "image/png")), ("file", ("b.txt", b"", "text/plain"))]
    assert jira.post(path, files=files).status_code == 403
    made = jira.post(path, files=files, headers=header)
    assert made.status_code == 200
    assert [(one["filename"], one["size"]) for one in made.json()] == [("Übersicht 1.bin", 10_240), ("b.txt", 0)]
    number = made.json()[0]["id"]
    redirect = jira.get(f"/attachment/content/{number}")
    assert redirect.status_code == 303
    assert httpx.get(redirect.headers["location"], trust_env=False).content == content
    part = jira.get(f"/attachment/content/{number}?redirect=false", headers={"range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, content[1:4])
    sandbox.control.set_upload_limit(10)
    assert jira.get("/attachment/meta").json()["uploadLimit"] == 10
    assert jira.post(path, files=files, headers=header).status_code == 413
    assert len(jira.get(f"/issue/{key}").json()["fields"]["attachment"]) == 2


def test_worklog_needs_an_offset_without_colon(jira: httpx.Client) -> None:
    path = f"/issue/{create(jira)}/worklog"
    body = {"started": "2026-01-02T03:04:05.000+0000", "timeSpentSeconds": 900, "comment": paragraph("x")}
    assert jira.post(path, json=body).json()["timeSpent"] == "15m"
    assert jira.post(path, json={**body, "started": "2026-01-02T03:04:05.000+00:00"}).status_code == 400
    assert jira.post(path, json={**body, "timeSpentSeconds": 0}).status_code == 400
    assert jira.get(path).json()["total"] == 1


def test_board_leads_to_its_filter(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    agile = f"{sandbox.jira_url}/rest/agile/1.0"
    board = jira.get(f"{agile}/board", params={"projectKeyOrId": "HELP"}).json()["values"][0]
    setup = jira.get(f"{agile}/board/{board['id']}/configuration").json()
    jql = jira.get(f"/filter/{setup['filter']['id']}").json()["jql"]
    key = create(jira)
    number = int(jira.get(f"/issue/{key}").json()["id"])
    matches = jira.post("/jql/match", json={"issueIds": [number, 1], "jqls": [jql, "project = NET", "broken ="]}).json()
    assert [match["matchedIssues"] for match in matches["matches"]] == [[number], [], []]
    assert matches["matches"][2]["errors"]
