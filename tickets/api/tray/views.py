"""POST /api/tickets, GET /api/checkstatus."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import FormParser as TextFormParser
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.callers import TrayCaller, tray_caller
from supporthub.core.api import problems
from supporthub.core.api.multipart import FormParser
from supporthub.core.deliveries.states import DeliveryState
from supporthub.core.errors import HubError, InvalidInput, NotThere
from supporthub.core.middleware import client_address
from supporthub.integrations.entra.errors import ScopeMissing, TokenRefused
from tickets.api.tray import states
from tickets.api.tray.description import describe_status, describe_submit
from tickets.api.tray.parsing import read_form, read_instance_id
from tickets.api.tray.throttling import count_caller, count_refusal
from tickets.services import tray
from tickets.services.attachments import store_upload, tray_rule

logger = structlog.get_logger(__name__)

_TRY_AGAIN = "5"  # seconds
_UNREADABLE = "The form cannot be read. Send multipart/form-data with title, description and perhaps image."
_STATUSES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], int, str], ...] = (
    ((exceptions.ParseError, exceptions.UnsupportedMediaType), 400, _UNREADABLE),
    ((TooManyFieldsSent, TooManyFilesSent), 400, "The form has too many parts."),
    (RequestDataTooBig, 413, "The form is too large."),
    (exceptions.Throttled, 429, "Too many calls; wait a moment."),
    (exceptions.MethodNotAllowed, 405, "This method is not offered here."),
)


class _AnyAnswer(BaseContentNegotiation):
    """There is one form of answer, whatever a client says it accepts."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        given = str(request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == given), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class TrayView(APIView):
    """No account of the hub and no cookie counts here; the person's token does, or the gateway's word."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = (FormParser, TextFormParser)
    content_negotiation_class = _AnyAnswer

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """As any unknown address while the calls are switched off."""
        if not settings.TRAY_API:
            return problems.not_found(request)
        return super().dispatch(request, *args, **kwargs)

    def caller(self, request: Request, *, allow_expired: bool) -> TrayCaller:
        """Return who calls, counted. Raises as `tray_caller`, and Throttled."""
        try:
            caller = tray_caller(request._request, allow_expired=allow_expired)  # noqa: SLF001  (DRF wraps Django's)
        except (TokenRefused, ScopeMissing) as refusal:
            address = client_address(request._request)  # noqa: SLF001
            count_refusal(request, address)
            self.refused(refusal, address)
            raise
        count_caller(request, caller)
        return caller

    def refused(self, refusal: HubError, address: str) -> None:
        """Nobody was proven; a hook for calls that record it."""

    def handle_exception(self, exc: Exception) -> Any:
        """Every refusal in plain text; what is none goes on as a defect."""
        if isinstance(exc, HubError):
            return _refusal(exc)
        if isinstance(exc, OperationalError):
            logger.warning("tray.database_unavailable", error=type(exc).__name__)
            return plain(503, "Not accepted now; try again in a moment.", {"Retry-After": _TRY_AGAIN})
        for kinds, status, words in _STATUSES:
            if isinstance(exc, kinds):
                return plain(status, words, self._headers(exc))
        return super().handle_exception(exc)

    def _headers(self, exc: Exception) -> dict[str, str]:
        if isinstance(exc, exceptions.MethodNotAllowed):
            return {"Allow": ", ".join(self.allowed_methods)}
        wait = getattr(exc, "wait", None)  # Throttled has it
        return {"Retry-After": str(int(wait))} if wait else {}


class SubmitView(TrayView):
    """A submission."""

    http_method_names = ["post"]

    @describe_submit
    def post(self, request: Request) -> HttpResponse:
        caller = self.caller(request, allow_expired=False)
        form = read_form(dict(request.POST.lists()), dict(request.FILES.lists()))
        picture = None if form.image is None else store_upload(form.image, rule=tray_rule())
        use = tray.submit(caller=caller, title=form.title, description=form.description, picture=picture)
        return answer(states.submitted(use.instance_id))

    def refused(self, refusal: HubError, address: str) -> None:
        tray.note_refused(code=refusal.code, address=address)


class CheckStatusView(TrayView):
    """What became of one."""

    http_method_names = ["get"]

    @describe_status
    def get(self, request: Request) -> HttpResponse:
        caller = self.caller(request, allow_expired=True)
        given = request.query_params.get("instance_id", "")
        if not given.strip():
            raise InvalidInput("The parameter instance_id is missing.")
        instance_id = read_instance_id(given)
        if instance_id is None:
            raise NotThere("There is no submission with this instance_id.")
        found = tray.status_of(caller=caller, instance_id=instance_id)
        if not found.ticket_key:
            return answer(states.exchanged(found.instance_id, created_at=found.created_at))
        return answer(
            states.progress(
                found.instance_id, created_at=found.created_at, updated_at=found.updated_at,
                ticket_key=found.ticket_key, state=DeliveryState(found.state), tries=found.tries,
            )
        )  # fmt: skip


def answer(body: dict[str, str]) -> HttpResponse:
    return JsonResponse(body, headers={"Cache-Control": "no-store"})


def plain(status: int, words: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """One line for a person who reads the client's log."""
    return HttpResponse(
        words, status=status, content_type="text/plain; charset=utf-8",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )  # fmt: skip


def _refusal(error: HubError) -> HttpResponse:
    status = HTTPStatus.UNAUTHORIZED if isinstance(error, ScopeMissing) else error.status
    faults = [f"{name}: {fault}" for name, found in error.errors.items() for fault in found]
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = str(getattr(error, "challenge", "Bearer"))
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(getattr(error, "retry_after", _TRY_AGAIN))
    return plain(status, "\n".join(faults) or error.detail, headers)
