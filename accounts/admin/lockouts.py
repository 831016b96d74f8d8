"""Sign-ins that failed too often: who is locked out, and letting them in again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.contrib import admin
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import PolicyAdmin
from accounts.admin.preview import Step, open_preview, preview_urls
from accounts.choices import Action
from supporthub.core.admin import chip, moment


@dataclass(frozen=True, slots=True)
class Lockout:
    """A pair of name and address that may not sign in before `until`."""

    username: str
    address: str
    until: datetime


def current_lockouts() -> list[Lockout]:
    """Return who is locked out now, by the settings that axes itself uses: one query."""
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    pairs = AccessAttempt.objects.filter(attempt_time__gt=since).order_by().values_list("username", "ip_address")
    counted = pairs.annotate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
    return [
        Lockout(username or "", address or "", last + settings.AXES_COOLOFF_TIME)
        for username, address, _failures, last in counted.filter(failures__gte=settings.AXES_FAILURE_LIMIT)
    ]


def lockouts_of(request: HttpRequest) -> dict[str, Lockout]:
    """Return the lockouts by lower-case name, read once a request."""
    known: dict[str, Lockout] | None = getattr(request, "hub_lockouts", None)
    if known is None:
        known = {lockout.username.lower(): lockout for lockout in current_lockouts()}
        request.hub_lockouts = known  # type: ignore[attr-defined]  # a note for the rest of this request
    return known


def release(attempt: AccessAttempt) -> None:
    """Forget the failures of this name from this address."""
    reset(username=attempt.username, ip=attempt.ip_address)


RELEASE = Step(
    name="release",
    title=_("Let these people sign in again"),
    button=_("Release"),
    effect=_("The failed attempts are forgotten; the next attempt counts from zero."),
    done=_("%(n)d released."),
    allowed=lambda request, attempt: admin.site._registry[AccessAttempt].may(request, Action.CHANGE_PEOPLE, attempt),  # type: ignore[attr-defined]  # noqa: SLF001
    run=lambda _request, attempt: release(attempt),
)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(PolicyAdmin):
    menu_title = _("Failed sign-ins")
    add_action = change_action = None
    list_display = ("username", "ip_address", "failures_since_start", "state", "last")
    list_display_links = ("username",)
    search_fields = ("username", "ip_address")
    search_help_text = _("E-mail or address")
    ordering = ("-attempt_time",)
    fields = ("username", "ip_address", "user_agent", "failures_since_start", "attempt_time", "path_info")
    readonly_fields = fields
    actions = ("release_lockouts",)

    def get_urls(self) -> Any:
        return [*preview_urls(self, (RELEASE,)), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessAttempt]:
        self._lockouts = lockouts_of(request)
        return super().get_queryset(request)

    def has_release_permission(self, request: HttpRequest) -> bool:
        return self.may(request, Action.CHANGE_PEOPLE)

    @admin.action(description=_("Let them sign in again …"), permissions=["release"])
    def release_lockouts(self, request: HttpRequest, queryset: QuerySet[AccessAttempt]) -> HttpResponse:
        return open_preview(self, RELEASE, queryset)
