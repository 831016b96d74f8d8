"""Who works here, and their roles. Nobody can give what they do not have, or change their own roles."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, PaginationInlineFormSet, UserChangeForm, UserCreationForm

from accounts.admin.base import PolicyAdmin, PolicyInline, within_reach
from accounts.admin.lockouts import is_locked_out, record_release, release_name
from accounts.admin.preview import Step, open_preview, preview_urls
from accounts.choices import ALLOWED, Action
from accounts.events import AccessChanged
from accounts.models import EntraIdentity, RoleGrant, User
from accounts.permissions import Principal, Scope, principal_for, principal_of
from accounts.selectors import codes_of
from accounts.services.audit import actor_of, record
from accounts.services.codes import switch_codes_off
from accounts.services.sign_ins import end_sign_ins
from supporthub.core import events
from supporthub.core.admin import chip, moment
from supporthub.core.errors import Conflicted


def may_give(actor: Principal, role: str, *, organisation: int | None = None, board: int | None = None) -> bool:
    """Return whether `actor` may give or take this role there: only with every right of the role at that place."""
    needed = {Action.CHANGE_PEOPLE, *ALLOWED[role]}
    return all(actor.may(action, organisation=organisation, board=board) for action in needed)


def may_manage(actor: Principal, user: User) -> bool:
    """Return whether `actor` may change this person, password included.

    Whoever changes a password can act as that person, so every grant of the person must be one that the actor may
    give. Somebody without any role can be managed by whoever may manage people anywhere.
    """
    subject = principal_of(user)
    return actor.may_anywhere(Action.CHANGE_PEOPLE) and all(
        may_give(actor, grant.role, organisation=grant.organisation, board=grant.board) for grant in subject.grants
    )


class GrantRows(PaginationInlineFormSet):  # type: ignore[misc]  # the theme has no types
    """Roles in a form: refuses every one that is added, changed or removed beyond what the actor may give.

    The refusal is one of the whole set: Django does not ask a row that is to be deleted for its errors.
    """

    actor: Principal

    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            if form.has_changed() and not all(self._may_give(grant) for grant in self._touched(form)):
                raise forms.ValidationError(
                    gettext("Your own roles do not allow you to give or take one of these roles.")
                )

    def _touched(self, form: Any) -> list[Any]:
        """The grant as it is stored, and as it would be."""
        after = [] if self._should_delete_form(form) else [form.instance]
        return [*self.model.objects.filter(pk=form.instance.pk), *after]

    def _may_give(self, grant: Any) -> bool:
        if grant.role not in ALLOWED:
            return False
        place = {"organisation": getattr(grant, "organisation_id", None), "board": getattr(grant, "board_id", None)}
        return may_give(self.actor, grant.role, **place)


class GrantInline(PolicyInline):
    """Base of the inlines of roles; apps above add theirs to `UserAdmin` with `add_grant_inline`."""

    formset = GrantRows
    hide_title = True
    extra = 0

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        made = super().get_formset(request, obj, **kwargs)
        made.actor = principal_for(request)  # type: ignore[attr-defined]  # a class of its own for this request
        return made

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes their own roles: another person must."""
        return super().has_add_permission(request, obj) and (obj is None or obj.pk != request.user.pk)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return within_reach(db_field, field, principal_for(request).scope(Action.CHANGE_PEOPLE))


class RolesOfUser(GrantInline):
    model = RoleGrant
    fields = ("role", "organisation")
    help_texts = {
        "role": _(
            "Technicians work tickets, leads also change settings, admins also change people, auditors only look."
        )
    }


class NewUserForm(UserCreationForm):  # type: ignore[misc]  # the theme has no types
    class Meta:
        model = User
        fields = ("email", "name")

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip().lower()


class ChangedUserForm(UserChangeForm):  # type: ignore[misc]  # the theme has no types
    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip().lower()


def _release(request: HttpRequest, user: User) -> None:
    release_name(user.email)
    record_release(request, user.email)


RELEASE = Step(
    name="release",
    action=Action.CHANGE_PEOPLE,
    title=_("Let these people sign in again"),
    button=_("Release"),
    effect=_("Their failed attempts are forgotten, from every address; the next attempt counts from zero."),
    done=_("%(n)d released."),
    run=_release,
    columns=((_("e-mail"), lambda user: user.email), (_("name"), lambda user: user.name)),
)


