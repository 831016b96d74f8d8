"""Signing in with a password, and out."""

from django import forms
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.choices import SignInWay
from accounts.events import SignedOut
from accounts.middleware import SIGN_IN
from accounts.models import User
from accounts.selectors import way_of
from accounts.services.codes import has_codes, must_have_codes
from accounts.services.entra import app
from accounts.services.passwords import check_password, passwords_open_to_all
from accounts.services.sign_ins import close_sign_in
from accounts.views.entering import enter, remember, safe_next
from supporthub.core import events
from supporthub.core.api.problems import CONTENT_TYPE, problem
from supporthub.integrations.entra.sign_in import sign_out_address


class SignInForm(forms.Form):
    username = forms.EmailField(label=_("E-mail"), max_length=254)
    password = forms.CharField(label=_("Password"), max_length=4096, strip=False, widget=forms.PasswordInput)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in and go on to `next`, if that is a page of ours. Wrong address and wrong password get the same words."""
    where = safe_next(request)
    if request.user.is_authenticated:
        return redirect(where)
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = check_password(request, email=form.cleaned_data["username"], password=form.cleaned_data["password"])
        if user is not None:
            return _after_password(request, user, where)
        form.add_error(None, _("This address and password do not fit together. Look at both and try again."))
    context = {"form": form, "next": where, "entra": settings.ENTRA_SIGN_IN, "passwords": passwords_open_to_all()}
    return render(request, "accounts/sign_in.html", context, status=200 if request.method == "GET" else 422)


def _after_password(request: HttpRequest, user: User, where: str) -> HttpResponse:
    """Begin the session, or go to the second step; before that there is no session."""
    if has_codes(user):
        return remember(redirect("sign-in-code"), user, where)
    if must_have_codes(user):
        return remember(redirect("sign-in-set-up"), user, where)
    enter(request, user, SignInWay.PASSWORD)
    return redirect(where)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; for who came with Microsoft, also the one there.

    The page in between is ours, because the policy of what a browser may do lets no form lead to another host.
    """
    came_with_microsoft = settings.ENTRA_SIGN_IN and way_of(request.session.get(SIGN_IN)) == SignInWay.ENTRA
    logout(request)
    if not came_with_microsoft:
        return redirect("sign-in")
    address = sign_out_address(app(), settings.PUBLIC_URL + reverse("sign-in"))
    return render(request, "accounts/signed_out.html", {"address": address})


def locked_out(request: HttpRequest, *_answer_and_credentials: object) -> HttpResponse:
    """Answer when axes has counted too many failures for this address from this place (AXES_LOCKOUT_CALLABLE)."""
    seconds = round(settings.AXES_COOLOFF_TIME.total_seconds())
    if request.path.startswith("/api/"):
        body = problem(429, "locked_out", "Too many failed sign-ins; try again later.")
        return JsonResponse(body, status=429, content_type=CONTENT_TYPE, headers={"Retry-After": str(seconds)})
    minutes = round(seconds / 60)
    return render(request, "accounts/locked_out.html", {"minutes": minutes}, status=429)


@receiver(user_logged_out)
def tell_open_pages(request: HttpRequest | None, user: User | None, **_signal: object) -> None:
    """Publish the sign-out, whichever page it came from, so that live connections of this session end."""
    if request is None or user is None:
        return
    with transaction.atomic():
        events.publish(SignedOut(user.pk, request.session.session_key or ""))
        if sign_in := request.session.get(SIGN_IN):
            close_sign_in(sign_in_id=sign_in)
