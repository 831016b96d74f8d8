"""Where tickets are worked: boards with their people, categories, and the trackers behind them."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import Place, PolicyAdmin
from accounts.admin.holds import Holdable, register_holdables
from accounts.admin.users import GrantInline, add_grants
from accounts.choices import Action, HoldScope
from accounts.permissions import Scope, principal_for
from supporthub.core.admin import chip, moment
from supporthub.core.deliveries import registry
from supporthub.core.deliveries.states import DeliveryState
from tickets.admin.deliveries import told
from tickets.models import Board, BoardGrant, Category, Tracker


def _boards_to_hold() -> Iterable[Holdable]:
    for pk, slug, name in Board.objects.values_list("pk", "slug", "name"):
        yield Holdable(slug, name, Place(board=pk))


def _trackers_to_hold() -> Iterable[Holdable]:
    return [Holdable(slug, name) for slug, name in Tracker.objects.values_list("slug", "name")]


register_holdables(HoldScope.BOARD, _boards_to_hold)
register_holdables(HoldScope.TARGET, _trackers_to_hold)


class BoardRolesOfUser(GrantInline):
    model = BoardGrant
    fields = ("role", "board")
    help_texts = {
        "role": _("What this person may do on the board, for the tickets of every organisation there."),
        "board": _("The role counts on this board only."),
    }

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        scope = principal_for(request).scope(Action.CHANGE_PEOPLE)
        if db_field.name == "board" and field is not None and not scope.everywhere:
            field.queryset = Board.objects.filter(pk__in=scope.boards)
        return field


def _board_grants_within(scope: Scope | None) -> QuerySet[BoardGrant]:
    grants = BoardGrant.objects.filter(user=OuterRef("pk"))
    return grants if scope is None else grants.filter(board__in=scope.boards)


add_grants(BoardRolesOfUser, _board_grants_within)


class _BoardRows(PolicyAdmin):
    """Rows that belong to a board. A role on an organisation sees every board, as its tickets may be on any."""

    board_path = "pk"

    def rows_within(self, rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
        return rows if scope.organisations else rows.filter(**{f"{self.board_path}__in": scope.boards})

    def may(self, request: HttpRequest, action: Action | None, obj: Any = None) -> bool:
        if obj is not None and action == self.view_action:
            return bool(self.get_queryset(request).filter(pk=obj.pk).exists())
        return super().may(request, action, obj)


@admin.register(Board)
class BoardAdmin(_BoardRows):
    list_display = ("name", "state", "tracker", "project_key", "worked_in", "people")
    list_filter = ("is_active", "tracker", "worked_in")
    list_select_related = ("tracker",)
    search_fields = ("name", "slug", "project_key")
    search_help_text = _("Name, short name or project")
    ordering = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (None, {"fields": ("name", "slug", "is_active", "is_default")}),
        (_("Where its tickets go"), {"fields": ("tracker", "project_key", "issue_type", "labels", "worked_in")}),
    )
    help_texts = {"name": _("As technicians and requesters read it.")}

    def place_of(self, obj: Board) -> Place:
        return Place(board=obj.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A new board is in nobody's grant yet: only who may act everywhere adds one."""
        return self.may(request, self.add_action, Board())

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.annotate(people_count=Count("grants__user", distinct=True))

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj else super().get_prepopulated_fields(request, obj)

    @admin.display(description=_("state"), ordering="is_active")
    def state(self, obj: Board) -> SafeString:
        if not obj.is_active:
            return chip("off", _("inactive"))
        return chip("running", _("default")) if obj.is_default else chip("done", _("active"))

    @admin.display(description=_("people with a role here"), ordering="people_count")
    def people(self, obj: Any) -> int:
        return int(obj.people_count)


