"""The benchmarks' arithmetic: a wrong percentile or ratio would be believed by everybody."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.load.figures import Aim, Result, median_ratio, number, percentile, steady_rate, table

figures = st.floats(min_value=0.001, max_value=1e6)


def test_percentile_is_the_nearest_rank() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert percentile([7.0], 0.01) == 7


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@given(st.lists(figures, min_size=1), st.floats(min_value=0.01, max_value=1.0))
def test_at_least_the_share_lies_at_or_below_its_percentile_and_it_is_the_smallest_such_value(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9


@given(st.lists(figures, min_size=1, max_size=20), st.floats(min_value=0.01, max_value=100))
def test_drift_of_the_machine_cancels_in_the_ratio(limits: list[float], ratio: float) -> None:
    assert median_ratio([(limit * ratio, limit) for limit in limits]) == pytest.approx(ratio)


def test_one_disturbed_round_does_not_move_the_ratio() -> None:
    assert median_ratio([(60, 100), (61, 100), (3, 100)]) == 0.6


@given(st.floats(min_value=1, max_value=1000), st.integers(min_value=20, max_value=300))
def test_steady_rate_is_that_of_even_events(rate: float, count: int) -> None:
    assert steady_rate([place / rate for place in range(count)]) == pytest.approx(rate, rel=1e-6)


def test_steady_rate_leaves_a_slow_start_and_a_slow_end_out() -> None:
    even = [10 + place / 50 for place in range(80)]
    assert steady_rate([0.0] * 10 + even + [500.0] * 10) == pytest.approx(50)


@pytest.mark.parametrize("moments", [[], [1.0], [2.0, 2.0, 2.0]])
def test_steady_rate_needs_two_different_moments(moments: list[float]) -> None:
    with pytest.raises(ValueError, match="too few"):
        steady_rate(moments)


@pytest.mark.parametrize(
    ("aim", "ratio", "hub", "met"),
    [
        (Aim("least", 0.6), 0.6, 1.0, True),
        (Aim("least", 0.6), 0.59, 1000.0, False),
        (Aim("most", 2.0), 2.0, 1.0, True),
        (Aim("most", 2.0), 2.01, 1.0, False),
        (Aim("most", 50, of="hub"), 99.0, 50.0, True),
        (Aim("most", 50, of="hub"), 0.1, 50.1, False),
        (Aim("least", 0.6), None, 1.0, None),
        (Aim("least", 0.6), math.nan, 1.0, None),
    ],
)
def test_an_aim_is_judged_by_the_figure_that_it_speaks_of(
    aim: Aim, ratio: float | None, hub: float, met: bool | None
) -> None:
    assert aim.met(ratio, hub) is met


def test_figures_have_about_three_digits() -> None:
    assert [number(value, "ms") for value in (1234.5, 99.94, 9.994)] == ["1234 ms", "99.9 ms", "9.99 ms"]
    assert number(None) == number(math.nan) == "–"


def test_table_says_what_is_missed_and_numbers_each_note_once() -> None:
    lines = [
        Result("one", 50.0, "/s", 100.0, 0.5, Aim("least", 0.6), "Said once."),
        Result("two", 90.0, "/s", 100.0, 0.9, Aim("least", 0.6), "Said once."),
        Result("three", 1.0, ""),
    ]
    shown = table(lines).splitlines()
    assert [("MISSED" in line, "  met" in line) for line in shown[2:5]] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert shown[5:] == ["[1] Said once."]
    assert shown[2].startswith("one [1]")
    assert shown[3].startswith("two [1]")


def test_json_has_the_verdict_and_the_aim_in_words() -> None:
    found = Result("page", 40.0, "ms", 2.0, 20.0, Aim("most", 50, of="hub", unit="ms")).as_json()
    assert (found["aim"], found["met"], found["ratio"]) == ("≤ 50 ms", True, 20.0)
