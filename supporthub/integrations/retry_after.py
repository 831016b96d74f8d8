"""When an outside system says that it wants to be left alone for a while. Pure."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait from a `Retry-After` header, never negative; None when it is absent or makes no sense.

    Accepts whole seconds and an HTTP date (RFC 9110, section 10.2.3), and decimal seconds, which gateways send too.
    `now` is an aware datetime.
    """
    text = (value or "").strip()
    try:
        seconds = float(text)
    except ValueError:
        return _until(_http_date(text), now)
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def parse_reset(value: str | None, now: datetime) -> float | None:
    """Seconds until the moment in `X-RateLimit-Reset` (ISO 8601, as Jira Cloud sends it with 429), else None."""
    try:
        moment = datetime.fromisoformat((value or "").strip())
    except ValueError:
        return None
    return _until(moment, now)


def _http_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


def _until(moment: datetime | None, now: datetime) -> float | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - now).total_seconds(), 0.0)