def _reset_codes(request: HttpRequest, user: User) -> None:
    actor = request.user if isinstance(request.user, User) else None
    if not switch_codes_off(user=user, actor=actor):
        raise Conflicted(gettext("One-time codes are not on."))


RESET_CODES = Step(
    name="reset-codes",
    action=Action.CHANGE_PEOPLE,
    title=_("Forget these people's one-time codes"),
    button=_("Forget"),
    effect=_("For a lost phone: the password alone opens the account until codes are set up again. Ask who calls."),
    done=_("%(n)d forgotten."),
    run=_reset_codes,
    columns=(
        (_("e-mail"), lambda user: user.email),
        (_("name"), lambda user: user.name),
        (_("one-time codes"), lambda user: moment(codes_of(user.pk).since)),
    ),
    is_danger=True,
)


def _sign_out(request: HttpRequest, user: User) -> None:
    end_sign_ins(user_id=user.pk, actor=request.user if isinstance(request.user, User) else None)


SIGN_OUT = Step(
    name="sign-out",
    action=Action.END_SIGN_INS,
    title=_("Sign these people out everywhere"),
    button=_("Sign out everywhere"),
    effect=_("Their pages and tokens stop working at once; they can sign in again."),
    done=_("%(n)d signed out."),
    run=_sign_out,
    columns=((_("e-mail"), lambda user: user.email), (_("name"), lambda user: user.name)),
)


class EntraIdentityOfUser(PolicyInline):
    """Links an account that is here already with the Microsoft account of the same person."""

    model = EntraIdentity
    fields = ("tenant_id", "object_id")
    hide_title = True
    max_num = 1
    help_texts = {
        "object_id": _("Links this account: who signs in with Microsoft as this object is this user."),
    }


class LockedFilter(admin.SimpleListFilter):
    title = _("sign-in")
    parameter_name = "locked"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Any:
        return [("yes", _("locked out"))]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(is_locked=True) if self.value() == "yes" else queryset


