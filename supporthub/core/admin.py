"""The frame of the Django admin: its site, its theme's classes, and what its lists show alike.

Who may do what is decided above (accounts.admin.base); until that has said who may enter, nobody may.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.conf import settings
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.views import LogoutView
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.sites import UnfoldAdminSite
from unfold.views import ChangeList as ThemedChangeList

from supporthub.core.deliveries.states import DeliveryState

if TYPE_CHECKING:  # the theme has no types; what it adds is templates and widgets
    from django.contrib.admin import AdminSite, TabularInline

    ThemedAdmin = ModelAdmin[Any]
    ThemedTabular = TabularInline[Any, Any]
    ThemedSite = AdminSite
    ThemedResults = ChangeList
else:
    from unfold.admin import ModelAdmin as ThemedAdmin
    from unfold.admin import TabularInline as ThemedTabular

    ThemedSite = UnfoldAdminSite
    ThemedResults = ThemedChangeList

__all__ = [
    "CappedChangeList", "CappedPaginator", "HubAdminSite", "ThemedAdmin", "ThemedTabular", "allow_entrance", "chip",
    "delivery_chip", "duration", "moment", "navigation",
]  # fmt: skip

# What the theme needs beyond the hub's strict policy, and why: docs/adr/0005-admin-theme-and-csp.md.
ADMIN_CSP = {"script-src": [SELF, UNSAFE_EVAL], "style-src-attr": [UNSAFE_INLINE]}

Entrance = Callable[[HttpRequest], bool]
_entrances: list[Entrance] = []


def allow_entrance(entrance: Entrance) -> None:
    """Say who may enter the admin; the app that knows people calls it once."""
    _entrances.append(entrance)


class HubAdminSite(ThemedSite):
    """The admin's site: the hub's own sign-in, its policy, and the one place where the theme's CSP is granted."""

    index_title = _("What needs a person")

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and any(entrance(request) for entrance in _entrances)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        return csp_update(ADMIN_CSP)(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, _extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send to the hub's sign-in, so that there is one lockout; PermissionDenied for who is signed in already."""
        target = request.GET.get("next") or reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        if request.user.is_authenticated:
            raise PermissionDenied("Your roles do not open the admin.")
        return HttpResponseRedirect(f"{reverse('sign-in')}?next={quote(target)}")

    def logout(self, request: HttpRequest, _extra_context: dict[str, Any] | None = None) -> Any:
        """Sign out and show the hub's own sign-in; only POST is accepted."""
        return LogoutView.as_view(next_page="sign-in")(request)

    def search(self, request: HttpRequest, _extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The command palette: places whose name has the words. Not kept in a cache, which may be away or outdated."""
        words = request.GET.get("s", "").strip().lower()
        found = [
            {"title": model["name"], "description": app["name"], "link": model["admin_url"], "icon": "tag"}
            for app in self.get_app_list(request)
            for model in app["models"]
            if words and words in str(model["name"]).lower()
        ]
        page = Paginator(found, max(1, len(found))).page(1)
        context = {"page_obj": page.paginator, "results": page, "page_counter": 0}
        return TemplateResponse(
            request, "unfold/helpers/command_results.html", context, headers={"HX-Trigger": "search"}
        )  # fmt: skip

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Leave the theme's inline colours out: they are in css/admin.css, so that style elements need no exception."""
        return {**super().each_context(request), "colors": None}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The side bar: what UNFOLD["HUB_PLACES"] names and this request may see. Called by the theme."""
    registered = {model._meta.label_lower: model_admin for model, model_admin in admin.site._registry.items()}  # noqa: SLF001
    groups: list[dict[str, Any]] = [
        {
            "title": "",
            "items": [{"title": _("What needs a person"), "icon": "dashboard", "link": reverse("admin:index")}],
        }
    ]
    for title, places in settings.UNFOLD["HUB_PLACES"]:
        items = [
            _place(registered[label], icon)
            for icon, label in places
            if label in registered and registered[label].has_module_permission(request)
        ]
        groups.append({"title": title, "separator": True, "items": items})
    return groups


def _place(model_admin: "ModelAdmin[Any]", icon: str) -> dict[str, Any]:
    meta = model_admin.opts
    title = str(getattr(model_admin, "menu_title", "") or meta.verbose_name_plural)
    link = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return {"title": title[:1].upper() + title[1:], "icon": icon, "link": link}


# --- Lists ---------------------------------------------------------------------------------------------------------


class CappedPaginator(Paginator[Any]):
    """Counts no further than `cap`: counting a million rows for a number that nobody reads is slow."""

    cap = 1000

    @cached_property
    def _counted(self) -> int:
        rows: QuerySet[Model] = self.object_list  # type: ignore[assignment]  # the admin always hands over a queryset
        return rows.order_by().values("pk")[: self.cap + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.cap)

    @property
    def is_capped(self) -> bool:
        return self._counted > self.cap


class CappedChangeList(ThemedResults):
    """A list that does not show a second, uncapped count in its heading."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count


# --- Words and signs -----------------------------------------------------------------------------------------------

DELIVERY_TONES: dict[str, str] = {
    DeliveryState.PENDING: "waiting",
    DeliveryState.RUNNING: "running",
    DeliveryState.UNKNOWN: "running",
    DeliveryState.DONE: "done",
    DeliveryState.PARKED: "person",
    DeliveryState.HELD: "held",
    DeliveryState.CANCELLED: "off",
}


def chip(tone: str, word: str | Promise) -> SafeString:
    """A coloured shape and a word; tones: waiting, running, done, person, failed, held, off."""
    return format_html('<span class="hub-chip" data-tone="{}">{}</span>', tone, word)


def delivery_chip(state: str) -> SafeString:
    return chip(DELIVERY_TONES[state], DeliveryState(state).label)


def moment(when: datetime | None) -> SafeString | str:
    """A relative time with the exact one on hover, or a dash."""
    if when is None:
        return "–"
    exact = formats.date_format(timezone.localtime(when), "DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', when.isoformat(), exact, naturaltime(when))


def duration(length: timedelta) -> str:
    """For example `1h 12m`; below a minute in seconds."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    if minutes == 0:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m" if hours else f"{minutes}m"
