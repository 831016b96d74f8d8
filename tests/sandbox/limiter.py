"""The rate limits of Jira Cloud: a token bucket per endpoint and method, a cap on writes to one issue. Off by default.

Source: Atlassian's rate-limit documentation (defaults GET and POST 100/s, PUT and DELETE 50/s; 20 writes per 2 s and
100 per 30 s on one issue). The bucket size is unpublished: one second's worth here.
"""

import re
from collections import deque
from collections.abc import Mapping
from typing import Any

RATES: Mapping[str, float] = {"GET": 100.0, "POST": 100.0, "PUT": 50.0, "DELETE": 50.0}
ISSUE_PATH = re.compile(r"/issue/([A-Z][A-Z0-9]*-\d+|\d+)(?:/|$)", re.IGNORECASE)
CREATED_PARTS = re.compile(r"/(?:[A-Z][A-Z0-9]*-)?\d+(?=/|$)")
PER_ISSUE = ((2.0, 20), (30.0, 100))


class Limiter:
    """Says for each request whether it is refused. ``now`` is seconds of a monotonic clock."""

    def __init__(self, rates: Mapping[str, float] = RATES) -> None:
        self._rates = {**RATES, **rates}
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}
        self._writes: dict[str, deque[float]] = {}

    def refused(self, method: str, path: str, now: float) -> Mapping[str, Any] | None:
        """Params for the 429, or None when the request may pass (and has been counted)."""
        rate = self._rates.get(method)
        if rate is None:
            return None
        bucket = (method, CREATED_PARTS.sub("/#", path))
        tokens, at = self._buckets.get(bucket, (rate, now))
        tokens = min(rate, tokens + (now - at) * rate)
        if tokens < 1:
            self._buckets[bucket] = (tokens, now)
            return {"reason": "jira-burst-based", "retry_after": max(1, round((1 - tokens) / rate))}
        if method != "GET" and (wait := self._issue_is_hot(path, now)):
            return {"reason": "jira-per-issue-on-write", "retry_after": wait}
        self._buckets[bucket] = (tokens - 1, now)
        return None

    def _issue_is_hot(self, path: str, now: float) -> int:
        match = ISSUE_PATH.search(path)
        if match is None:
            return 0
        writes = self._writes.setdefault(match.group(1).upper(), deque())
        while writes and writes[0] <= now - PER_ISSUE[-1][0]:
            writes.popleft()
        for window, most in PER_ISSUE:
            if sum(at > now - window for at in writes) >= most:
                return max(1, round(window))
        writes.append(now)
        return 0
