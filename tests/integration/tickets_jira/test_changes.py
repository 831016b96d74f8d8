"""Watchers, and duplicates that must not be but are marked when they are."""

import pytest

from supporthub.core.errors import AuthError, NotFound, Rejected
from tests.integration.tickets_jira.conftest import Jira, draft
from tests.sandbox.client import rule
from tickets.ports import IssueRef

DEWI = "dewi.visser@contoso.example"


def ref(jira: Jira) -> IssueRef:
    key = str(jira.control.create_issue()["key"])
    return IssueRef(str(jira.client().get_issue(key, fields=["labels"])["id"]), key, 0, "")


def test_a_watcher_is_added_once_however_often_it_is_asked(jira: Jira) -> None:
    issue = jira.tracker().create_issue(draft()).ref
    for _ in range(2):
        assert jira.tracker().add_watcher(issue_id=issue.issue_id, email=DEWI) is True
    watching = {effect["detail"]["account"] for effect in jira.control.effects(kind="watcher_added")}
    assert watching == {"557058:00000000-0000-4000-8000-000000000006"}


@pytest.mark.parametrize("email", ["nobody@x.example", "hanna.berg@contoso.example", "carlo@customer.example", "text"])
def test_somebody_without_a_certain_account_does_not_watch(jira: Jira, email: str) -> None:
    assert jira.tracker().add_watcher(issue_id="1", email=email) is False
    assert not [line for line in jira.lines if line.endswith("watchers")]


def test_a_missing_permission_is_told_from_refused_credentials(jira: Jira) -> None:
    issue = jira.tracker().create_issue(draft()).ref
    jira.control.faults(rule("no_permission", permission="MANAGE_WATCHERS"))
    with pytest.raises(Rejected, match="'Manage watchers'"):
        jira.tracker().add_watcher(issue_id=issue.issue_id, email=DEWI)
    jira.control.faults(rule("expired_auth", path="watchers|myself"))
    with pytest.raises(AuthError):
        jira.tracker().add_watcher(issue_id=issue.issue_id, email=DEWI)


def test_a_deleted_issue_has_no_watchers(jira: Jira) -> None:
    with pytest.raises(NotFound):
        jira.tracker().add_watcher(issue_id="99", email=DEWI)


def test_duplicates_are_labelled_and_linked_and_again_changes_nothing(jira: Jira) -> None:
    first, second, third = ref(jira), ref(jira), ref(jira)
    for _ in range(2):
        jira.tracker().mark_duplicates(first, (second, third))
    links = jira.control.effects(kind="issuelink_created")
    assert {(link["subject"], link["detail"]["other"], link["detail"]["type"]) for link in links} == {
        (second.key, first.key, "Duplicate"),
        (third.key, first.key, "Duplicate"),
    }
    assert jira.control.state()["issue_link"] == 2
    assert {issue["key"] for issue in jira.control.issues(label="duplicate")} == {second.key, third.key}


def test_one_of_label_and_link_is_enough(jira: Jira) -> None:
    first, second = ref(jira), ref(jira)
    jira.control.faults(rule("status", path="issueLink", status=404))
    jira.tracker().mark_duplicates(first, (second,))
    jira.control.faults(rule("no_permission", permission="EDIT_ISSUES"))
    jira.tracker().mark_duplicates(first, (second,))
    jira.control.faults(rule("no_permission", permission="LINK_ISSUES"))
    jira.tracker().mark_duplicates(first, (second,))
    jira.control.faults(rule("status", path="issueLink", status=404), rule("no_permission", permission="EDIT_ISSUES"))
    with pytest.raises(NotFound):
        jira.tracker().mark_duplicates(first, (second,))
