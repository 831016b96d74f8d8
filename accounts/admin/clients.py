"""API clients: what each may do, and its keys. A key is shown on one page, once."""

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.admin.base import OrganisationRowsAdmin, Place, ShownInline
from accounts.admin.preview import Step, address, open_preview, preview_urls
from accounts.choices import Action, ClientScope
from accounts.models import ApiClient, ApiKey, User
from accounts.permissions import principal_for
from accounts.services.clients import GRACE, add_key, change_client, create_client, demand_may_give, revoke_key
from supporthub.core.admin import chip, moment
from supporthub.core.errors import HubError

# What becomes of the keys that are valid when a new one is made.
_OLD_KEYS: Final[dict[str, timedelta | None]] = {"day": GRACE, "keep": None, "now": timedelta(0)}


class ClientForm(forms.ModelForm[ApiClient]):
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), choices=[(scope.value, f"{scope.value}: {scope.label}") for scope in ClientScope],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=_("What the program may do. Give as little as it needs."),
    )  # fmt: skip
    request: HttpRequest  # set on the class made for each request

    class Meta:
        model = ApiClient
        fields = ("name", "organisation", "scopes", "expires_at", "is_active")

    def clean(self) -> dict[str, Any]:
        """Refuse what the person could not do themselves, before and after the change."""
        cleaned = super().clean() or self.cleaned_data
        organisation = cleaned.get("organisation")
        actor = principal_for(self.request)
        try:
            demand_may_give(actor, cleaned.get("scopes", ()), organisation.pk if organisation else None)
            if self.instance.pk:
                stored = ApiClient.objects.get(pk=self.instance.pk)
                demand_may_give(actor, stored.scopes, stored.organisation_id)
        except HubError as refusal:
            raise forms.ValidationError(refusal.detail) from refusal
        ends = cleaned.get("expires_at")
        if ends and "expires_at" in self.changed_data and ends <= timezone.now():
            self.add_error("expires_at", gettext("This time has passed."))
        return cleaned


def key_chip(key: ApiKey) -> SafeString:
    if key.revoked_at is not None:
        return chip("off", _("revoked"))
    return chip("done", _("valid")) if key.is_usable(timezone.now()) else chip("off", _("ended"))


class KeysOfClient(ShownInline):
    model = ApiKey
    fk_name = "client"
    fields = ("begins", "state", "made", "created_by", "ends", "used", "revoke")
    readonly_fields = fields
    hide_title = True

    @admin.display(description=_("begins with"))
    def begins(self, key: ApiKey) -> str:
        return str(key)

    @admin.display(description=_("state"))
    def state(self, key: ApiKey) -> SafeString:
        return key_chip(key)

    @admin.display(description=_("made"))
    def made(self, key: ApiKey) -> SafeString | str:
        return moment(key.created_at)

    @admin.display(description=_("ends"))
    def ends(self, key: ApiKey) -> SafeString | str:
        return moment(key.expires_at)

    @admin.display(description=_("last used"))
    def used(self, key: ApiKey) -> SafeString | str:
        return moment(key.last_used_at)

    @admin.display(description=_("end it"))
    def revoke(self, key: ApiKey) -> SafeString | str:
        if key.revoked_at is not None:
            return "–"
        where = address(self.admin_site._registry[ApiKey], REVOKE, [key.pk])  # type: ignore[arg-type]  # noqa: SLF001  (a PolicyAdmin)
        return format_html('<a class="hub-link" href="{}">{}</a>', where, gettext("Revoke …"))


