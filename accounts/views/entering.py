"""Coming in and going out: the one place that begins and ends a browser's session."""

import base64
import hashlib
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import login
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.choices import SignInKind, SignInWay
from accounts.middleware import SIGN_IN, remember_noted
from accounts.models import User
from accounts.parsing import device_name
from accounts.services.passwords import log_break_glass
from accounts.services.sign_ins import note_sign_in
from supporthub.core.middleware import client_address

BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
COOKIE: Final = "hub_second_step"
PATIENCE: Final = timedelta(minutes=5)  # for the second step
LONGEST_NEXT: Final = 500


@dataclass(frozen=True, slots=True)
class Pending:
    """Somebody whose password was right and who has no session yet. Lives in a signed cookie of their browser."""

    user_id: int
    proof: str  # changes with the password
    next: str


def enter(request: HttpRequest, user: User, way: SignInWay) -> None:
    """Begin a session: a new key, nothing carried over from before, and a row in the person's list."""
    request.session.flush()
    login(request, user, backend=BACKEND)
    if not request.session.session_key:
        request.session.create()
    sign_in = note_sign_in(
        user=user, kind=SignInKind.BROWSER, way=way, device=device_name(request.headers.get("User-Agent", "")),
        address=client_address(request), session_key=request.session.session_key or "",
        expires_at=timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE),
    )  # fmt: skip
    request.session[SIGN_IN] = str(sign_in.pk)
    remember_noted(str(sign_in.pk))
    if way is not SignInWay.ENTRA:
        log_break_glass(request, user)


def remember(response: HttpResponse, user: User, where: str) -> HttpResponse:
    """Give the browser the cookie of the second step."""
    value = signing.dumps(asdict(Pending(user.pk, _proof(user), where)), salt=COOKIE)
    response.set_cookie(
        COOKIE, value, max_age=PATIENCE, httponly=True, secure=settings.SESSION_COOKIE_SECURE, samesite="Lax",
        path="/sign-in/",
    )  # fmt: skip
    return response


def remembered(request: HttpRequest) -> tuple[User, str] | None:
    """Return who is at the second step, and where they want to go; None when the cookie is missing, old or foreign."""
    try:
        given: Any = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=PATIENCE)
        pending = Pending(**given)
    except (signing.BadSignature, TypeError):
        return None
    user = User.objects.filter(pk=pending.user_id, is_active=True).first()
    return (user, pending.next) if user is not None and pending.proof == _proof(user) else None


def forget(response: HttpResponse) -> HttpResponse:
    response.delete_cookie(COOKIE, path="/sign-in/", samesite="Lax")
    return response


def safe_next(request: HttpRequest) -> str:
    """Return the page of ours that the request wants to go to after the sign-in; the queue for any other address."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours and len(wanted) <= LONGEST_NEXT else resolve_url(settings.LOGIN_REDIRECT_URL)


def _proof(user: User) -> str:
    """A digest of what ends the user's sessions when it changes, so that it ends a pending step too."""
    digest = hashlib.sha256(user.get_session_auth_hash().encode()).digest()
    return base64.urlsafe_b64encode(digest[:12]).decode()
