"""What the frame of every page needs. Everything is read only when the template asks: error pages ask for nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

from supporthub.core.places import Place, Spot, places_for, words_for_scripts
from supporthub.core.systems import name_of


@dataclass(frozen=True, slots=True)
class Link:
    """A place as the frame shows it."""

    place: Place
    url: str
    is_here: bool
    count: int | None
    spots: Sequence[Spot]


class Frame:
    """Lazy facts about the request for templates; one instance a request."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def links(self) -> list[Link]:
        here = getattr(self._request.resolver_match, "url_name", "") or ""
        return [
            Link(
                place,
                reverse(place.url_name),
                _belongs(here, place),
                place.count(self._request),
                place.spots(self._request),
            )
            for place in places_for(self._request)
        ]

    @cached_property
    def sandbox(self) -> list[str]:
        """The names of the systems that the sandbox plays."""
        return [name_of(system) for system in settings.SANDBOX_ACTIVE]

    @cached_property
    def script(self) -> dict[str, Any]:
        """For the page's scripts, as a block of JSON: who is here, where things are, and words."""
        user = self._request.user
        return {
            "user": {"id": user.pk or 0, "name": str(user) if user.is_authenticated else ""},
            "language": get_language(),
            "shortcuts": bool(getattr(user, "shortcuts", True)),
            "urls": {
                "live": "/ws/live/",
                "signIn": reverse("sign-in"),
                "palette": reverse("palette"),
                "newTicket": reverse("new-ticket"),
            },
            "places": [
                {"key": link.place.key, "label": str(link.place.label), "url": link.url, "icon": link.place.icon}
                for link in self.links
            ],
            "spots": [{"label": spot.label, "url": spot.url} for link in self.links for spot in link.spots],
            "words": words_for_scripts(),
        }


def hub(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    return {"hub": Frame(request)}


def _belongs(url_name: str, place: Place) -> bool:
    return url_name == place.url_name or url_name in place.within
