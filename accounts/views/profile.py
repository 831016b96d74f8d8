"""One's own preferences."""

import zoneinfo

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.services.preferences import save_preferences
from supporthub.core.web import page


def _zones() -> list[tuple[str, object]]:
    zones = sorted(
        name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    )
    default = _("As the hub: %(zone)s") % {"zone": settings.DISPLAY_TIME_ZONE}
    return [("", default), ("UTC", "UTC"), *((name, name.replace("_", " ")) for name in zones)]


class ProfileForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=150, required=False)
    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", _("As the browser")), ("en", "English"), ("de", "Deutsch")]
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False, choices=_zones)
    shortcuts = forms.BooleanField(label=_("Keyboard shortcuts"), required=False)


@require_http_methods(["GET", "POST"])
@page
def profile(request: HttpRequest) -> HttpResponseBase:
    """Name, language, time zone, shortcuts. The theme is kept in the browser, by a script."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101  (`page` lets nobody else in)
    initial = {name: getattr(user, name) for name in ProfileForm.base_fields}
    form = ProfileForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        save_preferences(user=user, **form.cleaned_data)
        if user.language:
            translation.activate(user.language)
        messages.success(request, gettext("Saved."))
        return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form}, status=422 if form.errors else 200)
