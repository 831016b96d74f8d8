"""What follows from an attempt: rules without a clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supporthub.core.deliveries import rules
from supporthub.core.deliveries.rules import Absent, Again, Done, Facts, Park, Policy, Undecided, Unknown
from supporthub.core.deliveries.states import DeliveryState, Mode

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
POLICY = Policy()


def facts(mode: Mode = Mode.ACT, *, tries: int = 1, age: float = 0.0, doubt: float | None = None) -> Facts:
    """Facts of an attempt that began `age` seconds ago; `doubt` is the age of the ambiguity."""
    return Facts(
        mode=mode, tries=tries, first_tried_at=NOW - timedelta(seconds=age),
        attempt_started_at=NOW - timedelta(seconds=min(age, 1.0)),
        unknown_since=None if doubt is None else NOW - timedelta(seconds=doubt), now=NOW,
    )  # fmt: skip


def decide(outcome: rules.Outcome, given_facts: Facts, *, scale: float = 1.0, chance: float = 0.0) -> rules.Change:
    return rules.decide(outcome, given_facts, POLICY, scale, lambda: chance)


def seconds_until(change: rules.Change) -> float:
    return (change.not_before - NOW).total_seconds()


outcomes = st.one_of(
    st.builds(Done),
    st.builds(Again, st.just("busy"), st.just("busy"), st.none() | st.floats(0, 10_000)),
    st.builds(Unknown, st.just("no_answer"), st.just("no answer")),
    st.builds(Park, st.just("rejected"), st.just("rejected")),
    st.builds(Absent),
    st.builds(Undecided, st.just("lag"), st.just("lag")),
)
any_facts = st.builds(
    lambda mode, tries, age, doubt: facts(mode, tries=tries, age=age, doubt=doubt),
    st.sampled_from(Mode), st.integers(1, 10_000), st.floats(0, 200_000), st.none() | st.floats(0, 200_000),
)  # fmt: skip


@given(outcomes, any_facts, st.floats(0.001, 1.0), st.floats(0, 0.999))
def test_no_outcome_leaves_a_row_running_or_due_in_the_past(
    outcome: rules.Outcome, given_facts: Facts, scale: float, chance: float
) -> None:
    change = decide(outcome, given_facts, scale=scale, chance=chance)
    assert change.state != DeliveryState.RUNNING
    assert change.not_before >= NOW


@given(any_facts, st.floats(0.001, 1.0))
def test_a_doubtful_attempt_is_never_simply_repeated(given_facts: Facts, scale: float) -> None:
    change = decide(Unknown("no_answer", ""), given_facts, scale=scale)
    assert change.state == DeliveryState.UNKNOWN
    assert change.unknown_since is not None


@given(st.floats(0, 599.9), st.floats(0.001, 1.0))
def test_absence_is_not_believed_before_the_window_has_passed(doubt: float, scale: float) -> None:
    change = decide(Absent(), facts(Mode.RECONCILE, age=doubt * scale, doubt=doubt * scale), scale=scale)
    assert change.state == DeliveryState.UNKNOWN


def test_absence_after_the_window_makes_the_row_due_again_without_doubt() -> None:
    change = decide(Absent(), facts(Mode.RECONCILE, age=600, doubt=600))
    assert (change.state, change.unknown_since, seconds_until(change)) == (DeliveryState.PENDING, None, 0)


@pytest.mark.parametrize(
    ("doubt", "wait"), [(1, 14), (15, 30), (44, 1), (46, 74), (200, 100), (301, 299), (600, 300), (7200, 300)]
)
def test_a_doubt_is_looked_at_on_a_schedule_from_the_attempt(doubt: float, wait: float) -> None:
    change = decide(Undecided("lag", ""), facts(Mode.RECONCILE, age=doubt, doubt=doubt))
    assert seconds_until(change) == pytest.approx(wait)


def test_a_failed_look_keeps_the_doubt_even_when_the_other_side_was_only_busy() -> None:
    change = decide(Again("busy", "", after=120), facts(Mode.RECONCILE, age=20, doubt=20))
    assert change.state == DeliveryState.UNKNOWN
    assert seconds_until(change) == pytest.approx(120)


def test_a_doubt_that_cannot_be_resolved_in_a_day_needs_a_person_and_stays_a_doubt() -> None:
    change = decide(Undecided("lag", ""), facts(Mode.RECONCILE, age=90_000, doubt=90_000))
    assert (change.state, change.code) == (DeliveryState.PARKED, "cannot_tell")
    assert change.unknown_since is not None


@given(st.integers(1, 1000), st.floats(0, 0.999), st.floats(0.001, 1))
def test_backoff_doubles_to_a_cap_and_jitter_stays_within_its_share(tries: int, chance: float, scale: float) -> None:
    plain = min(POLICY.cap, POLICY.base * 2 ** min(tries - 1, 30)) * scale
    waited = rules.backoff(tries, POLICY, scale, chance)
    assert plain <= waited <= plain * (1 + POLICY.jitter)


@given(st.floats(0, POLICY.longest_wait), st.integers(1, 50), st.floats(0, 0.999))
def test_a_time_that_the_other_side_named_is_never_undercut_nor_scaled(asked: float, tries: int, chance: float) -> None:
    change = decide(Again("busy", "", after=asked), facts(tries=tries), scale=0.001, chance=chance)
    assert seconds_until(change) >= asked - 1e-6


def test_being_asked_to_wait_for_hours_needs_a_person() -> None:
    assert decide(Again("quota", "", after=3601), facts()).state == DeliveryState.PARKED


def test_a_day_of_failures_needs_a_person() -> None:
    assert decide(Again("busy", ""), facts(tries=99, age=86_401)).code == "gave_up"


def test_done_ends_the_doubt() -> None:
    change = decide(Done(), facts(Mode.RECONCILE, doubt=30))
    assert (change.state, change.unknown_since) == (DeliveryState.DONE, None)
