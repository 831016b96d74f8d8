"""Every way in which Jira can fail, and what is made of it: whether an issue may exist is never guessed."""

from collections.abc import Callable
from typing import Any

import pytest

from supporthub.core.errors import AuthError, OutcomeUnknown, TransientError
from tests.integration.tickets_jira.conftest import Jira, draft
from tests.sandbox.client import free_port, rule
from tickets.ports import Found

CREATE: dict[str, Any] = {"method": "POST", "path": "/issue$"}
READ: dict[str, Any] = {"method": "GET", "path": "createmeta"}


def made(jira: Jira) -> int:
    return len(jira.control.issues(label=draft().tag))


@pytest.mark.parametrize(
    ("fault", "issues"),
    [
        (rule("drop_before", **CREATE), 0),
        (rule("drop_after", **CREATE), 1),
        (rule("status", **CREATE, status=500), 0),
        (rule("status", **CREATE, status=502, body="html"), 0),
        (rule("status", **CREATE, status=503, retry_after=1), 0),
        (rule("status", **CREATE, status=408), 0),
        (rule("status", **CREATE, status=409), 0),
        (rule("status", **CREATE, status=302, body="empty"), 0),
        (rule("status_after_effect", **CREATE, status=500, body="html"), 1),
        (rule("status_after_effect", **CREATE, status=503), 1),
        (rule("status_after_effect", **CREATE, status=504, body="empty"), 1),
        (rule("status_after_effect", **CREATE, status=409), 1),
        (rule("broken_json", **CREATE), 1),
        (rule("status_after_effect", **CREATE, status=200, body="html"), 1),
        (rule("status_after_effect", **CREATE, status=201, body="empty"), 1),
        (rule("status_after_effect", **CREATE, status=201, body="[" * 100_000), 1),
    ],
)
def test_doubt_about_a_creation_is_unknown_and_sent_only_once(jira: Jira, fault: dict[str, Any], issues: int) -> None:
    jira.control.faults(fault)
    with pytest.raises(OutcomeUnknown) as caught:
        jira.tracker().create_issue(draft())
    assert made(jira) == issues
    assert jira.posts() == 1
    assert caught.value.code
    assert "Jira" in caught.value.reason


@pytest.mark.parametrize(("kind", "issues"), [("hang_before", 0), ("hang_after", 1)])
def test_no_answer_in_time_is_unknown(jira: Jira, impatient: Callable[[], None], kind: str, issues: int) -> None:
    impatient()
    jira.control.faults(rule(kind, **CREATE, seconds=20))
    with pytest.raises(OutcomeUnknown, match=r"did not answer within 0\.5 s") as caught:
        jira.tracker().create_issue(draft())
    assert caught.value.code == "no_answer"
    assert made(jira) == issues


@pytest.mark.parametrize(
    "fault",
    [
        rule("drop_before", **READ),
        rule("drop_after", **READ),
        rule("status", **READ, status=500),
        rule("status", **READ, status=503, retry_after=1),
        rule("status", **READ, status=302, body="empty"),
        rule("status", **READ, status=200, body="html"),
        rule("status", **READ, status=200, body="[1, 2]"),
        rule("status", **READ, status=200, body='{"issueTypes": [7]}'),
        rule("status", **READ, status=200, body="empty"),
        rule("broken_json", **READ),
    ],
)
def test_doubt_about_a_read_is_transient_and_nothing_was_created(jira: Jira, fault: dict[str, Any]) -> None:
    jira.control.faults(fault)
    with pytest.raises(TransientError):
        jira.tracker().create_issue(draft())
    assert jira.posts() == 0


@pytest.mark.parametrize(
    ("form", "least", "most"), [("seconds", 7.0, 7.0), ("decimal", 7.0, 7.0), ("http-date", 4.0, 7.0)]
)
def test_a_throttled_creation_waits_as_told(jira: Jira, form: str, least: float, most: float) -> None:
    jira.control.faults(rule("429", **CREATE, retry_after=7, format=form))
    with pytest.raises(TransientError) as caught:
        jira.tracker().create_issue(draft())
    assert caught.value.retry_after is not None
    assert least <= caught.value.retry_after <= most
    assert caught.value.pause is False
    assert made(jira) == 0
    assert jira.posts() == 1


def test_a_used_up_quota_asks_for_rest_of_the_whole_site(jira: Jira) -> None:
    jira.control.faults(rule("429", **CREATE, retry_after=1800, reason="jira-quota-tenant-based"))
    with pytest.raises(TransientError) as caught:
        jira.tracker().create_issue(draft())
    assert (caught.value.retry_after, caught.value.pause) == (1800.0, True)


def test_a_gateway_that_names_no_time_is_still_a_throttle(jira: Jira) -> None:
    jira.control.faults(rule("429", **CREATE, reason="", format="none", retry_after=90))
    with pytest.raises(TransientError) as caught:
        jira.tracker().create_issue(draft())
    assert caught.value.code == "rate_limited"


def test_a_throttled_user_search_costs_no_wrong_reporter(jira: Jira) -> None:
    jira.control.faults(rule("429", path="/user/search", retry_after=3))
    with pytest.raises(TransientError):
        jira.tracker().create_issue(draft())
    assert jira.posts() == 0


def test_an_expired_token_is_noticed_at_every_call(jira: Jira) -> None:
    created = jira.tracker().create_issue(draft())
    jira.control.faults(rule("expired_auth"))
    tracker = jira.tracker()
    with pytest.raises(AuthError):
        tracker.find_issue(tag=draft().tag, project_key="HELP", watermark=0, control_key="")
    with pytest.raises(AuthError):
        jira.client().add_labels(created.ref.key, ["x"])


def test_a_jira_that_is_not_there_is_transient(jira: Jira) -> None:
    with pytest.raises(TransientError, match="could not be reached") as caught:
        jira.tracker(base_url=f"http://127.0.0.1:{free_port()}/jira").create_issue(draft())
    assert caught.value.code == "unreachable"


@pytest.mark.parametrize("kind", ["drop_after", "broken_json"])
def test_what_was_made_without_an_answer_is_found_again(jira: Jira, kind: str) -> None:
    jira.control.faults(rule(kind, **CREATE, count=1))
    with pytest.raises(OutcomeUnknown):
        jira.tracker().create_issue(draft())
    found = jira.tracker().find_issue(tag=draft().tag, project_key="HELP", watermark=0, control_key="")
    assert isinstance(found, Found)
    assert found.ref.key == "HELP-1"


def test_reasons_hold_no_headers_tokens_or_addresses_of_requests(jira: Jira) -> None:
    jira.control.faults(rule("status", **CREATE, status=500, body="html"))
    with pytest.raises(OutcomeUnknown) as caught:
        jira.tracker().create_issue(draft())
    told = f"{caught.value.reason} {caught.value.detail} {caught.value!r}"
    assert jira.process.jira_token not in told
    assert "Basic" not in told
    assert "<html" not in told
    assert "POST rest/api/3/issue" in caught.value.detail
