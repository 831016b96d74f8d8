"""A request id for every request and its log lines; who the client is behind our own proxies."""

import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from supporthub.core.ids import accepted_request_id

logger = structlog.get_logger("supporthub.request")
QUIET_PATHS = ("/healthz", "/readyz", "/metrics", "/static/")

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def request_context(get_response: GetResponse) -> GetResponse:
    """Bind a request id to the log context, answer it as `X-Request-Id`, log one line a request."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request_id = accepted_request_id(request.headers.get("X-Request-Id"))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        response = get_response(request)
        response["X-Request-Id"] = request_id
        if not request.path.startswith(QUIET_PATHS):
            logger.info(
                "request", method=request.method, path=request.path, status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )  # fmt: skip
        return response

    return middleware


class GZip(GZipMiddleware):
    """Django's, but files that people sent go out as they are: most are compressed, and all are streamed."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress unless the answer is a file."""
        return response if "Content-Disposition" in response else super().process_response(request, response)


def client_address(request: HttpRequest) -> str:
    """Return the client's address, believing exactly REVERSE_PROXY_COUNT entries of X-Forwarded-For."""
    remote = str(request.META.get("REMOTE_ADDR") or "")
    count = int(settings.REVERSE_PROXY_COUNT)
    if count == 0:
        return remote
    chain = [part.strip() for part in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if part.strip()]
    return chain[-count] if len(chain) >= count else remote
