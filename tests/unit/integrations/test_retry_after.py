"""What a named waiting time means."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supporthub.integrations.retry_after import parse_reset, parse_retry_after

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0), ("7", 7.0), (" 30 ", 30.0), ("1.5", 1.5), ("-3", 0.0), ("1800", 1800.0),
        ("Wed, 04 Mar 2026 05:07:07 GMT", 60.0), ("Wed, 04 Mar 2026 05:07:07 -0000", 60.0),
        ("Wed, 04 Mar 2026 05:00:00 GMT", 0.0),
        ("", None), (None, None), ("soon", None), ("nan", None), ("inf", None), ("-inf", None),
        ("Wed, 99 Mar 2026 05:07:07 GMT", None), ("1e999", None),
    ],
)  # fmt: skip
def test_whole_decimal_and_dated_waits_are_understood_and_nonsense_is_ignored(
    value: str | None, seconds: float | None
) -> None:
    assert parse_retry_after(value, NOW) == seconds


@given(st.text(max_size=40))
def test_no_header_breaks_the_parser_or_gives_a_negative_wait(value: str) -> None:
    for seconds in (parse_retry_after(value, NOW), parse_reset(value, NOW)):
        assert seconds is None or seconds >= 0


@given(st.integers(min_value=-100_000, max_value=10_000_000))
def test_a_date_means_the_time_until_then_and_a_past_one_means_now(seconds: int) -> None:
    header = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert parse_retry_after(header, NOW) == max(seconds, 0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2026-03-04T05:07Z", 53.0), ("2026-03-04T06:07:07+01:00", 60.0), ("2026-03-04T05:00:00Z", 0.0), ("later", None)],
)
def test_a_reset_moment_means_the_time_until_then(value: str, seconds: float | None) -> None:
    assert parse_reset(value, NOW) == seconds
