"""Making an issue: what stands in Jira afterwards, and with how many requests."""

from typing import Any

import pytest
from pytest_django import Settings

from supporthub.core.errors import AuthError, OutcomeUnknown, Rejected
from tests.integration.tickets_jira.conftest import Jira, draft
from tests.integration.tickets_jira.requests import problems
from tests.sandbox.client import rule
from tickets.clients.jira_cache import Memory

ADA = "557058:00000000-0000-4000-8000-000000000001"
CREATE: dict[str, Any] = {"method": "POST", "path": "/issue$"}


def made(jira: Jira, key: str) -> dict[str, Any]:
    found = jira.client().get_issue(
        key, fields=["summary", "description", "labels", "priority", "reporter", "issuetype"], properties=["supporthub"]
    )
    return {**found["fields"], "properties": found["properties"]}


def text_of(node: Any) -> str:
    if isinstance(node, dict):
        return str(node.get("text", "")) + text_of(node.get("content", []))
    return " ".join(map(text_of, node))


def test_an_issue_carries_everything_of_the_ticket(jira: Jira) -> None:
    created = jira.tracker().create_issue(draft())
    issue = made(jira, created.ref.key)
    assert created.adjustments == ()
    assert (created.ref.key, created.ref.number) == ("HELP-1", 1)
    assert created.ref.url == f"{jira.process.jira_url}/browse/HELP-1"
    assert issue["summary"] == "Printer is broken"
    assert issue["labels"] == [draft().tag, "helpdesk", "third-floor"]
    assert issue["priority"]["name"] == "High"
    assert issue["reporter"]["accountId"] == ADA
    assert issue["properties"] == {"supporthub": {"tag": draft().tag, "ticket": "HUB-12"}}
    assert "bulletList" in str(issue["description"])
    assert "https://hub.example/tickets/HUB-12/" in str(issue["description"]["content"][-1])
    assert "Requested by" not in text_of(issue["description"])


def test_project_and_reporter_known_from_before_leave_one_request(jira: Jira) -> None:
    remembered = Memory()
    jira.tracker(remembered=remembered).create_issue(draft())
    before = len(jira.lines)
    jira.tracker(remembered=remembered).create_issue(draft(tag="ext-b"))
    assert jira.lines[before:] == ["POST issue"]
    jira.tracker(remembered=remembered).create_issue(draft(tag="ext-c", reporter_email="dewi.visser@contoso.example"))
    assert jira.lines[before + 1 :] == ["GET user/search", "POST issue"]


def test_other_processes_learn_from_the_shared_cache(jira: Jira) -> None:
    jira.tracker(remembered=Memory()).create_issue(draft())
    before = len(jira.lines)
    jira.tracker(remembered=Memory()).create_issue(draft(tag="ext-b"))
    assert jira.lines[before:] == ["POST issue"]


def test_an_unknown_address_is_remembered_too(jira: Jira) -> None:
    remembered = Memory()
    for tag in ("ext-a", "ext-b"):
        jira.tracker(remembered=remembered).create_issue(draft(tag=tag, reporter_email="nobody@x.example"))
    assert jira.lines.count("GET user/search") == 1


def test_without_redis_nothing_is_lost_but_the_memory_of_others(jira: Jira, settings: Settings) -> None:
    nowhere = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": nowhere}
    remembered = Memory()
    jira.tracker(remembered=remembered).create_issue(draft())
    before = len(jira.lines)
    jira.tracker(remembered=remembered).create_issue(draft(tag="ext-b"))
    assert jira.lines[before:] == ["POST issue"]


@pytest.mark.parametrize(
    ("email", "why"),
    [
        ("hanna.berg@contoso.example", "the address is hidden"),
        ("gerrit@contoso.example", "the account is not active"),
        ("carlo@customer.example", "a customer cannot report in a software project"),
        ("ada.jansen@contoso", "only the beginning of an address"),
        ("nobody@x.example", "no such account"),
    ],
)
def test_an_uncertain_reporter_is_named_in_the_text(jira: Jira, email: str, why: str) -> None:
    created = jira.tracker().create_issue(draft(reporter_email=email))
    issue = made(jira, created.ref.key)
    assert issue["reporter"]["displayName"] == "Support Hub", why
    assert f"Requested by Ada Jansen <{email}>" in text_of(issue["description"]["content"][0])


def test_of_two_prefix_matches_the_equal_one_reports(jira: Jira) -> None:
    created = jira.tracker().create_issue(draft(reporter_email="ADA.Jansen@contoso.example"))
    assert made(jira, created.ref.key)["reporter"]["accountId"] == ADA


