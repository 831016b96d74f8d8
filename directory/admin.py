"""People who ask for help."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from accounts.admin.base import OrganisationRowsAdmin, Place
from directory.models import Person


@admin.register(Person)
class PersonAdmin(OrganisationRowsAdmin):
    list_display = ("email", "name", "phone", "organisation")
    list_filter = (("organisation", AutocompleteSelectFilter),)
    list_filter_submit = True
    list_select_related = ("organisation",)
    readonly_fields = ("tenant_id", "object_id", "upn")
    search_fields = ("email", "name")
    search_help_text = _("Beginning of the name or e-mail")
    ordering = ("email",)
    fields = ("email", "name", "phone", "organisation", "tenant_id", "object_id", "upn")
    autocomplete_fields = ("organisation",)
    help_texts = {
        "email": _("Tickets from this address are this person's. Letter case does not matter."),
        "name": _("As technicians see it."),
        "phone": _("Shown to technicians beside the ticket."),
        "organisation": _("Where new tickets of this person belong."),
    }

    def place_of(self, obj: Person) -> Place:
        return Place(organisation=obj.organisation_id)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the beginning of name or address, which the prefix indexes serve also for a million people."""
        if words := search_term.strip().lower():
            found = Q(low_name__startswith=words) | Q(low_email__startswith=words)
            queryset = queryset.alias(low_name=Lower("name"), low_email=Lower("email")).filter(found)
        return queryset, False
