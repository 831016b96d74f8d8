"""What the doctor finds in a real set-up, and the fix it names."""

from typing import Any

import pytest
from pytest_django import Settings

from supporthub.core.doctor import Finding, Verdict
from supporthub.core.errors import AuthError, TransientError
from supporthub.integrations.jira.reader import JiraReader
from tests.integration.tickets_jira.conftest import Jira
from tests.sandbox.client import free_port, rule
from tickets.clients.jira_doctor import board_findings, jira_findings
from tickets.models import Board


def board(**changes: Any) -> Board:
    return Board(**{"slug": "help", "name": "Help", "project_key": "HELP", "issue_type": "Task", **changes})


def findings(jira: Jira, **changes: Any) -> list[Finding]:
    return list(board_findings(jira.client(), board(**changes)))


def problems(found: list[Finding]) -> dict[Verdict, list[str]]:
    return {
        verdict: [finding.text for finding in found if finding.verdict is verdict]
        for verdict in (Verdict.BAD, Verdict.WARNING)
    }


def reader(jira: Jira, **changes: Any) -> JiraReader:
    known = {"base_url": jira.process.jira_url, "account": jira.process.jira_user, "token": jira.process.jira_token}
    return JiraReader(**{**known, **changes}, connect_timeout=1.0, read_timeout=3.0)


def test_a_good_set_up_gets_one_good_line(jira: Jira) -> None:
    found = findings(jira)
    assert [finding.verdict for finding in found] == [Verdict.GOOD]
    assert found[0].text == "Tickets can go to HELP as 'Task'."


def test_an_unknown_project_is_bad(jira: Jira) -> None:
    assert "no project NOPE" in problems(findings(jira, project_key="NOPE"))[Verdict.BAD][0]


def test_an_unknown_issue_type_is_bad_and_the_fix_lists_those_there_are(jira: Jira) -> None:
    found = findings(jira, issue_type="Story")
    assert [finding.verdict for finding in found] == [Verdict.BAD]
    assert found[0].fix == "Choose one of 'Task', 'Bug', 'Service Request' for the board."


@pytest.mark.parametrize(
    ("permission", "verdict"),
    [
        ("CREATE_ISSUES", Verdict.BAD),
        ("EDIT_ISSUES", Verdict.WARNING),
        ("ADD_COMMENTS", Verdict.WARNING),
        ("MANAGE_WATCHERS", Verdict.WARNING),
        ("LINK_ISSUES", Verdict.WARNING),
        ("USER_PICKER", Verdict.WARNING),
        ("MODIFY_REPORTER", Verdict.WARNING),
    ],
)
def test_each_missing_permission_is_named_with_its_weight_and_fix(
    jira: Jira, permission: str, verdict: Verdict
) -> None:
    jira.control.faults(rule("no_permission", permission=permission))
    found = [finding for finding in findings(jira) if "lacks" in finding.text]
    assert [finding.verdict for finding in found] == [verdict]
    assert "A Jira admin grants" in found[0].fix


def test_fields_that_the_screen_lacks_are_warnings(jira: Jira) -> None:
    jira.control.faults(rule("drop_label"), rule("priority_not_on_screen"))
    told = problems(findings(jira))
    assert told[Verdict.BAD] == []
    assert [text.split("'")[1] for text in told[Verdict.WARNING]] == ["labels", "priority"]


def test_a_required_field_that_we_do_not_fill_is_bad(jira: Jira) -> None:
    jira.control.faults(rule("require_field", field="customfield_10052"))
    assert "requires the field 'Impact'" in problems(findings(jira))[Verdict.BAD][0]


def test_a_jira_that_fails_is_a_finding_not_a_crash(jira: Jira) -> None:
    jira.control.faults(rule("status", path="createmeta", status=500))
    assert [finding.verdict for finding in findings(jira)] == [Verdict.BAD]


def test_the_reader_says_who_we_are_and_that_the_clocks_agree(jira: Jira) -> None:
    info = reader(jira).server_info()
    assert info.deployment == "Cloud"
    assert info.base_url == jira.process.jira_url
    assert info.clock_ahead is not None
    assert abs(info.clock_ahead) < 30
    assert reader(jira).myself() == "Support Hub"


def test_no_error_of_the_package_leaves_the_reader(jira: Jira) -> None:
    with pytest.raises(AuthError):
        reader(jira, token="wrong").myself()
    with pytest.raises(TransientError, match="could not be reached"):
        reader(jira, base_url=f"http://127.0.0.1:{free_port()}/jira")
    broken = reader(jira)
    jira.control.faults(rule("status", path="myself", status=500))
    with pytest.raises(TransientError) as caught:
        broken.myself()
    assert jira.process.jira_token not in str(caught.value)
    jira.control.faults(rule("status", path="myself", status=200, body="html"))
    with pytest.raises(TransientError):
        broken.myself()


@pytest.mark.django_db
def test_every_site_and_each_active_board_is_looked_at(jira: Jira, settings: Settings) -> None:
    settings.JIRA_CONNECT_TIMEOUT = 2.0
    assert [finding.verdict for finding in jira_findings()] == [Verdict.SKIPPED]
    tracker = jira.row()
    tracker.save()
    board(tracker=tracker).save()
    board(slug="net", name="Net", project_key="NET", tracker=tracker).save()
    board(slug="old", name="Old", project_key="NOPE", tracker=tracker, is_active=False).save()
    assert [(finding.check, finding.verdict) for finding in jira_findings()] == [
        ("jira: jira", Verdict.GOOD),
        ("jira: board help", Verdict.GOOD),
        ("jira: board net", Verdict.GOOD),
    ]


@pytest.mark.django_db
def test_refused_or_missing_credentials_are_bad_with_the_way_to_new_ones(jira: Jira, settings: Settings) -> None:
    settings.JIRA_CONNECT_TIMEOUT = 2.0
    jira.row(token="wrong").save()
    jira.row(slug="other", name="Other", token="").save()
    found = list(jira_findings())
    assert [finding.verdict for finding in found] == [Verdict.BAD, Verdict.BAD]
    assert "refused our credentials" in found[0].text
    assert "no API token" in found[1].text
    assert all("id.atlassian.com" in finding.fix for finding in found)
