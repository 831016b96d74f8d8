"""What is remembered of Jira for minutes or hours: first in this process, then in the shared cache.

Both may be lost at any moment and the shared one may be down; then Jira is simply asked again.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

_LOCAL_ENTRIES = 2_000
_LOCAL_SECONDS = 60.0  # short, so that another process's `forget` soon counts here too
_AVOID_SECONDS = 10.0


class Memory:
    """Values by key, at most `_LOCAL_ENTRIES` of them here. Thread-safe. Keys are digests: they may hold addresses."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._local: OrderedDict[str, tuple[float, Any]] = OrderedDict()
        self._avoid_until = 0.0

    def recall(self, parts: tuple[str, ...], fetch: Callable[[], tuple[Any, float]]) -> Any:
        """The value for `parts`, else what `fetch` gives with the seconds that it may be kept (0: not at all).

        An error of `fetch` passes through and nothing is kept. Values must be picklable and are never None.
        """
        key = _key(parts)
        value = self._here(key)
        if value is None:
            value = self._shared(lambda: cache.get(key))
            if value is not None:
                self._keep_here(key, value, _LOCAL_SECONDS)
        if value is None:
            value, seconds = fetch()
            if seconds > 0:
                self._keep_here(key, value, min(seconds, _LOCAL_SECONDS))
                self._shared(lambda: cache.set(key, value, seconds))
        return value

    def forget(self, parts: tuple[str, ...]) -> None:
        """Drop a value that Jira has just contradicted."""
        key = _key(parts)
        with self._lock:
            self._local.pop(key, None)
        self._shared(lambda: cache.delete(key))

    def _here(self, key: str) -> Any:
        with self._lock:
            until, value = self._local.get(key, (0.0, None))
        return value if until > time.monotonic() else None

    def _keep_here(self, key: str, value: Any, seconds: float) -> None:
        with self._lock:
            self._local[key] = (time.monotonic() + seconds, value)
            self._local.move_to_end(key)
            while len(self._local) > _LOCAL_ENTRIES:
                self._local.popitem(last=False)

    def _shared(self, use: Callable[[], Any]) -> Any:
        """Use the shared cache; None when it is down, and then it is left alone for a moment."""
        if time.monotonic() < self._avoid_until:
            return None
        try:
            return use()
        except (RedisError, OSError) as error:
            self._avoid_until = time.monotonic() + _AVOID_SECONDS
            logger.warning("cache.unreachable", error=type(error).__name__)
            return None


def _key(parts: tuple[str, ...]) -> str:
    return "jira:" + hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:40]


memory = Memory()
