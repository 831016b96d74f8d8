"""Where people are signed in, and ending that for them; and which roles Microsoft's roles and groups give."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import OrganisationRowsAdmin, Place, PolicyAdmin
from accounts.admin.preview import Step, open_preview, preview_urls
from accounts.admin.users import UserAdmin, may_give
from accounts.choices import Action
from accounts.models import EntraRoleRule, SignIn, TenantConnection, User
from accounts.permissions import Scope, principal_for
from accounts.services.sign_ins import end_sign_ins
from supporthub.core.admin import chip, moment


def _actor(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _end(request: HttpRequest, row: SignIn) -> None:
    end_sign_ins(user_id=row.user_id, only=[row.pk], actor=_actor(request))


END = Step(
    name="end",
    action=Action.END_SIGN_INS,
    title=_("Sign these people out there"),
    button=_("Sign out"),
    effect=_("Their pages and tokens stop working at once; they can sign in again."),
    done=_("%(n)d signed out."),
    run=_end,
    columns=(
        (_("user"), lambda row: row.user),
        (_("device"), lambda row: row.device),
        (_("address"), lambda row: row.address),
        (_("last seen"), lambda row: moment(row.last_seen_at)),
    ),
)


@admin.register(SignIn)
class SignInAdmin(PolicyAdmin):
    """Sign-ins of the people whom somebody with this role sees."""

    add_action = change_action = None
    is_audited_by_service = True
    list_display = ("user", "state", "device", "address", "way", "since", "seen")
    list_filter = ("way", "kind")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name", "address")
    search_help_text = _("E-mail, name or address")
    ordering = ("-last_seen_at",)
    fields = ("user", "state", "kind", "way", "device", "address", "since", "seen", "ended_at", "ended_by")
    readonly_fields = fields
    actions = ("end_sign_ins",)

    def rows_within(self, rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
        people: UserAdmin = self.admin_site._registry[User]  # type: ignore[assignment]  # noqa: SLF001  (registered there)
        return rows.filter(user__in=people.rows_within(User.objects.all(), scope))

    def may(self, request: HttpRequest, action: Action | None, obj: Any = None) -> bool:
        """Whoever sees the row may end it, when any role of theirs lets them end sign-ins."""
        return super().may(request, action) and (obj is None or self.get_queryset(request).filter(pk=obj.pk).exists())

    def get_urls(self) -> Any:
        return [*preview_urls(self, (END,)), *super().get_urls()]

    def has_end_permission(self, request: HttpRequest) -> bool:
        return self.may(request, Action.END_SIGN_INS)

    @admin.action(description=_("Sign out there …"), permissions=["end"])
    def end_sign_ins(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return open_preview(self, END, queryset.filter(ended_at=None))

    @admin.display(description=_("state"))
    def state(self, row: SignIn) -> SafeString:
        if row.ended_at is not None:
            return chip("off", _("ended"))
        return chip("done", _("signed in")) if row.expires_at > timezone.now() else chip("off", _("ran out"))

    @admin.display(description=_("since"), ordering="created_at")
    def since(self, row: SignIn) -> SafeString | str:
        return moment(row.created_at)

    @admin.display(description=_("last seen"), ordering="last_seen_at")
    def seen(self, row: SignIn) -> SafeString | str:
        return moment(row.last_seen_at)


@admin.register(EntraRoleRule)
class EntraRoleRuleAdmin(OrganisationRowsAdmin):
    """Rules that give roles; nobody makes one for a role that they could not give by hand."""

    add_action = change_action = delete_action = Action.CHANGE_PEOPLE
    list_display = ("value", "kind", "tenant", "role", "organisation")
    list_filter = ("kind", "role")
    list_select_related = ("tenant__organisation", "organisation")
    search_fields = ("value",)
    search_help_text = _("App role or object id")
    ordering = ("tenant", "kind", "value")
    fields = ("tenant", "kind", "value", "role", "organisation")
    help_texts = {"role": _("What they may do here. Nobody can name a role that they could not give by hand.")}

    def place_of(self, obj: EntraRoleRule) -> Place:
        return Place(organisation=obj.organisation_id)

    def may(self, request: HttpRequest, action: Action | None, obj: Any = None) -> bool:
        if not super().may(request, action, obj) or obj is None or action != Action.CHANGE_PEOPLE:
            return super().may(request, action, obj)
        return may_give(principal_for(request), obj.role, organisation=obj.organisation_id)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only tenants of organisations that the scope covers."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        scope = principal_for(request).scope(Action.CHANGE_PEOPLE)
        if db_field.name == "tenant" and not scope.everywhere:
            field.queryset = TenantConnection.objects.filter(organisation__in=scope.organisations)
        return field