@admin.register(Category)
class CategoryAdmin(_BoardRows):
    list_display = ("name", "slug", "where", "state")
    list_filter = ("is_active",)
    list_select_related = ("board",)
    search_fields = ("name", "slug")
    search_help_text = _("Name or short name")
    ordering = ("name",)
    fields = ("name", "slug", "board", "is_active")
    prepopulated_fields = {"slug": ("name",)}
    board_path = "board"
    help_texts = {
        "name": _("What a ticket is about, in one or two words."),
        "slug": _("Used in the API, and as a label on the issue."),
        "board": _("Empty: offered on every board."),
        "is_active": _("Inactive ones are not offered any more; tickets keep them."),
    }

    def place_of(self, obj: Category) -> Place:
        return Place(board=obj.board_id)

    def rows_within(self, rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
        return rows if scope.organisations else rows.filter(Q(board__in=scope.boards) | Q(board__isnull=True))

    def has_add_permission(self, request: HttpRequest) -> bool:
        scope = principal_for(request).scope(Action.CHANGE_SETTINGS)
        return scope.everywhere or bool(scope.boards)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        scope = principal_for(request).scope(Action.CHANGE_SETTINGS)
        if db_field.name == "board" and field is not None and not scope.everywhere:
            field.queryset, field.required = Board.objects.filter(pk__in=scope.boards), True
        return field

    @admin.display(description=_("board"), ordering="board__name")
    def where(self, obj: Category) -> str:
        return str(obj.board or gettext("every board"))

    @admin.display(description=_("state"), ordering="is_active")
    def state(self, obj: Category) -> SafeString:
        return chip("done", _("active")) if obj.is_active else chip("off", _("inactive"))


@admin.register(Tracker)
class TrackerAdmin(PolicyAdmin):
    secret_fields = ("token",)
    list_display = ("name", "state", "rests_until", "running", "max_concurrency", "rate_per_second", "board_count")
    list_filter = ("paused", "kind")
    search_fields = ("name", "slug", "base_url")
    search_help_text = _("Name, short name or address")
    ordering = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("state", "rests_until", "resting_because", "running")
    fieldsets = (
        (_("Now"), {"fields": ("state", "rests_until", "resting_because", "running", "paused")}),
        (None, {"fields": ("name", "slug", "kind", "base_url")}),
        (_("How we sign in there"), {"fields": ("account", "token")}),
        (_("Limits"), {"fields": ("max_concurrency", "rate_per_second")}),
    )
    help_texts = {
        "name": _("As leads and technicians read it."),
        "slug": _("Used in holds and figures."),
        "kind": _("Which system it is."),
    }

    def rows_within(self, rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
        return rows if scope.organisations else rows.filter(boards__in=scope.boards).distinct()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return super().has_view_permission(request)
        return bool(self.get_queryset(request).filter(pk=obj.pk).exists())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.add_action, Tracker())

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: QuerySet[Any] = super().get_queryset(request)
        # A list must not fail, or decrypt, because of a secret that it does not show.
        return rows.annotate(boards_total=Count("boards", distinct=True)).defer("token")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "base_url":
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Count what runs once for the whole list, by each kind's partial index on running rows."""
        changelist = super().get_changelist_instance(request)
        counts = running_by_target()
        for tracker in changelist.result_list:
            tracker.running_now = counts.get(tracker.pk, 0)
        return changelist

    @admin.display(description=_("state"), ordering="paused")
    def state(self, obj: Tracker) -> SafeString:
        if obj.paused:
            return chip("held", _("paused"))
        return chip("person", _("resting")) if rests(obj) else chip("done", _("in use"))

    @admin.display(description=_("rests until"), ordering="resting_until")
    def rests_until(self, obj: Tracker) -> SafeString | str:
        return moment(obj.resting_until) if rests(obj) else "–"

    @admin.display(description=_("because"))
    def resting_because(self, obj: Tracker) -> SafeString | str:
        return told(obj.resting_code, obj.resting_reason) if rests(obj) else "–"

    @admin.display(description=_("running now"))
    def running(self, obj: Any) -> int:
        known = getattr(obj, "running_now", None)
        return int(running_by_target().get(obj.pk, 0) if known is None else known)

    @admin.display(description=_("boards"), ordering="boards_total")
    def board_count(self, obj: Any) -> int:
        return int(obj.boards_total)


def rests(tracker: Tracker) -> bool:
    return tracker.resting_until is not None and tracker.resting_until > timezone.now()


def running_by_target() -> dict[int, int]:
    """How many deliveries run towards each tracker, over all kinds: one query a kind."""
    totals: dict[int, int] = {}
    for kind in registry.kinds():
        if not kind.target_field or kind.model._meta.get_field(kind.target_field).related_model is not Tracker:
            continue
        rows = kind.model._default_manager.filter(state=DeliveryState.RUNNING).order_by()
        for target, number in rows.values_list(kind.target_field).annotate(Count("pk")):
            totals[target] = totals.get(target, 0) + number
    return totals
