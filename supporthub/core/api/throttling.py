"""Rate limits that fail open: a dead cache must not take intake away."""

import structlog
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from supporthub.core.middleware import client_address

logger = structlog.get_logger(__name__)


class OpenScopedThrottle(ScopedRateThrottle):
    """DRF's scoped throttle by person or client address; lets everything through, with a note, while Redis is down."""

    def allow_request(self, request: HttpRequest, view: APIView) -> bool:
        try:
            return super().allow_request(request, view)
        except (RedisError, OSError) as error:
            logger.warning("throttle.open", scope=getattr(view, "throttle_scope", ""), error=type(error).__name__)
            return True

    def get_ident(self, request: HttpRequest) -> str:
        return client_address(request)
