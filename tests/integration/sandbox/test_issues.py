"""Issues: what is accepted, what is refused, and what comes back."""

from typing import Any

import httpx
import pytest

from tests.integration.sandbox.bodies import create, new_issue, paragraph
from tests.sandbox.client import SandboxProcess, rule
from tests.sandbox.jira.seeds import ADA, CUSTOMER, GONE, HIDDEN


def test_created_issue_can_be_read_with_everything_it_was_given(jira: httpx.Client) -> None:
    body = new_issue(reporter={"id": ADA}, priority={"id": "2"}, duedate="2030-01-02", customfield_10050="REF")
    answer = jira.post("/issue", json=body)
    assert answer.status_code == 201
    assert answer.json().keys() == {"id", "key", "self"}
    assert answer.json()["key"] == "HELP-1"
    issue = jira.get(f"/issue/{answer.json()['id']}", params={"properties": "ext"}).json()
    fields = issue["fields"]
    assert (issue["key"], fields["summary"], fields["labels"]) == ("HELP-1", "Printer on fire", ["ext-1"])
    assert fields["description"] == paragraph("It burns.")
    assert (fields["reporter"]["accountId"], fields["priority"]["name"]) == (ADA, "High")
    assert (fields["duedate"], fields["customfield_10050"]) == ("2030-01-02", "REF")
    assert issue["properties"] == {"ext": {"tag": "ext-1"}}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("summary", None),
        ("summary", "   "),
        ("summary", "two\nlines"),
        ("summary", "x" * 256),
        ("description", "a string"),
        ("description", paragraph("x" * 32_768)),
        ("labels", ["with space"]),
        ("labels", ["x" * 256]),
        ("labels", "ext-1"),
        ("priority", {"id": "99"}),
        ("priority", {"id": 2}),
        ("reporter", {"id": "nobody"}),
        ("reporter", {"id": GONE}),
        ("reporter", {"id": CUSTOMER}),
        ("reporter", {"name": "ada"}),
        ("assignee", {"id": CUSTOMER}),
        ("project", {"key": "NONE"}),
        ("issuetype", None),
        ("issuetype", {"id": "1"}),
        ("duedate", "2030-02-31"),
        ("customfield_10052", "many"),
        ("customfield_10053", {"value": "Fax"}),
        ("customfield_99999", "x"),
        ("components", []),
    ],
)
def test_wrong_field_is_refused_by_name_and_creates_nothing(
    sandbox: SandboxProcess, jira: httpx.Client, field: str, value: Any
) -> None:
    answer = jira.post("/issue", json=new_issue(**{field: value}))
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert answer.json()["errorMessages"] == []
    assert sandbox.control.issues() == []
    assert sandbox.control.effects() == []


def test_all_problems_are_reported_together(jira: httpx.Client) -> None:
    errors = jira.post("/issue", json=new_issue(summary=None, labels=["a b"], nonsense=1)).json()["errors"]
    assert errors.keys() == {"summary", "labels", "nonsense"}
    assert errors["nonsense"] == "Field 'nonsense' cannot be set. It is not on the appropriate screen, or unknown."


def test_broken_document_is_invalid_input(jira: httpx.Client) -> None:
    broken = {"type": "doc", "version": 1, "content": [{"type": "text", "text": "no paragraph"}]}
    answer = jira.post("/issue", json=new_issue(description=broken))
    assert (answer.status_code, answer.json()["errorMessages"][0]) == (400, "INVALID_INPUT")


@pytest.mark.parametrize(
    "properties",
    [
        [{"key": "", "value": 1}],
        [{"key": "x" * 256, "value": 1}],
        [{"key": "a", "value": "x" * 32_769}],
        [{"key": "a", "value": None}],
        [{"key": "a", "value": 1}, {"key": "a", "value": 2}],
        [{"key": "a"}],
        {"a": 1},
    ],
)
def test_wrong_properties_are_refused(jira: httpx.Client, properties: Any) -> None:
    body = {**new_issue(), "properties": properties}
    assert jira.post("/issue", json=body).status_code == 400