def test_a_customer_reports_in_a_service_project(jira: Jira) -> None:
    jira.control.create_project("DESK", kind="service_desk")
    created = jira.tracker().create_issue(draft(project_key="DESK", reporter_email="carlo@customer.example"))
    assert made(jira, created.ref.key)["reporter"]["displayName"] == "Carlo Customer"


def test_without_the_right_to_browse_users_we_report_ourselves(jira: Jira) -> None:
    jira.control.faults(rule("no_permission", permission="USER_PICKER"))
    created = jira.tracker().create_issue(draft())
    assert made(jira, created.ref.key)["reporter"]["displayName"] == "Support Hub"


def test_without_modify_reporter_the_issue_is_made_without_one(jira: Jira) -> None:
    jira.control.faults(rule("no_permission", permission="MODIFY_REPORTER"))
    created = jira.tracker().create_issue(draft())
    assert [item.field for item in created.adjustments] == ["reporter"]
    assert "Requested by Ada" in text_of(made(jira, created.ref.key)["description"])
    assert jira.posts() == 1


def test_a_right_lost_since_the_screen_was_read_costs_one_more_post(jira: Jira) -> None:
    remembered = Memory()
    jira.tracker(remembered=remembered).create_issue(draft())
    jira.control.faults(
        rule("no_permission", permission="MODIFY_REPORTER"),
        rule("priority_not_on_screen"),
        rule("drop_label", **CREATE),
    )
    created = jira.tracker(remembered=remembered).create_issue(draft(tag="ext-b"))
    assert jira.posts() == 3
    issue = made(jira, created.ref.key)
    assert [item.field for item in created.adjustments] == ["priority", "reporter"], "labels were put on afterwards"
    assert "ext-b" in issue["labels"]
    assert issue["properties"]["supporthub"]["tag"] == "ext-b"
    assert len(jira.control.issues()) == 2


def test_a_create_screen_without_labels_gets_them_afterwards(jira: Jira) -> None:
    jira.control.faults(rule("drop_label", path="/issue$|createmeta", method=""))
    created = jira.tracker().create_issue(draft())
    assert created.adjustments == ()
    assert jira.lines[-1] == f"PUT issue/{created.ref.issue_id}"
    assert draft().tag in made(jira, created.ref.key)["labels"]


def test_labels_that_cannot_be_put_on_afterwards_either_are_noted(jira: Jira) -> None:
    jira.control.faults(rule("drop_label", path="/issue$|createmeta"), rule("no_permission", permission="EDIT_ISSUES"))
    created = jira.tracker().create_issue(draft())
    assert [item.field for item in created.adjustments] == ["labels"]
    assert made(jira, created.ref.key)["properties"]["supporthub"]["tag"] == draft().tag


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_a_refused_document_is_sent_plain_whatever_the_language(jira: Jira, language: str) -> None:
    jira.control.faults(rule("status", **CREATE, count=1, status=400, language=language))
    created = jira.tracker().create_issue(draft())
    assert [item.field for item in created.adjustments] == ["description"]
    document = made(jira, created.ref.key)["description"]
    assert "It smokes." in text_of(document)
    assert "marks" not in str(document)
    assert jira.posts() == 2


def test_a_refusal_of_everything_ends_after_four_posts_at_most(jira: Jira) -> None:
    jira.control.faults(rule("status", **CREATE, status=400, language="de"))
    with pytest.raises(Rejected) as caught:
        jira.tracker().create_issue(draft())
    assert 1 < jira.posts() <= 4
    assert jira.control.issues() == []
    assert "Ihre Anfrage konnte nicht" in caught.value.reason


def test_a_field_that_we_do_not_fill_is_named_with_the_fix(jira: Jira) -> None:
    jira.control.faults(rule("require_field", field="customfield_10052"))
    with pytest.raises(Rejected) as caught:
        jira.tracker().create_issue(draft())
    assert "HELP needs the field 'Impact'" in caught.value.reason
    assert "a Jira admin can" in caught.value.reason
    assert jira.posts() == 1


def test_an_unknown_issue_type_names_those_that_exist(jira: Jira) -> None:
    with pytest.raises(Rejected, match="no issue type 'Story'; it has 'Task', 'Bug', 'Service Request'"):
        jira.tracker().create_issue(draft(issue_type="Story"))
    assert jira.posts() == 0


def test_an_unknown_project_is_told_from_a_missing_permission(jira: Jira) -> None:
    with pytest.raises(Rejected, match="no project NOPE") as unknown:
        jira.tracker().create_issue(draft(project_key="NOPE"))
    assert unknown.value.code == "project_unknown"
    jira.control.faults(rule("no_permission", permission="CREATE_ISSUES", project="HELP"))
    with pytest.raises(Rejected, match="lacks the permission 'Create issues' in the project HELP"):
        jira.tracker().create_issue(draft())
    assert jira.posts() == 0


