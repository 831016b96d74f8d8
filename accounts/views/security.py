"""The profile's page of one's own safety: where one is signed in, one-time codes, recovery codes."""

import uuid
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.middleware import SIGN_IN
from accounts.models import User
from accounts.selectors import codes_of, open_sign_ins
from accounts.services.codes import (
    WrongCode,
    begin_codes,
    confirm_codes,
    must_have_codes,
    renew_recovery_codes,
    switch_codes_off,
)
from accounts.services.passwords import check_password, passwords_open_to
from accounts.services.sign_ins import end_sign_ins
from accounts.views.second_step import CodeForm, judge_code, picture_of
from supporthub.core.errors import HubError
from supporthub.core.web import page


class ProofForm(forms.Form):
    """Who switches something off proves both steps again."""

    password = forms.CharField(label=_("Password"), max_length=4096, strip=False, widget=forms.PasswordInput)
    code = forms.CharField(label=_("Code, or a recovery code"), max_length=40)

    def is_proven(self, request: HttpRequest, user: User) -> bool:
        """Check the password before the code, so that a wrong password uses no code up."""
        if not self.is_valid():
            return False
        if check_password(request, email=user.email, password=self.cleaned_data["password"]) != user:
            self.add_error("password", gettext("This is not your password."))
            return False
        return judge_code(self, user, self.cleaned_data["code"])


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)


def _here(request: HttpRequest) -> uuid.UUID | None:
    known = request.session.get(SIGN_IN)
    return uuid.UUID(known) if known else None


@never_cache
@require_GET
@page
def security(request: HttpRequest) -> HttpResponseBase:
    """Where this person is signed in, and the state of their one-time codes."""
    user = _me(request)
    context = {
        "sign_ins": open_sign_ins(user.pk),
        "here": _here(request),
        "codes": codes_of(user.pk),
        "must": must_have_codes(user),
        "has_password": user.has_usable_password() and passwords_open_to(user),
    }
    return render(request, "accounts/security.html", context)


@require_POST
@page
def end(request: HttpRequest) -> HttpResponseBase:
    """End one sign-in (`id`), or all but this one (`id=others`). A foreign id ends nothing."""
    user, wanted = _me(request), request.POST.get("id", "")
    if wanted == "others":
        ended = end_sign_ins(user_id=user.pk, actor=user, keep=_here(request))
    else:
        try:
            ended = end_sign_ins(user_id=user.pk, actor=user, only=[uuid.UUID(wanted)])
        except ValueError:
            ended = 0
    words = ngettext("Signed out in %(n)d place.", "Signed out in %(n)d places.", ended) % {"n": ended}
    messages.success(request, words)
    return redirect("security")


@sensitive_post_parameters("code")
@never_cache
@require_http_methods(["GET", "POST"])
@page
def codes_on(request: HttpRequest) -> HttpResponseBase:
    """Show the secret, and switch codes on with the first one; then show the recovery codes, once."""
    user = _me(request)
    device = begin_codes(user=user)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = confirm_codes(user=user, typed=form.cleaned_data["code"])
        except WrongCode as refusal:
            form.add_error("code", refusal.detail)
        else:
            return _codes_once(request, codes)
    context = {"form": form, **picture_of(device)}
    return render(request, "accounts/codes_on.html", context, status=200 if request.method == "GET" else 422)


@sensitive_post_parameters("code", "password")
@never_cache
@require_http_methods(["GET", "POST"])
@page
def codes_off(request: HttpRequest) -> HttpResponseBase:
    """Switch codes off, with password and code; refused to who must have them."""
    user = _me(request)
    if must_have_codes(user):
        raise _MustHave(gettext("Your roles need one-time codes. They cannot be switched off."))
    form = ProofForm(request.POST or None)
    if request.method == "POST" and form.is_proven(request, user):
        switch_codes_off(user=user, actor=user)
        messages.success(request, gettext("One-time codes are off."))
        return redirect("security")
    return _proof_page(request, form, "off")


@sensitive_post_parameters("code", "password")
@never_cache
@require_http_methods(["GET", "POST"])
@page
def new_recovery_codes(request: HttpRequest) -> HttpResponseBase:
    """Make new recovery codes, with password and code; the old ones end."""
    user = _me(request)
    form = ProofForm(request.POST or None)
    if request.method == "POST" and form.is_proven(request, user):
        return _codes_once(request, renew_recovery_codes(user=user, actor=user))
    return _proof_page(request, form, "recovery")


class _MustHave(HubError):
    code = "codes_needed"
    status = 403


def _codes_once(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return render(request, "accounts/recovery_codes.html", {"codes": codes})


def _proof_page(request: HttpRequest, form: ProofForm, what: str) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "what": what}
    return render(request, "accounts/codes_proof.html", context, status=200 if request.method == "GET" else 422)
