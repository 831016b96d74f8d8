"""Sign-in with Microsoft: there and back."""

import uuid
from typing import Final

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.choices import SignInWay
from accounts.services.entra import PATIENCE, NotAdmitted, admit, begin_flow, finish_flow
from accounts.views.entering import enter, safe_next
from supporthub.core.errors import TransientError
from supporthub.integrations.entra.errors import KeysUnavailable

COOKIE: Final = "hub_entra"
_PATH: Final = "/sign-in/microsoft/"


@never_cache
@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """Lead to Microsoft's page. The flow is kept here, and bound to this browser by a cookie of its own."""
    _must_be_on()
    where = safe_next(request)
    if request.user.is_authenticated:
        return redirect(where)
    try:
        flow, address = begin_flow(where)
    except TransientError:
        return _away(request)
    response = redirect(address)
    response.set_cookie(
        COOKIE, signing.dumps(str(flow.pk), salt=COOKIE), max_age=PATIENCE, httponly=True, samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE, path=_PATH,
    )  # fmt: skip
    return response


@never_cache
@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Come back from Microsoft's page: begin a session, or say why not. Only the browser that went may come back."""
    _must_be_on()
    try:
        flow_id = uuid.UUID(signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=PATIENCE))
        newcomer, where = finish_flow(flow_id, {name: str(value) for name, value in request.GET.items()})
        user = admit(newcomer)
    except signing.BadSignature:
        words = gettext("This browser has not begun a sign-in, or a while ago. Start again.")
        return _refused(request, words)
    except NotAdmitted as refusal:
        return _refused(request, refusal.detail, refusal.object_id)
    except (TransientError, KeysUnavailable):
        return _away(request)
    enter(request, user, SignInWay.ENTRA)
    response = redirect(where)
    response.delete_cookie(COOKIE, path=_PATH, samesite="Lax")
    return response


def _must_be_on() -> None:
    if not settings.ENTRA_SIGN_IN:
        raise Http404


def _refused(request: HttpRequest, words: str, object_id: str = "") -> HttpResponse:
    response = render(request, "accounts/entra_refused.html", {"words": words, "object_id": object_id}, status=403)
    response.delete_cookie(COOKIE, path=_PATH, samesite="Lax")
    return response


def _away(request: HttpRequest) -> HttpResponse:
    words = gettext("Microsoft's sign-in does not answer. Try again in a moment.")
    response = render(request, "accounts/entra_refused.html", {"words": words}, status=503)
    response["Retry-After"] = "10"
    return response