@admin.register(User)
class UserAdmin(PolicyAdmin, DjangoUserAdmin):  # type: ignore[type-arg]  # Django's class is generic for type checkers only
    add_action = change_action = Action.CHANGE_PEOPLE
    form = ChangedUserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "state", "roles", "last_seen")
    list_filter = ("is_active", "grants__role", LockedFilter)
    search_fields = ("email", "name")
    search_help_text = _("E-mail or name")
    ordering = ("email",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined", "sign_in_state", "codes", "full_rights")
    fieldsets = (
        (None, {"fields": ("email", "name", "is_active", "break_glass", "password")}),
        (_("Sign-in"), {"fields": ("sign_in_state", "codes", "last_login", "date_joined", "full_rights")}),
        (_("How the hub speaks to them"), {"fields": ("language", "time_zone", "shortcuts")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)
    help_texts = {
        "email": _("The address is the login. Letter case does not matter."),
        "name": _("As colleagues see it beside tickets and replies."),
        "language": _("Empty: the language of their browser."),
        "shortcuts": _("Single-key shortcuts in the web UI."),
    }
    inlines = [RolesOfUser, EntraIdentityOfUser]
    actions = ("release_lockouts", "sign_out", "reset_codes")

    # --- Who may ---------------------------------------------------------------------------------------------------

    def may(self, request: HttpRequest, action: Action | None, obj: Any = None) -> bool:
        if obj is None or action is None:
            return super().may(request, action)
        principal = principal_for(request)
        if action == Action.CHANGE_PEOPLE:
            return obj.pk is None or may_manage(principal, obj)
        return bool(self.get_queryset(request).filter(pk=obj.pk).exists())

    def rows_within(self, rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
        """People with a role at a place of this scope, and who has no role yet: somebody must give them their first."""
        here, has_none = Q(pk__in=[]), Q(is_superuser=False)
        for grants_within in _grant_sources:
            here |= Q(Exists(grants_within(scope)))
            has_none &= ~Q(Exists(grants_within(None)))
        return rows.filter(here | has_none)

    def get_queryset(self, request: HttpRequest) -> Any:
        return (
            super()
            .get_queryset(request)
            .annotate(is_locked=is_locked_out("email"))
            .prefetch_related("grants__organisation")
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        own = ("is_active",) if obj is not None and obj.pk == request.user.pk else ()
        return (*super().get_readonly_fields(request, obj), *own)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Roles are given after the account was made, so that each is checked against a person that exists."""
        return super().get_inlines(request, obj) if obj else []

    # --- What follows from a change --------------------------------------------------------------------------------

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        events.publish(AccessChanged(form.instance.pk))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Set a password; only for people whom the actor may manage. Ends their sessions (Django) and live sockets."""
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            if request.method == "POST" and response.status_code == 302:  # noqa: PLR2004
                end_sign_ins(user_id=int(id), actor=request.user if isinstance(request.user, User) else None)
                events.publish(AccessChanged(int(id)))
                record(
                    actor=actor_of(request.user), action="user.password_set", target_type="user", target_id=int(id),
                    organisation_id=None,
                )  # fmt: skip
        return response

    def get_urls(self) -> Any:
        return [*preview_urls(self, (RELEASE, SIGN_OUT, RESET_CODES)), *super().get_urls()]

    def has_release_permission(self, request: HttpRequest) -> bool:
        return self.may(request, Action.CHANGE_PEOPLE)

    @admin.action(description=_("Let them sign in again …"), permissions=["release"])
    def release_lockouts(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return open_preview(self, RELEASE, queryset)

    def has_sign_out_permission(self, request: HttpRequest) -> bool:
        return self.may(request, Action.END_SIGN_INS)

    @admin.action(description=_("Sign out everywhere …"), permissions=["sign_out"])
    def sign_out(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return open_preview(self, SIGN_OUT, queryset)

    @admin.action(description=_("Forget one-time codes …"), permissions=["release"])
    def reset_codes(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return open_preview(self, RESET_CODES, queryset)

    # --- Columns ---------------------------------------------------------------------------------------------------

    @admin.display(description=_("state"), ordering="is_active")
    def state(self, user: Any) -> SafeString:
        if not user.is_active:
            return chip("off", _("switched off"))
        return chip("failed", _("locked out")) if user.is_locked else chip("done", _("active"))

    @admin.display(description=_("sign-in"))
    def sign_in_state(self, user: Any) -> SafeString:
        if getattr(user, "is_locked", False):
            return chip("failed", _("locked out after failed attempts"))
        return chip("done", _("may sign in")) if user.is_active else chip("off", _("switched off"))

    @admin.display(description=_("one-time codes"))
    def codes(self, user: User) -> SafeString:
        return chip("done", _("on")) if codes_of(user.pk).since else chip("off", _("off"))

    @admin.display(description=_("every right"))
    def full_rights(self, user: User) -> str:
        return (
            gettext("yes: made from the command line, and only taken away there")
            if user.is_superuser
            else gettext("no, by roles")
        )

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        everywhere = gettext("everywhere")
        named = [f"{grant.get_role_display()} ({grant.organisation or everywhere})" for grant in user.grants.all()]
        return ", ".join([gettext("every right")] * user.is_superuser + sorted(named)) or "–"

    @admin.display(description=_("last sign-in"), ordering="last_login")
    def last_seen(self, user: User) -> SafeString | str:
        return moment(user.last_login)


GrantsWithin = Callable[[Scope | None], QuerySet[Any]]


def _organisation_grants(scope: Scope | None) -> QuerySet[RoleGrant]:
    grants = RoleGrant.objects.filter(user=OuterRef("pk"))
    return grants if scope is None else grants.filter(organisation__in=scope.organisations)


_grant_sources: list[GrantsWithin] = [_organisation_grants]


def add_grants(inline: type[GrantInline], grants_within: GrantsWithin) -> None:
    """Let an app above show its roles on a person's page.

    `grants_within` returns the grants of `OuterRef("pk")` at places of a scope; with None, all of them.
    """
    UserAdmin.inlines = [*UserAdmin.inlines, inline]
    _grant_sources.append(grants_within)
