"""Tickets as leads look them up. Nothing is changed here: the technician's page and its services do that."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from accounts.admin.base import Place, PolicyAdmin
from accounts.choices import Action
from accounts.permissions import Scope
from supporthub.core.admin import chip, delivery_chip, moment
from supporthub.core.deliveries.states import DeliveryState
from tickets import selectors
from tickets.choices import TicketStatus
from tickets.models import Ticket

STATUS_TONES: dict[str, str] = {
    TicketStatus.NEW: "waiting",
    TicketStatus.IN_PROGRESS: "running",
    TicketStatus.WAITING_ON_REQUESTER: "waiting",
    TicketStatus.ON_HOLD: "held",
    TicketStatus.RESOLVED: "done",
    TicketStatus.CLOSED: "off",
}


class SubmissionStateFilter(admin.SimpleListFilter):
    title = _("submission")
    parameter_name = "submission_state"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Any:
        return [(DeliveryState.PARKED, DeliveryState.PARKED.label)] + [
            choice for choice in DeliveryState.choices if choice[0] != DeliveryState.PARKED
        ]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(submission__state=self.value()) if self.value() else queryset


class UnknownOrganisationFilter(admin.SimpleListFilter):
    title = _("placing")
    parameter_name = "placed"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Any:
        return [("no", _("organisation unknown"))]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(organisation__is_unknown=True) if self.value() == "no" else queryset


def subject(ticket: Ticket) -> SafeString:
    """A ticket as lists show it."""
    return format_html('<span class="hub-subject"><span class="hub-key">{}</span> {}</span>', ticket.key, ticket.title)


@admin.register(Ticket)
class TicketAdmin(PolicyAdmin):
    view_action = Action.VIEW_TICKET
    add_action = change_action = None
    list_display = ("key_and_title", "status_chip", "board", "organisation", "who", "submission_chip", "age")
    list_display_links = ("key_and_title",)
    list_filter = (
        UnknownOrganisationFilter,
        SubmissionStateFilter,
        ("status", ChoicesDropdownFilter),
        ("priority", ChoicesDropdownFilter),
        ("board", AutocompleteSelectFilter),
        ("organisation", AutocompleteSelectFilter),
    )
    list_filter_submit = True
    list_select_related = ("board", "organisation", "requester", "submission")
    search_fields = ("title",)
    search_help_text = _("Key, words of the title, or requester")
    ordering = ("-pk",)
    readonly_fields = ("technicians_page", "status_chip", "submission_chip", "issue_link")
    fieldsets = (
        (None, {"fields": ("technicians_page", "title", "status_chip", "priority", "labels")}),
        (_("Where"), {"fields": ("organisation", "board", "category", "submission_chip", "issue_link")}),
        (_("Who"), {"fields": ("requester", "assignee", "created_by", "source")}),
        (_("When"), {"fields": ("created_at", "updated_at", "resolved_at")}),
    )

    def place_of(self, obj: Ticket) -> Place:
        return Place(organisation=obj.organisation_id, board=obj.board_id)

    def rows_within(self, rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
        return rows.filter(selectors.in_scope(scope))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("search")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as the queue does: the same indexes, the same answers."""
        words = search_term.replace("\x00", "").strip()
        return (queryset.filter(selectors.found_by(words)) if words else queryset), False

    @admin.display(description=_("ticket"), ordering="pk")
    def key_and_title(self, obj: Ticket) -> SafeString:
        return subject(obj)

    @admin.display(description=_("status"), ordering="status")
    def status_chip(self, obj: Ticket) -> SafeString:
        return chip(STATUS_TONES[obj.status], obj.get_status_display())

    @admin.display(description=_("requester"), ordering="requester__email")
    def who(self, obj: Ticket) -> str:
        return (obj.requester.name or obj.requester.email) if obj.requester else "–"

    @admin.display(description=_("submission"))
    def submission_chip(self, obj: Ticket) -> SafeString | str:
        submission = getattr(obj, "submission", None)
        return delivery_chip(submission.state) if submission else "–"

    @admin.display(description=_("opened"), ordering="pk")
    def age(self, obj: Ticket) -> SafeString | str:
        return moment(obj.created_at)

    @admin.display(description=_("work on it"))
    def technicians_page(self, obj: Ticket) -> SafeString:
        return format_html('<a class="hub-link" href="{}">{}</a>', reverse("ticket", args=[obj.key]), obj.key)

    @admin.display(description=_("issue"))
    def issue_link(self, obj: Ticket) -> SafeString | str:
        issue = getattr(obj, "issue", None)
        return (
            format_html('<a class="hub-link" href="{}" rel="noreferrer">{}</a>', issue.url, issue.key) if issue else "–"
        )
