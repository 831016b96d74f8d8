"""What every page of the web UI does alike: ask for a sign-in, and turn refusals into words."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import quote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from supporthub.core.errors import HubError

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
HTMX_HEADER = "HX-Request"


def wants_fragment(request: HttpRequest) -> bool:
    """Return whether a script asks for a part of a page instead of a person for a whole one."""
    return HTMX_HEADER in request.headers


def page(view: View[P]) -> View[P]:
    """For signed-in people only; a HubError becomes an answer with its status and words.

    A script gets the words as plain text, and 401 with the way to the sign-in when the session has ended.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        try:
            response = view(request, *args, **kwargs)
        except HubError as error:
            response = refused(request, error)
        response.setdefault("Cache-Control", "private, no-cache")
        return response

    return cast(View[P], wrapped)


def refused(request: HttpRequest, error: HubError) -> HttpResponse:
    """Answer a refusal: plain words for a script, a page for a person."""
    words = error.detail
    faults = [fault for faults in error.errors.values() for fault in faults]
    if wants_fragment(request):
        return HttpResponse(" ".join(faults) or words, status=error.status, content_type="text/plain; charset=utf-8")
    context = {"status": error.status, "words": words, "faults": faults}
    return render(request, "error.html", context, status=error.status)


def done(request: HttpRequest, words: str, where: str, **triggers: Any) -> HttpResponse:
    """Answer a change that succeeded.

    A script gets 204 and events (`HX-Trigger`): a toast with `words` and whatever `triggers` names; its page then
    fetches what changed. Without a script: redirect to `where`, with the words as a message.
    """
    if wants_fragment(request):
        toast = {"hub:toast": {"text": words, "level": "success"}} if words else {}
        events = {**toast, **{name.replace("__", ":"): value for name, value in triggers.items()}}
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(events)})
    if words:
        messages.success(request, words)
    return redirect(where)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if wants_fragment(request):
        here = request.headers.get("HX-Current-URL-Abs-Path", "") or "/"
        address = f"{reverse('sign-in')}?next={quote(here)}"
        return HttpResponse(gettext("You are signed out."), status=401, headers={"HX-Redirect": address})
    return redirect(f"{reverse('sign-in')}?next={quote(request.get_full_path())}")