def test_metadata_that_is_not_found_is_an_unknown_project(jira: Jira) -> None:
    jira.control.faults(rule("status", path="createmeta|mypermissions", status=404))
    with pytest.raises(Rejected) as caught:
        jira.tracker().create_issue(draft())
    assert caught.value.code == "project_unknown"


def test_a_permission_lost_since_the_screen_was_read_is_named(jira: Jira) -> None:
    remembered = Memory()
    jira.tracker(remembered=remembered).create_issue(draft())
    jira.control.faults(rule("no_permission", permission="CREATE_ISSUES"))
    with pytest.raises(Rejected, match="lacks the permission 'Create issues'") as caught:
        jira.tracker(remembered=remembered).create_issue(draft(tag="ext-b"))
    assert caught.value.code == "forbidden"


def test_a_granted_permission_counts_at_once(jira: Jira) -> None:
    remembered = Memory()
    jira.control.faults(rule("no_permission", permission="CREATE_ISSUES"))
    with pytest.raises(Rejected):
        jira.tracker(remembered=remembered).create_issue(draft())
    jira.control.clear_faults()
    assert jira.tracker(remembered=remembered).create_issue(draft()).ref.key == "HELP-1"


def test_wrong_credentials_are_about_credentials(jira: Jira) -> None:
    with pytest.raises(AuthError):
        jira.tracker(token="wrong").create_issue(draft())


def test_a_token_that_cannot_be_sent_is_about_credentials(jira: Jira) -> None:
    with pytest.raises(AuthError):
        jira.tracker(account="hub\r\nx: y@sandbox.example", token="wrong").create_issue(draft())


def test_silently_dropped_labels_leave_the_property_as_proof(jira: Jira) -> None:
    jira.control.faults(rule("drop_label", **CREATE, silent=True))
    created = jira.tracker().create_issue(draft())
    issue = made(jira, created.ref.key)
    assert issue["labels"] == []
    assert issue["properties"]["supporthub"]["tag"] == draft().tag


def test_a_hostile_ticket_makes_a_valid_issue(jira: Jira) -> None:
    html = "<p>\x00\ud800 x</p>" + "<blockquote><h1>y</h1></blockquote>" * 300 + "<td>z</td>" + "long " * 20_000
    hostile = draft(title="a\r\nb\x00" * 100, html=html, labels=("a b\tc", " ", "x" * 400), reporter_name="<b>\n")
    created = jira.tracker().create_issue(hostile)
    assert created.adjustments == ()
    assert jira.posts() == 1


def test_no_request_is_begun_when_its_answer_would_come_too_late(jira: Jira) -> None:
    jira.control.faults(rule("latency", path="createmeta", ms=300))
    with pytest.raises(Exception, match="too slowly"):
        jira.tracker(patience=0.1).create_issue(draft())
    assert jira.posts() == 0


def test_every_request_has_the_shape_that_jira_documents(jira: Jira) -> None:
    tracker = jira.tracker()
    first = tracker.create_issue(draft()).ref
    second = tracker.create_issue(draft(reporter_email="nobody@x.example", project_key="NET")).ref
    jira.control.faults(rule("drop_label", path="/issue$|createmeta"))
    jira.tracker().create_issue(draft(tag="ext-c", project_key="NET"))
    tracker.find_issue(tag="ext-d", project_key="HELP", watermark=0, control_key=first.key)
    tracker.find_issue(tag="ext-d", project_key="HELP", watermark=0, control_key="")
    tracker.add_watcher(issue_id=first.issue_id, email="dewi.visser@contoso.example")
    tracker.mark_duplicates(first, (second,))
    client = jira.client()
    client.get_issue(first.key, fields=["labels"], properties=["supporthub"])
    client.put_property(first.key, "supporthub", {"tag": "x"})
    assert [item["name"] for item in client.priorities()] == ["Highest", "High", "Medium", "Low", "Lowest"]
    sent = [request for http in jira.https for request in http.sent]
    assert {problem for request in sent for problem in problems(request)} == set()
    assert len({request.method + request.path.split("/")[3] for request in sent}) >= 7


def test_an_answer_that_does_not_name_the_issue_is_no_success(jira: Jira) -> None:
    jira.control.faults(rule("status_after_effect", **CREATE, status=201, body="{}"))
    with pytest.raises(OutcomeUnknown):
        jira.tracker().create_issue(draft())
    assert len(jira.control.issues()) == 1
