"""Holds: what waits on purpose. Placing and lifting show first how many deliveries that touches."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.base import Place, PolicyAdmin
from accounts.choices import Action, HoldScope
from accounts.models import Hold, Organisation
from accounts.permissions import Principal, Scope, principal_for
from accounts.services.holds import lift_hold, place_hold
from supporthub.core.admin import chip, moment
from supporthub.core.deliveries import registry
from supporthub.core.deliveries.holds import HoldRule, matching
from supporthub.core.deliveries.states import DeliveryState

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MOST_COUNTED = 1000
_SCOPE_WORDS: dict[str, "_StrPromise"] = {
    HoldScope.KIND: _("kind"),
    HoldScope.ORGANISATION: _("organisation"),
    HoldScope.BOARD: _("board"),
    HoldScope.TARGET: _("system"),
}
_EVERYTHING = f"{HoldScope.ALL}:"


class Holdable(NamedTuple):
    """Something that a hold can name: its `value`, its words, and the organisation or board that it belongs to."""

    value: str
    label: str
    place: Place = Place()


Holdables = Callable[[], Iterable[Holdable]]


def _kinds() -> Iterable[Holdable]:
    return [Holdable(kind.name, str(kind.label)) for kind in registry.kinds()]


def _organisations() -> Iterable[Holdable]:
    for pk, slug, name in Organisation.objects.values_list("pk", "slug", "name"):
        yield Holdable(slug, name, Place(organisation=pk))


_holdables: dict[str, Holdables] = {HoldScope.KIND: _kinds, HoldScope.ORGANISATION: _organisations}


def register_holdables(scope: HoldScope, source: Holdables) -> None:
    """Let an app above say which boards or outside systems there are to hold."""
    _holdables[scope] = source


def choices_for(principal: Principal) -> list[Any]:
    """What this person may hold, grouped by scope, as `scope:value` and words."""
    groups: list[Any] = [(_EVERYTHING, gettext("Everything"))] if principal.may(Action.HOLD_DELIVERIES) else []
    for scope, source in _holdables.items():
        items = [
            (f"{scope}:{item.value}", item.label)
            for item in source()
            if principal.may(Action.HOLD_DELIVERIES, **item.place._asdict())
        ]
        if items:
            groups.append((HoldScope(scope).label, items))
    return groups


class Touched(NamedTuple):
    """How many unfinished deliveries a hold covers, by the label of their kind; `is_capped` when there are more."""

    by_kind: list[tuple[str, int]]
    is_capped: bool

    @property
    def total(self) -> int:
        return sum(number for _label, number in self.by_kind)


def touched_by(scope: str, value: str, states: Iterable[str]) -> Touched:
    """Count by the engine's own rule, looking at no more than MOST_COUNTED rows a kind."""
    rule = HoldRule((scope, value), "")
    found: list[tuple[str, int]] = []
    is_capped = False
    for kind in registry.kinds():
        rows = kind.model._default_manager.filter(state__in=list(states))
        looked_at = list(rows.select_related(*kind.select_related)[: MOST_COUNTED + 1])
        is_capped |= len(looked_at) > MOST_COUNTED
        number = sum(matching(kind.hold_keys(row), [rule]) is not None for row in looked_at[:MOST_COUNTED])
        found.append((str(kind.label), number))
    return Touched(found, is_capped)


class NewHoldForm(forms.ModelForm[Hold]):
    """What is held as one choice, so that nobody has to know short names."""

    what = forms.ChoiceField(
        label=_("What"), widget=UnfoldAdminSelectWidget(),
        help_text=_("What is being sent this moment is finished; everything after that waits. Intake goes on."),
    )  # fmt: skip

    class Meta:
        model = Hold
        fields = ("reason", "observe")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        scope, _colon, value = str(cleaned.get("what", "")).partition(":")
        if scope and Hold.objects.filter(scope=scope, value=value).exists():
            self.add_error("what", gettext("This is held already; change the reason there."))
        self.instance.scope, self.instance.value = scope, value
        return cleaned


