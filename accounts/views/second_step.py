"""The second step of a sign-in with a password: a one-time code, or setting codes up where they are needed."""

from typing import Any

import segno
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.choices import SignInWay
from accounts.models import TotpDevice, User
from accounts.services.codes import (
    CodesLocked,
    WrongCode,
    app_address,
    begin_codes,
    confirm_codes,
    has_codes,
    must_have_codes,
    use_code,
)
from accounts.services.passwords import count_failure
from accounts.views.entering import enter, forget, remembered
from supporthub.core.errors import HubError


class CodeForm(forms.Form):
    code = forms.CharField(label=_("Code"), max_length=40)


@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the code, then begin the session. Whoever did not give a right password is sent to the first step."""
    known = remembered(request)
    if known is None or not has_codes(known[0]):
        return forget(redirect("sign-in"))
    user, where = known
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            way = use_code(user=user, typed=form.cleaned_data["code"])
        except CodesLocked:
            return _locked(request)
        except WrongCode as refusal:
            count_failure(request, user.email)
            form.add_error("code", refusal.detail)
        else:
            enter(request, user, way)
            return forget(redirect(where))
    status = 200 if request.method == "GET" else 422
    return render(request, "accounts/second_step.html", {"form": form}, status=status)


@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Set codes up before the first session, for people who must have them; then show the recovery codes, once."""
    known = remembered(request)
    if known is None or has_codes(known[0]) or not must_have_codes(known[0]):
        return forget(redirect("sign-in"))
    user, where = known
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = confirm_codes(user=user, typed=form.cleaned_data["code"])
        except CodesLocked:
            return _locked(request)
        except WrongCode as refusal:
            form.add_error("code", refusal.detail)
        else:
            enter(request, user, SignInWay.CODE)
            return forget(render(request, "accounts/recovery_codes_outside.html", {"codes": codes, "next": where}))
    context = {"form": form, **picture_of(begin_codes(user=user))}
    return render(request, "accounts/set_up_outside.html", context, status=200 if request.method == "GET" else 422)


def judge_code(form: forms.Form, user: User, typed: str) -> bool:
    """Use up a code; when it does not do, say so at the form's field `code`."""
    try:
        use_code(user=user, typed=typed)
    except HubError as refusal:
        form.add_error("code", refusal.detail)
        return False
    return True


def picture_of(device: TotpDevice) -> dict[str, Any]:
    """Return what a page shows of a secret: the QR picture as SVG in an address, and the secret in groups of four."""
    picture = segno.make(app_address(device), error="m", micro=False)
    return {
        "picture": picture.svg_data_uri(scale=4, border=4, dark="#000", light="#fff"),
        "secret": " ".join(device.secret[start : start + 4] for start in range(0, len(device.secret), 4)),
    }


def _locked(request: HttpRequest) -> HttpResponse:
    minutes = round(settings.AXES_COOLOFF_TIME.total_seconds() / 60)
    return render(request, "accounts/codes_locked.html", {"minutes": minutes}, status=429)
