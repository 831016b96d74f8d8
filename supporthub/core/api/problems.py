"""Every error of the native API as `application/problem+json` (RFC 9457) with a stable `code`."""

from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_handler

from supporthub.core.api.parsers import TooLarge
from supporthub.core.errors import HubError

logger = structlog.get_logger(__name__)
CONTENT_TYPE = "application/problem+json"
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A refusal (RFC 9457).",
    "required": ["title", "status", "code", "detail"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "pattern": "^[a-z_]+$", "description": "What went wrong; keeps its meaning."},
        "detail": {"type": "string", "description": "A sentence for a person."},
        "errors": {
            "type": "object",
            "description": "What is wrong with which field.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        },
    },
}
_TRY_AGAIN = {429: 60, 503: 5}  # seconds, where the error itself names none


def problem(status: int, code: str, detail: str, errors: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """Return the members of a problem answer; `type` is omitted, which RFC 9457 reads as about:blank."""
    body: dict[str, Any] = {"title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}
    if errors:
        body["errors"] = errors
    return body


def flatten(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """Turn DRF's nested validation detail into `field.path: [texts]`."""
    if isinstance(detail, dict):
        merged: dict[str, list[str]] = {}
        for key, value in detail.items():
            name = prefix if key == "non_field_errors" else _joined(prefix, key)
            merged.update(flatten(value, name))
        return merged
    if isinstance(detail, list) and any(isinstance(item, dict) and item for item in detail):
        merged = {}
        for index, value in enumerate(detail):
            merged.update(flatten(value, f"{prefix}[{index}]") if value else {})
        return merged
    texts = detail if isinstance(detail, list) else [detail]
    return {prefix or "body": [str(text) for text in texts]}


def _joined(prefix: str, key: Any) -> str:
    """A list's index is written `labels[0]`, a field's name `requester.email`."""
    return f"{prefix}[{key}]" if isinstance(key, int) else f"{prefix}.{key}".lstrip(".")


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER: map every error that a view may raise; None lets Django's 500 handler answer."""
    if isinstance(error, HubError):
        body = problem(error.status, error.code, error.detail, error.errors)
        return Response(body, status=error.status, content_type=CONTENT_TYPE, headers=_headers_of(error))
    if isinstance(error, OperationalError):
        logger.warning("api.database_unavailable", error=type(error).__name__)
        body = problem(503, "unavailable", "The database does not answer; try again in a moment.")
        return Response(body, status=503, content_type=CONTENT_TYPE, headers={"Retry-After": str(_TRY_AGAIN[503])})
    if isinstance(error, TooManyFieldsSent | TooManyFilesSent):
        body = problem(400, "too_many_parts", "The form has too many parts. Nothing was accepted.")
        return Response(body, status=400, content_type=CONTENT_TYPE)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, RequestDataTooBig):
        error = TooLarge()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    answer = drf_handler(error, context)
    if answer is None or not isinstance(error, exceptions.APIException):
        return answer
    answer.data = _body_of(error, answer.status_code)
    answer.content_type = CONTENT_TYPE
    if answer.status_code in _TRY_AGAIN:  # a throttle that cannot tell the wait names none
        answer.headers.setdefault("Retry-After", str(_TRY_AGAIN[answer.status_code]))
    return answer


def _headers_of(error: HubError) -> dict[str, str]:
    again = getattr(error, "retry_after", None) or _TRY_AGAIN.get(error.status)
    return {"Retry-After": str(int(again))} if again else {}


def _body_of(error: exceptions.APIException, status: int) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        errors = flatten(error.detail)
        return problem(status, "invalid", f"Not accepted: {', '.join(errors)}.", errors)
    if isinstance(error.detail, dict):  # simplejwt answers with a dictionary
        return problem(status, str(error.detail.get("code", error.default_code)), str(error.detail.get("detail", "")))
    code = error.detail.code if isinstance(error.detail, exceptions.ErrorDetail) else error.default_code
    return problem(status, str(code), str(error.detail))


def server_error(request: HttpRequest) -> JsonResponse:
    """The answer to a defect below /api/: no stack trace, and the id that finds it in the log."""
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    detail = f"The hub failed at this request. Nothing was accepted. Request id: {request_id}"
    return JsonResponse(problem(500, "error", detail), status=500, content_type=CONTENT_TYPE)


def not_found(request: HttpRequest) -> JsonResponse:
    return JsonResponse(
        problem(404, "not_found", "There is nothing at this address."), status=404, content_type=CONTENT_TYPE
    )
