"""What follows from who is signed in: language and time zone, and the note that a sign-in is in use."""

import time
import uuid
import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation

from accounts.services.sign_ins import SEEN_EVERY, note_seen


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name or settings.DISPLAY_TIME_ZONE)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def person_preferences(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Activate language and time zone of the user of this session.

    What programs read keeps the defaults: its texts are English whatever a client's Accept-Language asks for.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(("/api/", "/healthz", "/readyz", "/metrics", "/static/")):
            translation.activate(settings.LANGUAGE_CODE)
            request.LANGUAGE_CODE = settings.LANGUAGE_CODE
            return get_response(request)
        user = request.user
        with timezone.override(_zone(getattr(user, "time_zone", ""))):
            language = getattr(user, "language", "")
            if language:
                translation.activate(language)
                request.LANGUAGE_CODE = language
            return get_response(request)

    return middleware


SIGN_IN = "sign_in"  # the id of the SignIn row, in the session
_MOST_REMEMBERED = 10_000
_noted: dict[str, float] = {}  # by this process; the row itself keeps other processes to once a minute


def sign_in_in_use(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Note at most once a minute that a browser's sign-in is in use, after its answer. Static files ask for nobody."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.session.accessed and (sign_in := request.session.get(SIGN_IN)):
            _note(str(sign_in))
        return response

    return middleware


def remember_noted(sign_in: str) -> None:
    """The row was just written."""
    if len(_noted) >= _MOST_REMEMBERED:
        _noted.clear()
    _noted[sign_in] = time.monotonic()


def _note(sign_in: str) -> None:
    if time.monotonic() - _noted.get(sign_in, float("-inf")) >= SEEN_EVERY.total_seconds():
        remember_noted(sign_in)
        note_seen(uuid.UUID(sign_in))
