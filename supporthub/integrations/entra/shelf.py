"""Small notes that all processes share, in Django's cache; with Redis away, every process keeps its own."""

import time

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

_AWAY = (RedisError, OSError)


class Shelf:
    """Text under a name, for a time. No method raises when the cache is away."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._own: dict[str, tuple[str, float]] = {}

    def read(self, name: str) -> str | None:
        """What is written there; this process's own copy when the cache is away or has lost it."""
        try:
            found = cache.get(self._prefix + name)
        except _AWAY as error:
            logger.warning("entra.cache_away", error=type(error).__name__)
            found = None
        return found if isinstance(found, str) else self._own_copy(name)

    def write(self, name: str, text: str, seconds: float) -> None:
        """Replace what is written there."""
        self._own[name] = (text, time.monotonic() + seconds)
        try:
            cache.set(self._prefix + name, text, seconds)
        except _AWAY as error:
            logger.warning("entra.cache_away", error=type(error).__name__)

    def claim(self, name: str, seconds: float) -> bool:
        """Whether nobody has claimed the name within its time; then it is claimed. Atomic over all processes."""
        try:
            return bool(cache.add(self._prefix + name, "claimed", seconds))
        except _AWAY:
            if self._own_copy(name) is not None:
                return False
            self._own[name] = ("claimed", time.monotonic() + seconds)
            return True

    def drop(self, name: str) -> None:
        """Forget what is written there."""
        self._own.pop(name, None)
        try:
            cache.delete(self._prefix + name)
        except _AWAY as error:
            logger.warning("entra.cache_away", error=type(error).__name__)

    def forget_own(self) -> None:
        """Drop this process's copies only."""
        self._own.clear()

    def _own_copy(self, name: str) -> str | None:
        text, until = self._own.get(name, ("", 0.0))
        return text if until > time.monotonic() else None