@admin.register(ApiClient)
class ApiClientAdmin(OrganisationRowsAdmin):
    add_action = change_action = Action.MANAGE_CLIENTS
    is_audited_by_service = True
    form = ClientForm
    list_display = ("name", "state", "scope_words", "organisation", "used", "ends")
    list_filter = ("is_active", "organisation")
    list_select_related = ("organisation",)
    search_fields = ("name", "keys__prefix")
    search_help_text = _("Name, or how a key begins")
    ordering = ("name",)
    fields = ("name", "organisation", "scopes", "expires_at", "is_active")
    readonly_fields = ("used", "created_by", "new_key")

    def place_of(self, obj: ApiClient) -> Place:
        return Place(organisation=obj.organisation_id)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.fields[:-1]
        may_change = self.has_change_permission(request, obj)
        return (*self.fields, "used", "created_by", *(["new_key"] if may_change else []))

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return [KeysOfClient] if obj else []

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.request = request
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        wanted = {name: getattr(obj, name) for name in ("name", "scopes", "organisation", "expires_at")}
        actor = _me(request)
        if change:
            change_client(client_id=obj.pk, is_active=obj.is_active, actor=actor, **wanted)
            return
        made, key = create_client(actor=actor, **wanted)
        obj.pk, obj.user_id, obj.created_at = made.pk, made.user_id, made.created_at
        request.hub_new_key = key  # type: ignore[attr-defined]  # for the answer to this request

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._show(request, obj, request.hub_new_key)  # type: ignore[attr-defined]  # as above

    def get_urls(self) -> Any:
        mine = path(
            "<int:pk>/new-key/", self.admin_site.admin_view(never_cache(self.new_key_view)),
            name="accounts_apiclient_new_key",
        )  # fmt: skip
        return [mine, *super().get_urls()]

    def new_key_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what becomes of the present keys, then make the new one and show it."""
        client = self.get_queryset(request).filter(pk=pk).first()
        if client is None or not self.may(request, Action.MANAGE_CLIENTS, client):
            raise PermissionDenied
        fault = ""
        if request.method == "POST":
            try:
                demand_may_give(principal_for(request), client.scopes, client.organisation_id)
                grace = _OLD_KEYS.get(request.POST.get("old", ""), GRACE)
                key = add_key(client_id=client.pk, actor=_me(request), grace=grace)
            except HubError as refusal:
                fault = refusal.detail
            else:
                return self._show(request, client, key)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "client": client, "fault": fault,
            "title": gettext("New key for %(client)s") % {"client": client},
            "back": reverse("admin:accounts_apiclient_change", args=[client.pk]),
        }  # fmt: skip
        return TemplateResponse(request, "admin/new_key.html", context)

    def _show(self, request: HttpRequest, client: ApiClient, key: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "client": client, "key": key,
            "title": gettext("The key of %(client)s") % {"client": client},
            "back": reverse("admin:accounts_apiclient_change", args=[client.pk]),
        }  # fmt: skip
        return TemplateResponse(request, "admin/key_once.html", context)  # never cached, as all of the admin

    @admin.display(description=_("state"), ordering="is_active")
    def state(self, client: ApiClient) -> SafeString:
        if client.is_usable(timezone.now()):
            return chip("done", _("active"))
        return chip("off", _("ended")) if client.is_active else chip("off", _("switched off"))

    @admin.display(description=_("scopes"))
    def scope_words(self, client: ApiClient) -> str:
        return ", ".join(client.scopes)

    @admin.display(description=_("last used"), ordering="last_used_at")
    def used(self, client: ApiClient) -> SafeString | str:
        return moment(client.last_used_at)

    @admin.display(description=_("ends"), ordering="expires_at")
    def ends(self, client: ApiClient) -> SafeString | str:
        return moment(client.expires_at)

    @admin.display(description=_("new key"))
    def new_key(self, client: ApiClient) -> SafeString:
        where = reverse("admin:accounts_apiclient_new_key", args=[client.pk])
        return format_html('<a class="hub-link" href="{}">{}</a>', where, gettext("Make a new key …"))


def _revoke(request: HttpRequest, key: ApiKey) -> None:
    revoke_key(key_id=key.pk, actor=_me(request))


REVOKE = Step(
    name="revoke",
    action=Action.MANAGE_CLIENTS,
    title=_("Revoke these keys"),
    button=_("Revoke"),
    effect=_("Whoever uses one of them is refused from the next request on. This cannot be undone."),
    done=_("%(n)d revoked."),
    run=_revoke,
    columns=(
        (_("API client"), lambda key: key.client),
        (_("begins with"), str),
        (_("last used"), lambda key: moment(key.last_used_at)),
    ),
    is_danger=True,
)


@admin.register(ApiKey)
class ApiKeyAdmin(OrganisationRowsAdmin):
    """Keys of all clients; found from their client's page."""

    add_action = change_action = None
    organisation_path = "client__organisation"
    is_audited_by_service = True
    list_display = ("begins", "client", "state", "used")
    list_select_related = ("client",)
    search_fields = ("prefix", "client__name")
    search_help_text = _("How the key begins, or its client")
    fields = ("begins", "client", "state", "used")
    readonly_fields = fields
    ordering = ("-pk",)
    actions = ("revoke_keys",)

    def place_of(self, obj: ApiKey) -> Place:
        return Place(organisation=obj.client.organisation_id)

    def get_urls(self) -> Any:
        return [*preview_urls(self, (REVOKE,)), *super().get_urls()]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self.may(request, Action.MANAGE_CLIENTS)

    @admin.action(description=_("Revoke …"), permissions=["revoke"])
    def revoke_keys(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return open_preview(self, REVOKE, queryset)

    @admin.display(description=_("begins with"), ordering="prefix")
    def begins(self, key: ApiKey) -> str:
        return str(key)

    @admin.display(description=_("state"))
    def state(self, key: ApiKey) -> SafeString:
        return key_chip(key)

    @admin.display(description=_("last used"), ordering="last_used_at")
    def used(self, key: ApiKey) -> SafeString | str:
        return moment(key.last_used_at)


def _me(request: HttpRequest) -> User:
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user