@admin.register(Hold)
class HoldAdmin(PolicyAdmin):
    add_action = change_action = delete_action = Action.HOLD_DELIVERIES
    list_display = ("what", "reason", "mode", "created_by", "since")
    list_filter = ("scope", "observe")
    list_select_related = ("created_by",)
    search_fields = ("value", "reason")
    search_help_text = _("Short name or reason")
    ordering = ("-pk",)
    fields = ("what", "reason", "observe")
    delete_confirmation_template = "admin/lift_hold.html"
    is_audited_by_service = True

    # --- Who may ---------------------------------------------------------------------------------------------------

    def place_of(self, obj: Hold) -> Place:
        """The place of what is held. Kinds, systems, everything, and what is gone belong to the whole hub."""
        source = _holdables.get(obj.scope)
        return next((item.place for item in source() if item.value == obj.value), Place()) if source else Place()

    def rows_within(self, rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
        """Everybody who sees settings sees every hold: it explains what waits, and names no more than a short name."""
        return rows

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, self.view_action)

    # --- Placing and lifting ---------------------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change=change, **kwargs)
        form = super().get_form(request, obj, change=change, form=NewHoldForm, fields=["reason", "observe"])
        form.base_fields["what"].choices = choices_for(principal_for(request))
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("what", "since", "created_by") if obj is not None else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.fields, "since", "created_by") if obj is not None else self.fields

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """First what would wait, then the hold."""
        if request.method == "POST" and "_confirmed" not in request.POST and self.has_add_permission(request):
            form = self.get_form(request)(request.POST)
            if form.is_valid():
                return self._preview(request, form)
        return super().add_view(request, form_url, extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """One button: whoever holds something looks at it afterwards."""
        context.update(show_save_and_add_another=False, show_save_and_continue=False)
        return super().render_change_form(request, context, *args, **kwargs)

    def _preview(self, request: HttpRequest, form: Any) -> HttpResponse:
        hold = form.instance
        waiting = (DeliveryState.PENDING, DeliveryState.UNKNOWN)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Hold %(what)s?") % {"what": _words_of(hold)},
            "hold": hold,
            "touched": touched_by(hold.scope, hold.value, waiting),
            "posted": [(name, request.POST[name]) for name in ("what", "reason", "observe") if name in request.POST],
        }
        return TemplateResponse(request, "admin/place_hold.html", context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        placed = place_hold(
            scope=obj.scope, value=obj.value, reason=obj.reason, observe=obj.observe, actor=principal_user(request)
        )  # fmt: skip
        obj.pk, obj.created_at = placed.pk, placed.created_at

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        hold = self.get_object(request, object_id)
        touched = touched_by(hold.scope, hold.value, [DeliveryState.HELD]) if hold else None
        what = _words_of(hold) if hold else ""
        return super().delete_view(request, object_id, {**(extra_context or {}), "touched": touched, "what": what})

    def delete_model(self, request: HttpRequest, obj: Hold) -> None:
        lift_hold(hold_id=obj.pk, actor=principal_user(request))

    # --- Columns ---------------------------------------------------------------------------------------------------

    @admin.display(description=_("what"), ordering="scope")
    def what(self, obj: Hold) -> str:
        return _words_of(obj)

    @admin.display(description=_("mode"), ordering="observe")
    def mode(self, obj: Hold) -> SafeString:
        return chip("held", _("observing")) if obj.observe else chip("held", _("held"))

    @admin.display(description=_("since"), ordering="created_at")
    def since(self, obj: Hold) -> SafeString | str:
        return moment(obj.created_at)


def principal_user(request: HttpRequest) -> Any:
    """The signed-in user as services want an actor; nobody gets here anonymously."""
    return request.user


def _words_of(hold: Hold) -> str:
    return gettext("everything") if hold.scope == HoldScope.ALL else f"{hold.value} ({_SCOPE_WORDS[hold.scope]})"
