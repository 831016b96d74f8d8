"""What submissions and issue changes share in the admin: what waits, why, what was tried, what a person can do."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from accounts.admin.base import Place, PolicyAdmin, ShownInline
from accounts.admin.preview import Step, address, open_preview, preview_urls
from accounts.choices import Action
from accounts.permissions import Scope
from supporthub.core.admin import chip, delivery_chip, duration, moment
from supporthub.core.deliveries import desk
from supporthub.core.deliveries.states import DUE_STATES, AttemptResult, DeliveryState
from tickets import selectors
from tickets.admin.tickets import subject
from tickets.models import Ticket
from tickets.reasons import why

RESULT_TONES: dict[str, str] = {
    AttemptResult.OPEN: "running",
    AttemptResult.DONE: "done",
    AttemptResult.PARKED: "person",
    AttemptResult.LOST: "failed",
    AttemptResult.LATE: "failed",
}
PERSON_FIRST = (
    DeliveryState.PARKED, DeliveryState.HELD, DeliveryState.UNKNOWN, DeliveryState.PENDING, DeliveryState.RUNNING,
    DeliveryState.DONE, DeliveryState.CANCELLED,
)  # fmt: skip


def told(code: str, reason: str) -> SafeString | str:
    """A reason in the person's language, and below it as it was written down where that is something else."""
    known = why(code, reason)
    if not known.words:
        return "–"
    written = format_html('<span class="hub-as-written" lang="en">{}</span>', known.detail) if known.detail else ""
    return format_html('<span class="hub-reason">{}{}</span>', known.words, written)


COLUMNS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (_("ticket"), lambda row: row.ticket),
    (_("state"), lambda row: delivery_chip(row.state)),
    (_("reason"), lambda row: told(row.reason_code, row.reason)),
    (_("tries"), lambda row: row.tries),
)


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Any:
        return [(state.value, state.label) for state in PERSON_FIRST]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() in DeliveryState.values else queryset


def steps_for(retry: Any, accept: Any, cancel: Any) -> tuple[Step, ...]:
    """The three things a person can do; each function gets the request and the row."""
    return (
        Step(
            name="retry", action=Action.RETRY_DELIVERY, title=_("Try these again"), button=_("Try again now"),
            effect=_("Each is sent now. One that is in doubt is looked for first, so nothing happens twice."),
            done=_("%(n)d are on their way."), run=retry, columns=COLUMNS,
        ),
        Step(
            name="accept", action=Action.CANCEL_DELIVERY, title=_("Accept these as they are"), button=_("Accept"),
            effect=_("You have looked, and what should be there is there. Each counts as done; nothing is sent."),
            done=_("%(n)d accepted."), run=accept, columns=COLUMNS,
        ),
        Step(
            name="cancel", action=Action.CANCEL_DELIVERY, title=_("Give these up"), button=_("Give up"),
            effect=_("Nothing is sent any more; the tickets stay in the hub only. This cannot be undone."),
            done=_("%(n)d cancelled."), run=cancel, columns=COLUMNS, is_danger=True,
        ),
    )  # fmt: skip


class AttemptsInline(ShownInline):
    fields = ("number", "purpose", "outcome", "told", "started", "took")
    readonly_fields = fields
    ordering = ("-fence",)
    per_page = 20
    hide_title = True
    verbose_name_plural = _("attempts")

    @admin.display(description=_("attempt"))
    def number(self, obj: Any) -> int:
        return int(obj.fence)

    @admin.display(description=_("to"))
    def purpose(self, obj: Any) -> str:
        return str(obj.get_mode_display())

    @admin.display(description=_("result"))
    def outcome(self, obj: Any) -> SafeString:
        return chip(RESULT_TONES.get(obj.result, "waiting"), obj.get_result_display())

    @admin.display(description=_("reason"))
    def told(self, obj: Any) -> SafeString | str:
        return told(obj.code, obj.reason)

    @admin.display(description=_("started"))
    def started(self, obj: Any) -> SafeString | str:
        return moment(obj.started_at)

    @admin.display(description=_("took"))
    def took(self, obj: Any) -> str:
        return duration(obj.ended_at - obj.started_at) if obj.ended_at else "–"


