"""A signed-in person's own language and time zone."""

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation


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
