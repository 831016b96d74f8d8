"""Sign-ins that failed too often: who is locked out, and letting them in again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.contrib import admin
from django.db.models import Exists, F, Max, OuterRef, QuerySet, Sum
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import PolicyAdmin
from accounts.admin.preview import Step, open_preview, preview_urls
from accounts.choices import Action
from accounts.models import User
from accounts.services.audit import actor_of, record
from supporthub.core.admin import chip, moment


@dataclass(frozen=True, slots=True)
class Lockout:
    """A name and an address that together may not sign in before `until`."""

    username: str
    address: str
    until: datetime


def _locked_pairs() -> Any:
    """Pairs of name and address with too many failures lately, by the settings that axes itself uses."""
    recent = AccessAttempt.objects.filter(attempt_time__gt=Now() - settings.AXES_COOLOFF_TIME).order_by()
    pairs = recent.values("username", "ip_address").annotate(
        failures=Sum("failures_since_start"), last=Max("attempt_time")
    )
    return pairs.filter(failures__gte=settings.AXES_FAILURE_LIMIT)


def current_lockouts() -> list[Lockout]:
    """Return who is locked out now, the latest first: one query."""
    return [
        Lockout(row["username"] or "", row["ip_address"] or "", row["last"] + settings.AXES_COOLOFF_TIME)
        for row in _locked_pairs().order_by("-last")
    ]


def is_locked_out(name_field: str) -> Exists:
    """Return a condition: the row's `name_field` is locked out from some address."""
    return Exists(_locked_pairs().filter(username__iexact=OuterRef(name_field)))


def release_name(name: str) -> int:
    """Forget the failures of this name from everywhere; returns how many rows went."""
    return sum(reset(username=username) for username in set(_names_like(name)))


def _names_like(name: str) -> Any:
    return AccessAttempt.objects.filter(username__iexact=name).values_list("username", flat=True)


def record_release(request: HttpRequest, name: str) -> None:
    """Remember who let this name sign in again; the name may be nobody's."""
    user_id = User.objects.filter(email__iexact=name).values_list("pk", flat=True).first()
    record(
        actor=actor_of(request.user), action="lockout.released", target_type="user", target_id=user_id or "",
        organisation_id=None, personal={"name": name},
    )  # fmt: skip


def _release(request: HttpRequest, attempt: AccessAttempt) -> None:
    reset(username=attempt.username, ip=attempt.ip_address)
    record_release(request, attempt.username or "")


RELEASE = Step(
    name="release",
    action=Action.CHANGE_PEOPLE,
    title=_("Let these people sign in again"),
    button=_("Release"),
    effect=_("Their failed attempts are forgotten; the next attempt counts from zero."),
    done=_("%(n)d released."),
    run=_release,
    columns=(
        (_("name"), lambda attempt: attempt.username),
        (_("from"), lambda attempt: attempt.ip_address),
        (_("failures"), lambda attempt: attempt.failures_since_start),
        (_("last"), lambda attempt: moment(attempt.attempt_time)),
    ),
)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(PolicyAdmin):
    menu_title = _("Failed sign-ins")
    add_action = change_action = None
    list_display = ("username", "ip_address", "failures_since_start", "state", "last")
    search_fields = ("username", "ip_address")
    search_help_text = _("E-mail or address")
    ordering = ("-attempt_time",)
    fields = ("username", "ip_address", "user_agent", "failures_since_start", "attempt_time", "path_info")
    readonly_fields = fields
    actions = ("release_lockouts",)

    def get_urls(self) -> Any:
        return [*preview_urls(self, (RELEASE,)), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        same = _locked_pairs().filter(username=OuterRef("username"), ip_address=OuterRef("ip_address"))
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.annotate(is_locked=Exists(same)).defer("get_data", "post_data")

    def has_release_permission(self, request: HttpRequest) -> bool:
        return self.may(request, Action.CHANGE_PEOPLE)

    @admin.display(description=_("state"))
    def state(self, attempt: Any) -> SafeString:
        return chip("failed", _("locked out")) if attempt.is_locked else chip("off", _("counted"))

    @admin.display(description=_("last"), ordering=F("attempt_time"))
    def last(self, attempt: AccessAttempt) -> SafeString | str:
        return moment(attempt.attempt_time)

    @admin.action(description=_("Let them sign in again …"), permissions=["release"])
    def release_lockouts(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return open_preview(self, RELEASE, queryset)