class DeliveryAdmin(PolicyAdmin):
    """One kind of delivery. Rows are never written here; the three steps call the services."""

    view_action = Action.VIEW_TICKET
    add_action = change_action = None
    steps: tuple[Step, ...] = ()
    list_display: Any = ("ticket_line", "state_chip", "reason_line", "tries", "next_try", "tracker", "changed")
    list_display_links = ("ticket_line",)
    list_filter: ClassVar[Any] = (StateFilter, ("tracker", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related: ClassVar[Any] = ("ticket", "tracker")
    search_help_text = _("Ticket key, words of the title, or requester")
    search_fields = ("ticket__title",)
    ordering = ("-pk",)
    actions = ("retry_chosen", "accept_chosen", "cancel_chosen")
    change_form_outer_before_template = "admin/delivery_panel.html"

    def place_of(self, obj: Any) -> Place:
        return Place(organisation=obj.ticket.organisation_id, board=obj.ticket.board_id)

    def rows_within(self, rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
        return rows.filter(Q(ticket__organisation__in=scope.organisations) | Q(ticket__board__in=scope.boards))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return (
            super().get_queryset(request).select_related("ticket", "tracker").defer("ticket__search", "tracker__token")
        )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[Any, bool]:
        """Find the ticket as the queue does, then its deliveries."""
        words = search_term.replace("\x00", "").strip()
        if words:
            queryset = queryset.filter(ticket__in=Ticket.objects.filter(selectors.found_by(words)).values("pk"))
        return queryset, False

    def get_urls(self) -> Any:
        return [*preview_urls(self, self.steps), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show what happened and, in front of it, what this person can do now."""
        row = self.get_object(request, object_id)
        context = {
            **(extra_context or {}),
            "steps": [(step, address(self, step, [row.pk])) for step in self._open_steps(request, row)] if row else [],
            "chip": delivery_chip(row.state) if row else "",
            "told": told(row.reason_code, row.reason) if row and row.reason else "",
            "title": self.opts.verbose_name,
        }
        return super().change_view(request, object_id, form_url, context)

    def _open_steps(self, request: HttpRequest, row: Any) -> list[Step]:
        fits = {
            "retry": row.state in desk.RETRYABLE,
            "accept": row.state == DeliveryState.PARKED,
            "cancel": row.state in desk.CANCELLABLE,
        }
        return [step for step in self.steps if fits[step.name] and self.may(request, step.action, row)]

    def _choose(self, name: str, queryset: QuerySet[Any]) -> HttpResponse:
        return open_preview(self, next(step for step in self.steps if step.name == name), queryset)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return self.may(request, Action.RETRY_DELIVERY)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return self.may(request, Action.CANCEL_DELIVERY)

    @admin.action(description=_("Try again …"), permissions=["retry"])
    def retry_chosen(self, _request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return self._choose("retry", queryset)

    @admin.action(description=_("Accept as it is …"), permissions=["cancel"])
    def accept_chosen(self, _request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return self._choose("accept", queryset)

    @admin.action(description=_("Give up …"), permissions=["cancel"])
    def cancel_chosen(self, _request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return self._choose("cancel", queryset)

    @admin.display(description=_("ticket"), ordering="ticket_id")
    def ticket_line(self, obj: Any) -> SafeString:
        return subject(obj.ticket)

    @admin.display(description=_("ticket"))
    def ticket_link(self, obj: Any) -> SafeString:
        return format_html('<a class="hub-link" href="{}">{}</a>', reverse("ticket", args=[obj.ticket.key]), obj.ticket)

    @admin.display(description=_("state"), ordering="state")
    def state_chip(self, obj: Any) -> SafeString:
        return delivery_chip(obj.state)

    @admin.display(description=_("reason"))
    def reason_line(self, obj: Any) -> SafeString | str:
        known = why(obj.reason_code, obj.reason)
        if not known.words:
            return "–"
        return format_html('<span class="hub-reason" title="{}">{}</span>', known.detail, known.words)

    @admin.display(description=_("next try"), ordering="not_before")
    def next_try(self, obj: Any) -> SafeString | str:
        if obj.state not in DUE_STATES:
            return "–"
        return moment(obj.not_before) if obj.not_before > timezone.now() else gettext("due now")

    @admin.display(description=_("changed"), ordering="updated_at")
    def changed(self, obj: Any) -> SafeString | str:
        return moment(obj.updated_at)
