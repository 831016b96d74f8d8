"""The places of the web UI's frame. Apps register theirs; the frame shows what the signed-in person may open."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise

from supporthub.core.words import frame_words

Badge = Callable[[HttpRequest], int | None]
Allowed = Callable[[HttpRequest], bool]


@dataclass(frozen=True, slots=True)
class Spot:
    """Something of a person's own within a place, for example a saved view; shown below it."""

    label: str
    url: str
    is_here: bool = False


Spots = Callable[[HttpRequest], Sequence[Spot]]


@dataclass(frozen=True, slots=True)
class Place:
    """`key` is the letter after `g`; `count` how many things there need someone (None: no badge).

    `within` names further URLs of which this is the place; `spots` what the person has put there.
    """

    url_name: str
    label: str | Promise
    icon: str
    key: str
    order: int
    count: Badge
    allowed: Allowed
    within: tuple[str, ...] = ()
    spots: Spots = lambda _request: ()


Words = Callable[[], dict[str, str]]

_places: dict[str, Place] = {}
_words: list[Words] = []


def register(place: Place) -> None:
    """Add a place; registering a URL name again replaces it."""
    _places[place.url_name] = place


def places_for(request: HttpRequest) -> list[Place]:
    """Return the places that this request's user may open, in their order."""
    return sorted((place for place in _places.values() if place.allowed(request)), key=lambda place: place.order)


def register_words(source: Words) -> None:
    """Give the page's scripts words of an app; called with the person's language active."""
    _words.append(source)


def words_for_scripts() -> dict[str, str]:
    """Return every word that scripts show."""
    found = dict(frame_words())
    for source in _words:
        found.update(source())
    return found
