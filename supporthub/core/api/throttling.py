"""Rate limits that fail open: a dead cache must not take intake away."""

import time
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle

from supporthub.core.middleware import client_address

if TYPE_CHECKING:  # at run time it is not there yet when this is one of its defaults
    from rest_framework.views import APIView

logger = structlog.get_logger(__name__)

REST = 5.0  # seconds without another question after Redis did not answer: a frozen one costs its time-out each time


class OpenScopedThrottle(ScopedRateThrottle):
    """DRF's scoped throttle by person or client address; lets everything through, with a note, while Redis is down."""

    _resting_until = 0.0

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if time.monotonic() < OpenScopedThrottle._resting_until:
            return True
        try:
            return super().allow_request(request, view)
        except (RedisError, OSError) as error:
            OpenScopedThrottle._resting_until = time.monotonic() + REST
            logger.warning("throttle.open", scope=getattr(view, "throttle_scope", ""), error=type(error).__name__)
            return True

    def get_ident(self, request: Request) -> str:
        return client_address(request._request)  # noqa: SLF001  (DRF wraps Django's request)
