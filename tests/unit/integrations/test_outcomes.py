"""Which error an answer stands for: the table that decides between repeating, looking, and asking a person."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supporthub.core.errors import AuthError, IntegrationError, NotFound, OutcomeUnknown, Rejected, TransientError
from supporthub.integrations.outcomes import Answered, Refusal, error_for, read_refusal

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
Error = IntegrationError | OutcomeUnknown


def meaning(
    status: int, *, effect: bool, headers: Mapping[str, str] | None = None, refusal: Refusal | None = None
) -> Error:
    return error_for(Answered("Jira", status, headers or {}, refusal or Refusal(), effect, "POST x [id]"), NOW)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 408, 409, 500, 501, 502, 503, 504, 520, 599])
def test_doubt_after_an_effect_is_unknown_and_after_a_read_it_is_transient(status: int) -> None:
    assert type(meaning(status, effect=True)) is OutcomeUnknown
    assert type(meaning(status, effect=False)) is TransientError


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected), (401, AuthError), (403, Rejected), (404, NotFound), (405, Rejected), (410, Rejected),
        (413, Rejected), (415, Rejected), (422, Rejected), (425, TransientError), (429, TransientError),
    ],
)  # fmt: skip
def test_a_clear_refusal_is_the_same_with_and_without_an_effect(status: int, kind: type, effect: bool) -> None:
    error = meaning(status, effect=effect)
    assert type(error) is kind
    assert error.status == status


@given(st.integers(min_value=300, max_value=599), st.booleans())
def test_unknown_is_only_said_of_calls_with_an_effect(status: int, effect: bool) -> None:
    error = meaning(status, effect=effect)
    assert effect or not isinstance(error, OutcomeUnknown)
    assert "Jira" in error.reason
    assert error.code


def test_a_burst_slows_down_this_row_only() -> None:
    error = meaning(429, effect=True, headers={"retry-after": "2.5", "ratelimit-reason": "jira-burst-based"})
    assert isinstance(error, TransientError)
    assert (error.retry_after, error.pause, error.code) == (2.5, False, "rate_limited")


@pytest.mark.parametrize("reason", ["jira-quota-global-based", "jira-quota-tenant-based"])
def test_a_used_up_quota_rests_the_whole_target(reason: str) -> None:
    error = meaning(429, effect=True, headers={"retry-after": "1800", "ratelimit-reason": reason})
    assert isinstance(error, TransientError)
    assert (error.retry_after, error.pause) == (1800.0, True)


def test_a_quota_without_retry_after_rests_until_its_reset() -> None:
    headers = {"ratelimit-reason": "jira-quota-tenant-based", "x-ratelimit-reset": "2026-03-04T05:16:07Z"}
    error = meaning(429, effect=False, headers=headers)
    assert isinstance(error, TransientError)
    assert (error.retry_after, error.pause) == (600.0, True)


def test_a_quota_that_names_no_time_still_rests() -> None:
    error = meaning(429, effect=False, headers={"ratelimit-reason": "jira-quota-tenant-based"})
    assert isinstance(error, TransientError)
    assert error.pause
    assert error.retry_after


def test_who_asks_for_minutes_means_every_request() -> None:
    for headers in ({"retry-after": "900"}, {"retry-after": "900", "ratelimit-reason": "jira-burst-based"}):
        error = meaning(429, effect=True, headers=headers)
        assert isinstance(error, TransientError)
        assert (error.code, error.retry_after, error.pause) == ("rate_limited", 900.0, True)
    error = meaning(503, effect=False, headers={"retry-after": "900"})
    assert isinstance(error, TransientError)
    assert error.pause


def test_a_limit_of_one_issue_says_nothing_about_the_others() -> None:
    error = meaning(429, effect=True, headers={"retry-after": "900", "ratelimit-reason": "jira-per-issue-on-write"})
    assert isinstance(error, TransientError)
    assert (error.retry_after, error.pause) == (900.0, False)


def test_a_gateway_that_names_no_time_leaves_it_to_the_back_off() -> None:
    error = meaning(429, effect=True)
    assert isinstance(error, TransientError)
    assert (error.retry_after, error.pause) == (None, False)


def test_a_wait_named_with_503_is_kept_for_reads() -> None:
    error = meaning(503, effect=False, headers={"retry-after": "20"})
    assert isinstance(error, TransientError)
    assert error.retry_after == 20.0


@pytest.mark.parametrize(
    "headers",
    [
        {"x-authentication-denied-reason": "CAPTCHA_CHALLENGE; login-url=https://example.test/login"},
        {"x-seraph-loginreason": "AUTHENTICATION_DENIED"},
    ],
)
def test_a_locked_login_is_about_credentials_not_about_this_request(headers: Mapping[str, str]) -> None:
    error = meaning(403, effect=True, headers=headers)
    assert isinstance(error, AuthError)
    assert "example.test" not in error.reason


def test_a_plain_403_is_about_this_request() -> None:
    error = meaning(403, effect=True, refusal=Refusal(("Keine Berechtigung",)))
    assert isinstance(error, Rejected)
    assert error.code == "forbidden"
    assert "“Keine Berechtigung”" in error.reason


def test_a_refused_field_is_named_and_its_words_follow_shortened_in_quotes() -> None:
    error = meaning(400, effect=True, refusal=Refusal((), {"reporter": "x\n\x00" + "y" * 1000}))
    assert isinstance(error, Rejected)
    assert error.fields.keys() == {"reporter"}
    assert error.reason.startswith("Jira refused the field 'reporter': “x y")
    assert len(error.reason) < 300
    assert "\n" not in error.reason


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"errorMessages": ["a"], "errors": {"labels": "b"}}, Refusal(("a",), {"labels": "b"})),
        ({"errorMessages": [], "errors": {}}, Refusal()),
        ({"code": 1, "message": "no"}, Refusal(("no",))),
        ({"errorMessage": "no", "i18nErrorMessage": None}, Refusal(("no",))),
        ({"error": {"code": "x", "message": "no"}}, Refusal(("no",))),
        ({"error": "no"}, Refusal(("no",))),
        ({"errors": ["a"], "errorMessages": "b"}, Refusal()),
        (["a"], Refusal()),
        (None, Refusal()),
        ("text", Refusal()),
    ],
)
def test_the_usual_error_bodies_are_read_and_others_say_nothing(body: object, refusal: Refusal) -> None:
    assert read_refusal(body) == refusal
