"""Organisations and how their Entra tenants are reached."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import OrganisationRowsAdmin, Place, PolicyInline, ShownInline
from accounts.models import Organisation, TenantConnection, VerifiedDomain
from supporthub.core.admin import chip


def tenant_chip(tenant: TenantConnection) -> SafeString:
    return chip("held", _("paused")) if tenant.paused else chip("done", _("in use"))


class TenantsOfOrganisation(ShownInline):
    model = TenantConnection
    fields = ("page", "client_id", "requests_per_second", "state")
    readonly_fields = fields
    hide_title = True
    verbose_name_plural = _("tenant connections")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("client_secret")

    @admin.display(description=_("tenant id"))
    def page(self, obj: TenantConnection) -> SafeString:
        url = reverse("admin:accounts_tenantconnection_change", args=[obj.pk])
        return format_html('<a class="hub-link" href="{}">{}</a>', url, obj.tenant_id)

    @admin.display(description=_("state"))
    def state(self, obj: TenantConnection) -> SafeString:
        return tenant_chip(obj)


@admin.register(Organisation)
class OrganisationAdmin(OrganisationRowsAdmin):
    organisation_path = "pk"
    list_display = ("name", "slug", "state", "domains")
    list_filter = ("is_active",)
    search_fields = ("name", "slug", "tenants__domains__name")
    search_help_text = _("Name, short name or mail domain")
    ordering = ("name",)
    fields = ("name", "slug", "is_active", "require_totp")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (TenantsOfOrganisation,)

    def place_of(self, obj: Organisation) -> Place:
        return Place(organisation=obj.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A new organisation belongs to nobody's grant yet: only who may act everywhere adds one."""
        return self.add_action is not None and self.may(request, self.add_action, Organisation())

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.annotate(domain_count=Count("tenants__domains", distinct=True))

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj else super().get_prepopulated_fields(request, obj)

    @admin.display(description=_("state"), ordering="is_active")
    def state(self, obj: Organisation) -> str:
        if obj.is_unknown:
            return chip("person", _("collects the unknown"))
        return chip("done", _("active")) if obj.is_active else chip("off", _("inactive"))

    @admin.display(description=_("mail domains"), ordering="domain_count")
    def domains(self, obj: Any) -> int:
        return int(obj.domain_count)


class DomainsOfTenant(PolicyInline):
    model = VerifiedDomain
    fields = ("name",)
    extra = 1


@admin.register(TenantConnection)
class TenantConnectionAdmin(OrganisationRowsAdmin):
    secret_fields = ("client_secret",)
    list_display = ("organisation", "tenant_id", "state", "requests_per_second", "domain_count")
    list_filter = ("paused",)
    list_select_related = ("organisation",)
    search_fields = ("organisation__name", "tenant_id", "domains__name")
    search_help_text = _("Organisation, tenant id or mail domain")
    ordering = ("organisation__name", "pk")
    autocomplete_fields = ("organisation",)
    fieldsets = (
        (None, {"fields": ("organisation", "tenant_id")}),
        (_("How we sign in there"), {"fields": ("client_id", "client_secret")}),
        (_("How fast, and whether at all"), {"fields": ("requests_per_second", "paused")}),
    )
    help_texts = {
        "organisation": _("Whose tenant this is. Mail from its domains opens tickets of this organisation."),
        "requests_per_second": _("How many requests may start in a second, over all workers."),
    }
    inlines = (DomainsOfTenant,)

    def place_of(self, obj: TenantConnection) -> Place:
        return Place(organisation=obj.organisation_id)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).annotate(domain_total=Count("domains"))
        return rows.defer(
            "client_secret"
        )  # a list must not fail, or decrypt, because of a secret that it does not show

    @admin.display(description=_("state"), ordering="paused")
    def state(self, obj: TenantConnection) -> str:
        return tenant_chip(obj)

    @admin.display(description=_("mail domains"), ordering="domain_total")
    def domain_count(self, obj: Any) -> int:
        return int(obj.domain_total)
