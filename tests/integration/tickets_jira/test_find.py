"""Finding an issue again, and what not finding it is worth."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from supporthub.core.errors import AuthError, TransientError
from tests.integration.tickets_jira.conftest import Jira, draft
from tests.sandbox.client import rule
from tickets.ports import Finding, Found, Missing

TAG = draft().tag
SEARCH: dict[str, Any] = {"method": "POST", "path": "/search/jql$"}
BULK: dict[str, Any] = {"method": "POST", "path": "/issue/bulkfetch$"}
OURS: dict[str, Any] = {"labels": [TAG], "properties": {"supporthub": {"tag": TAG, "ticket": "HUB-12"}}}


def look(jira: Jira, *, watermark: int = 0, control: str = "", patience: float = 20.0) -> Finding:
    tracker = jira.tracker(patience=patience)
    return tracker.find_issue(tag=TAG, project_key="HELP", watermark=watermark, control_key=control)


def found_key(finding: Finding) -> str:
    assert isinstance(finding, Found), finding
    assert finding.duplicates == ()
    return finding.ref.key


def missing(finding: Finding) -> Missing:
    assert isinstance(finding, Missing), finding
    return finding


def test_an_issue_in_the_index_is_found(jira: Jira) -> None:
    jira.control.create_issue(count=3)
    jira.control.create_issue(**OURS)
    assert found_key(look(jira)) == "HELP-4"


def test_while_the_index_lags_reading_by_key_finds_it(jira: Jira) -> None:
    jira.control.set_search_lag(600)
    jira.control.create_issue(count=3)
    jira.control.create_issue(**OURS)
    assert found_key(look(jira, watermark=2)) == "HELP-4"


def test_more_than_a_page_of_others_in_between_does_not_hide_it(jira: Jira) -> None:
    jira.control.set_search_lag(600)
    jira.control.create_issue(count=130)
    jira.control.create_issue(**OURS)
    assert found_key(look(jira)) == "HELP-131"
    assert jira.lines.count("POST issue/bulkfetch") == 4


def test_a_dropped_label_does_not_hide_it(jira: Jira) -> None:
    jira.control.create_issue(properties=OURS["properties"])
    assert found_key(look(jira)) == "HELP-1"


def test_a_project_deleted_down_to_it_does_not_hide_it(jira: Jira) -> None:
    jira.control.set_search_lag(600)
    jira.control.create_issue(count=30)
    jira.control.create_issue(**OURS)
    for number in range(1, 31):
        jira.control.delete_issue(f"HELP-{number}")
    assert found_key(look(jira)) == "HELP-31"


def test_a_moved_issue_is_found_under_its_new_key(jira: Jira) -> None:
    jira.control.create_issue(**OURS)
    assert jira.control.move_issue("HELP-1", "NET") == "NET-1"
    assert found_key(look(jira)) == "NET-1"


def test_a_clone_with_our_label_is_not_ours(jira: Jira) -> None:
    jira.control.create_issue(labels=[TAG])
    jira.control.create_issue(labels=[TAG], properties={"supporthub": {"tag": "ext-other"}})
    jira.control.create_issue(labels=[TAG], properties={"supporthub": "text"})
    assert missing(look(jira)).conclusive


def test_of_several_the_oldest_is_the_issue_and_the_rest_are_duplicates(jira: Jira) -> None:
    for _ in range(3):
        jira.control.create_issue(**OURS)
    finding = look(jira)
    assert isinstance(finding, Found)
    assert finding.ref.key == "HELP-1"
    assert [item.key for item in finding.duplicates] == ["HELP-2", "HELP-3"]


OLD = 2_100  # more than one look reads


def test_a_large_project_of_others_is_searched_from_where_ours_can_begin(jira: Jira) -> None:
    jira.control.create_issue(count=OLD, days_ago=30)
    tracker, since = jira.tracker(), datetime.now(UTC).date() - timedelta(days=2)
    told = missing(tracker.find_issue(tag=TAG, project_key="HELP", watermark=0, control_key="", since=since))
    assert told.conclusive
    assert jira.lines.count("POST issue/bulkfetch") < 5
    jira.control.set_search_lag(600)
    jira.control.create_issue(count=60)
    jira.control.create_issue(**OURS)
    found = jira.tracker().find_issue(tag=TAG, project_key="HELP", watermark=0, control_key="", since=since)
    assert found_key(found) == f"HELP-{OLD + 61}"


def test_an_old_issue_that_was_moved_here_afterwards_does_not_hide_ours(jira: Jira) -> None:
    jira.control.create_issue(count=3, days_ago=30)
    jira.control.set_search_lag(600)
    jira.control.create_issue(**OURS)
    jira.control.set_search_lag(0)
    jira.control.create_issue(count=5, days_ago=20)
    jira.control.set_search_lag(600)
    since = datetime.now(UTC).date() - timedelta(days=2)
    found = jira.tracker().find_issue(tag=TAG, project_key="HELP", watermark=0, control_key="", since=since)
    assert found_key(found) == "HELP-4"


def test_search_reaches_below_the_watermark(jira: Jira) -> None:
    jira.control.create_issue(**OURS)
    assert found_key(look(jira, watermark=5)) == "HELP-1"


def test_absence_is_proven_by_a_known_issue(jira: Jira) -> None:
    jira.control.create_issue(count=5)
    verdict = missing(look(jira, watermark=5, control="HELP-2"))
    assert verdict.conclusive
    assert "Read HELP-6 to HELP-55 and searched" in verdict.reason
    assert "HELP-2 was seen" in verdict.reason


def test_a_known_issue_above_the_watermark_proves_as_well(jira: Jira) -> None:
    jira.control.create_issue(count=5)
    assert missing(look(jira, watermark=2, control="HELP-4")).conclusive


def test_a_known_issue_that_was_moved_still_proves(jira: Jira) -> None:
    jira.control.create_issue(count=5)
    jira.control.move_issue("HELP-2", "NET")
    assert missing(look(jira, watermark=5, control="HELP-2")).conclusive


def test_a_known_issue_that_was_moved_does_not_prove_that_its_old_project_can_be_read(jira: Jira) -> None:
    jira.control.create_issue(count=5)
    jira.control.create_issue(**OURS)
    jira.control.move_issue("HELP-2", "NET")
    jira.control.faults(rule("no_permission", permission="BROWSE_PROJECTS", project="HELP"))
    assert not missing(look(jira, watermark=5, control="HELP-2")).conclusive


def test_a_known_issue_that_is_not_seen_proves_nothing(jira: Jira) -> None:
    jira.control.create_issue(count=5)
    jira.control.delete_issue("HELP-2")
    verdict = missing(look(jira, watermark=5, control="HELP-2"))
    assert not verdict.conclusive
    assert "HELP-2 was not seen either" in verdict.reason


def test_without_a_known_issue_the_right_to_read_the_project_proves(jira: Jira) -> None:
    verdict = missing(look(jira))
    assert verdict.conclusive
    assert "may read the project" in verdict.reason


def test_a_lost_right_to_read_proves_nothing_with_or_without_a_known_issue(jira: Jira) -> None:
    jira.control.create_issue(count=2)
    jira.control.create_issue(**OURS)
    jira.control.faults(rule("no_permission", permission="BROWSE_PROJECTS"))
    for control in ("", "HELP-1"):
        assert not missing(look(jira, control=control)).conclusive


def test_an_empty_search_alone_proves_nothing(jira: Jira) -> None:
    jira.control.create_issue(**OURS)
    jira.control.faults(rule("empty_search"), rule("status", **BULK, status=500))
    verdict = missing(look(jira))
    assert not verdict.conclusive
    assert "reading by key failed" in verdict.reason


@pytest.mark.parametrize("status", [400, 429, 500])
def test_a_failing_search_does_not_keep_the_walk_from_finding(jira: Jira, status: int) -> None:
    jira.control.faults(rule("status", **SEARCH, status=status, language="de"))
    verdict = missing(look(jira))
    assert verdict.conclusive
    assert "the search failed" in verdict.reason
    jira.control.create_issue(**OURS)
    assert found_key(look(jira)) == "HELP-1"


@pytest.mark.parametrize("status", [400, 500])
def test_a_failing_walk_does_not_keep_the_search_from_finding(jira: Jira, status: int) -> None:
    jira.control.create_issue(**OURS)
    jira.control.faults(rule("status", **BULK, status=status))
    assert found_key(look(jira)) == "HELP-1"


def test_when_both_ways_fail_it_is_tried_again_later(jira: Jira) -> None:
    jira.control.faults(rule("status", **SEARCH, status=400), rule("429", **BULK, retry_after=40))
    with pytest.raises(TransientError) as caught:
        look(jira)
    assert caught.value.retry_after == 40.0


def test_refused_credentials_are_never_an_absence(jira: Jira) -> None:
    jira.control.faults(rule("expired_auth"))
    with pytest.raises(AuthError):
        look(jira)


def test_a_walk_that_runs_out_of_time_proves_nothing(jira: Jira) -> None:
    jira.control.create_issue(count=60)
    jira.control.faults(rule("latency", **BULK, ms=300))
    verdict = missing(look(jira, patience=0.2))
    assert not verdict.conclusive
    assert "Read HELP-1 to HELP-50" in verdict.reason
    assert "more issues than one look can read" in verdict.reason


def test_a_walk_that_has_no_time_at_all_proves_nothing(jira: Jira) -> None:
    jira.control.faults(rule("latency", **SEARCH, ms=400))
    verdict = missing(look(jira, patience=0.3))
    assert not verdict.conclusive
    assert "no time to read by key" in verdict.reason


def test_keys_that_jira_could_not_read_prove_nothing(jira: Jira) -> None:
    body = '{"issues": [], "issueErrors": [{"id": "HELP-7", "errorMessage": "Zeitüberschreitung"}]}'
    jira.control.faults(rule("status", **BULK, status=200, body=body))
    verdict = missing(look(jira))
    assert not verdict.conclusive
    assert "could not read some" in verdict.reason


def test_a_site_that_passes_over_missing_keys_in_silence_is_believed(jira: Jira) -> None:
    jira.control.faults(rule("status", **BULK, status=200, body='{"issues": [], "issueErrors": []}'))
    assert missing(look(jira)).conclusive


def test_a_search_whose_token_repeats_comes_to_an_end(jira: Jira) -> None:
    page = '{"issues": [], "nextPageToken": "again"}'
    jira.control.faults(rule("status", **SEARCH, status=200, body=page))
    assert missing(look(jira)).conclusive
    assert jira.lines.count("POST search/jql") == 2
