"""Error pages in words. They read no database: it may be what is broken. urls.py names them as handlers."""

import sys

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from supporthub.core.errors import HubError
from supporthub.core.web import refused


def _answer(template: str, status: int, request: HttpRequest | None = None) -> HttpResponse:
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    context = {"request_id": request_id, "path": request.path if request else ""}
    return HttpResponse(render_to_string(template, context), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400; a refusal of ours that came before any view (an upload, while it was read) in its own words and status."""
    if isinstance(exception, HubError):
        return refused(request, exception)
    return _answer("400.html", 400, request)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer("403.html", 403, request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer("404.html", 404, request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For CSRF_FAILURE_VIEW. The reason is for the log (Django writes it); people get the way out."""
    return _answer("403_csrf.html", 403, request)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 when the database does not answer: then waiting helps, and the page says so."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        response = _answer("503.html", 503, request)
        response["Retry-After"] = "10"
        return response
    return _answer("500.html", 500, request)
