"""Small pieces that every page is made of: icons, states, times, avatars, counts."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

from django import template
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from supporthub.core.ages import age_in_list, age_in_words, duration, in_words

register = template.Library()
COUNT_CAP = 1000
_AVATAR_COLOURS = 8


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """An icon of the sprite, decoration only: the text beside it, or an `aria-label`, says what it means."""
    return _icon(name, extra)


@register.simple_tag
def state(value: str, label: object, *, quiet: bool = False) -> SafeString:
    """The one way to show a state: a coloured shape and its word (`quiet`: the word for screen readers only)."""
    return _shape("components/_state.html", str(value), str(label), quiet)


@register.simple_tag
def priority(value: str, label: object, *, quiet: bool = False) -> SafeString:
    """A priority, the same way."""
    return _shape("components/_priority.html", str(value), str(label), quiet)


@register.simple_tag
def when(moment: datetime | None, style: str = "words") -> SafeString | str:
    """A time relative to now (`list`: as short as it gets), the exact one on hover; ticked on by times.js.

    Only the last 48 hours tick; older ones read as dates.
    """
    if moment is None:
        return ""
    age = timezone.now() - moment
    shown = age_in_list(age) if style == "list" else age_in_words(age)
    local = timezone.localtime(moment)
    return _time(local, timezone.get_current_timezone_name(), get_language(), style, shown or _date(local))


@register.simple_tag
def until(moment: datetime | None) -> SafeString | str:
    """A time that is to come, counted down by times.js."""
    if moment is None:
        return ""
    exact = date_format(timezone.localtime(moment), "DATETIME_FORMAT")
    return format_html(
        '<time datetime="{}" title="{}" data-until>{}</time>',
        moment.isoformat(timespec="seconds"), exact, in_words(moment - timezone.now()),
    )  # fmt: skip


@register.simple_tag
def took(start: datetime | None, end: datetime | None) -> str:
    """A duration, for example 340 ms or 1h 12m."""
    return duration(end - start) if start and end else ""


@register.filter
def capped(number: int | None) -> str:
    """A count for a badge: exact up to 999."""
    if not number:
        return ""
    return f"{COUNT_CAP - 1}+" if number >= COUNT_CAP else str(number)


@register.simple_tag
def avatar(who: Any, size: str = "") -> SafeString:
    """The initials of a user or person in a circle; the name is its title and accessible name."""
    return _face(getattr(who, "name", "") or getattr(who, "email", "") or str(who or ""), size)


@register.filter
def initials(name: str) -> str:
    """Two letters for a name or an address."""
    words = [
        word
        for word in name.split("@", maxsplit=1)[0].replace(".", " ").replace("_", " ").replace("-", " ").split()
        if word[0].isalnum()
    ]
    letters = [word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)]
    return "".join(letters).upper() or "?"


@register.simple_tag
def query(**pairs: Any) -> str:
    """A query string of what is not empty."""
    return urlencode({name: value for name, value in pairs.items() if value})


def _date(local: datetime) -> str:
    pattern = _("j M") if timezone.now() - local < timedelta(days=300) else _("j M Y")
    return date_format(local, pattern)


# A list shows the same few pieces hundreds of times: each is rendered once a process.


@lru_cache(maxsize=4096)
def _time(local: datetime, _zone: str, _language: str, style: str, shown: str) -> SafeString:
    exact = date_format(local, "DATETIME_FORMAT")
    return format_html(
        '<time datetime="{}" title="{}" data-age="{}">{}</time>',
        local.astimezone(UTC).isoformat(timespec="seconds"), exact, style, shown,
    )  # fmt: skip


@lru_cache(maxsize=256)
def _icon(name: str, extra: str) -> SafeString:
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#i-{}"></use></svg>',
        extra, static("supporthub/img/icons.svg"), name,
    )  # fmt: skip


@lru_cache(maxsize=256)
def _shape(component: str, value: str, label: str, quiet: bool) -> SafeString:
    context = {"value": value, "label": label, "quiet": quiet, "sprite": static("supporthub/img/icons.svg")}
    return mark_safe(get_template(component).render(context))  # noqa: S308  (a template of ours, escaped by itself)


@lru_cache(maxsize=2048)
def _face(name: str, size: str) -> SafeString:
    context = {"name": name, "initials": initials(name), "colour": crc32(name.encode()) % _AVATAR_COLOURS, "size": size}
    return mark_safe(get_template("components/_avatar.html").render(context))  # noqa: S308  (as above)
