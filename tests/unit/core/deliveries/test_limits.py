"""How long a target is left alone, and what its allowance lets through."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from supporthub.core.deliveries.limits import LONGEST_REST, refill, resting_end

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@given(st.floats(min_value=0, max_value=1e7))
def test_a_target_rests_as_long_as_it_asked_but_never_beyond_an_hour(seconds: float) -> None:
    until = resting_end(NOW, seconds)
    assert until <= NOW + timedelta(seconds=LONGEST_REST)
    assert until == NOW + timedelta(seconds=min(seconds, 3600))


@given(st.floats(min_value=0, max_value=100), st.floats(min_value=0, max_value=3600), st.floats(0.1, 100))
def test_an_allowance_grows_by_the_rate_and_never_beyond_a_second_of_it(left: float, gone: float, rate: float) -> None:
    now = refill(left, NOW - timedelta(seconds=gone), NOW, rate)
    assert now <= max(1.0, rate)
    assert now >= min(left, max(1.0, rate))