def test_a_field_stands_in_fields_or_in_update_but_not_in_both(jira: httpx.Client) -> None:
    body = new_issue()
    assert jira.post("/issue", json={**body, "update": {"labels": [{"add": "x"}]}}).status_code == 400
    del body["fields"]["labels"]
    body["update"] = {"labels": [{"add": "x"}], "comment": [{"add": {"body": paragraph("first")}}]}
    key = jira.post("/issue", json=body).json()["key"]
    assert jira.get(f"/issue/{key}").json()["fields"]["labels"] == ["x"]
    assert jira.get(f"/issue/{key}/comment").json()["total"] == 1


def test_refused_body_forms(jira: httpx.Client) -> None:
    assert jira.post("/issue", content=b"{", headers={"content-type": "application/json"}).status_code == 400
    assert jira.post("/issue", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert jira.post("/issue", json={**new_issue(), "surprise": 1}).status_code == 400
    assert jira.delete("/issue").status_code == 405


def test_edit_adds_and_removes_labels_and_ignores_status(jira: httpx.Client) -> None:
    key = create(jira)
    update = {"labels": [{"add": "b"}, {"remove": "ext-1"}]}
    answer = jira.put(f"/issue/{key}", json={"update": update, "fields": {"status": {"id": "10002"}}})
    assert (answer.status_code, answer.content) == (204, b"")
    fields = jira.get(f"/issue/{key}").json()["fields"]
    assert (fields["labels"], fields["status"]["name"]) == (["b"], "To Do")
    answer = jira.put(f"/issue/{key}", params={"returnIssue": "true"}, json={"fields": {"summary": "New"}})
    assert (answer.status_code, answer.json()["fields"]["summary"]) == (200, "New")
    assert jira.put(f"/issue/{key}", json={"fields": {"summary": ""}}).status_code == 400


def test_moved_issue_answers_to_its_old_key_with_the_new_one(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    key = create(jira)
    number = jira.get(f"/issue/{key}").json()["id"]
    assert sandbox.control.move_issue(key, "NET") == "NET-1"
    answer = jira.get(f"/issue/{key}")
    assert (answer.status_code, answer.json()["key"], answer.json()["id"]) == (200, "NET-1", number)
    assert create(jira) == "HELP-2"


def test_deleted_issue_is_gone_and_its_number_is_not_used_again(jira: httpx.Client) -> None:
    key = create(jira)
    assert jira.delete(f"/issue/{key}").status_code == 204
    assert jira.get(f"/issue/{key}").status_code == 404
    assert create(jira) == "HELP-2"


def test_bulkfetch_reads_past_the_index_and_names_what_is_missing(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    sandbox.control.set_search_lag(600)
    key = create(jira)
    body = {"issueIdsOrKeys": [key, "HELP-2", "10001"], "fields": ["labels"], "properties": ["ext"]}
    answer = jira.post("/issue/bulkfetch", json=body).json()
    assert [(issue["key"], issue["fields"]) for issue in answer["issues"]] == [(key, {"labels": ["ext-1"]})]
    assert answer["issues"][0]["properties"] == {"ext": {"tag": "ext-1"}}
    assert [error["id"] for error in answer["issueErrors"]] == ["HELP-2"]
    many = {"issueIdsOrKeys": [f"HELP-{number}" for number in range(101)]}
    assert jira.post("/issue/bulkfetch", json=many).status_code == 400


@pytest.mark.parametrize(
    ("permission", "status", "field"),
    [("MODIFY_REPORTER", 400, "reporter"), ("CREATE_ISSUES", 403, ""), ("BROWSE_PROJECTS", 400, "project")],
)
def test_missing_permission_shows_as_jira_disguises_it(
    sandbox: SandboxProcess, jira: httpx.Client, permission: str, status: int, field: str
) -> None:
    key = create(jira)
    sandbox.control.faults(rule("no_permission", permission=permission))
    answer = jira.post("/issue", json=new_issue(reporter={"id": ADA}))
    assert answer.status_code == status
    assert not field or field in answer.json()["errors"]
    asked = jira.get("/mypermissions", params={"permissions": permission, "projectId": ""})
    assert asked.json()["permissions"][permission]["havePermission"] is False
    seen = 404 if permission == "BROWSE_PROJECTS" else 200
    assert jira.get(f"/issue/{key}").status_code == seen
    assert jira.get("/project/HELP").status_code == seen


def test_field_off_the_screen_is_missing_in_metadata_and_refused(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    sandbox.control.faults(rule("drop_label"), rule("priority_not_on_screen"))
    meta = jira.get("/issue/createmeta/HELP/issuetypes/10001").json()
    assert not {"labels", "priority"} & {field["fieldId"] for field in meta["fields"]}
    errors = jira.post("/issue", json=new_issue(priority={"id": "1"})).json()["errors"]
    assert errors.keys() == {"labels", "priority"}
    key = create(jira, labels=None)
    assert jira.put(f"/issue/{key}", json={"update": {"labels": [{"add": "ext-1"}]}}).status_code == 204


def test_newly_required_field_shows_in_metadata_and_refuses(sandbox: SandboxProcess, jira: httpx.Client) -> None:
    sandbox.control.faults(rule("require_field", field="customfield_10053"))
    fields = jira.get("/issue/createmeta/HELP/issuetypes/10001").json()["fields"]
    assert [field["required"] for field in fields if field["fieldId"] == "customfield_10053"] == [True]
    assert jira.post("/issue", json=new_issue()).json()["errors"] == {"customfield_10053": "Channel is required."}
    assert create(jira, customfield_10053={"value": "Mail"}) == "HELP-1"


def test_metadata_is_paged(jira: httpx.Client) -> None:
    page = jira.get("/issue/createmeta/HELP/issuetypes", params={"startAt": 1, "maxResults": 2}).json()
    assert (page["startAt"], page["maxResults"], page["total"], len(page["issueTypes"])) == (1, 2, 4, 2)
    assert jira.get("/issue/createmeta/NONE/issuetypes").json()["issueTypes"] == []


def test_subtask_needs_a_parent(jira: httpx.Client) -> None:
    assert "parent" in jira.post("/issue", json=new_issue(issuetype={"id": "10004"})).json()["errors"]
    parent = create(jira)
    child = create(jira, issuetype={"id": "10004"}, parent={"key": parent})
    assert jira.get(f"/issue/{child}").json()["fields"]["parent"]["key"] == parent
    assert jira.delete(f"/issue/{parent}").status_code == 400


def test_user_search_matches_prefixes_and_hides_private_mail(jira: httpx.Client) -> None:
    def hits(query: str) -> list[Any]:
        found: list[Any] = jira.get("/user/search", params={"query": query}).json()
        return found

    assert len(hits("ada.jansen@contoso.example")) == 2
    assert [hit["accountId"] for hit in hits("hanna.berg@contoso.example")] == [HIDDEN]
    assert "emailAddress" not in hits("hanna")[0]
    assert [hit["accountType"] for hit in hits("carlo")] == ["customer"]
    assert hits("gerrit") == []
    assert hits("nsen") == []
    assert jira.get("/user/search").status_code == 400
    assert jira.get("/user", params={"accountId": "x"}).status_code == 404
    bulk = jira.get("/user/bulk", params=[("accountId", ADA), ("accountId", "x")]).json()
    assert [user["accountId"] for user in bulk["values"]] == [ADA]


def test_permissions_must_be_named_and_known(jira: httpx.Client) -> None:
    assert jira.get("/mypermissions").status_code == 400
    assert jira.get("/mypermissions", params={"permissions": "FLY"}).status_code == 400
    assert jira.get("/mypermissions", params={"permissions": "BROWSE_PROJECTS", "projectKey": "X"}).status_code == 404
