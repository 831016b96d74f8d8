"""Signing in and out."""

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.events import SignedOut
from accounts.models import User
from supporthub.core import events


class SignInForm(forms.Form):
    username = forms.EmailField(label=_("E-mail"), max_length=254)
    password = forms.CharField(label=_("Password"), max_length=4096, strip=False, widget=forms.PasswordInput)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in and go on to `next`, if that is a page of ours. Wrong address and wrong password get the same words."""
    where = _safe_next(request)
    if request.user.is_authenticated:
        return redirect(where)
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = authenticate(
            request, username=form.cleaned_data["username"].lower(), password=form.cleaned_data["password"]
        )
        if user is not None:
            login(request, user)
            return redirect(where)
        form.add_error(None, _("This address and password do not fit together. Look at both and try again."))
    status = 200 if request.method == "GET" else 422
    return render(request, "accounts/sign_in.html", {"form": form, "next": where}, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign-in")


def locked_out(request: HttpRequest, *_answer_and_credentials: object) -> HttpResponse:
    """Answer when axes has counted too many failures for this address from this place (AXES_LOCKOUT_CALLABLE)."""
    minutes = round(settings.AXES_COOLOFF_TIME.total_seconds() / 60)
    return render(request, "accounts/locked_out.html", {"minutes": minutes}, status=429)


@receiver(user_logged_out)
def tell_open_pages(request: HttpRequest | None, user: User | None, **_signal: object) -> None:
    """Publish the sign-out, whichever page it came from, so that live connections of this session end."""
    if request is not None and user is not None:
        with transaction.atomic():
            events.publish(SignedOut(user.pk, request.session.session_key or ""))


def _safe_next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return wanted
    return resolve_url(settings.LOGIN_REDIRECT_URL)
