"""The policy in the admin: every page and list asks `accounts.permissions`, never Django's model permissions."""

from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.db.models import Field, ForeignKey, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from accounts.admin import trail
from accounts.admin.changes import changes_of, changes_of_rows
from accounts.choices import Action
from accounts.models import Organisation
from accounts.permissions import Scope, principal_for
from supporthub.core.admin import CappedChangeList, CappedPaginator, ThemedAdmin, ThemedTabular, allow_entrance

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise

allow_entrance(lambda request: principal_for(request).may_anywhere(Action.VIEW_SETTINGS))

UNCHANGED_SECRET = _("Stored encrypted and never shown. Leave empty to keep what is set.")


class Place(NamedTuple):
    """Where an object belongs; neither: it belongs to the whole hub."""

    organisation: int | None = None
    board: int | None = None


class PolicyAdmin(ThemedAdmin):
    """A model in the admin under the one policy.

    A subclass says which action each thing needs (None: nobody may), where an object belongs (`place_of`), and which
    rows a scope that is not everywhere covers (`rows_within`). Without the last two an object belongs to the whole
    hub, and roles on one organisation or board do not reach it.
    """

    view_action: Action = Action.VIEW_SETTINGS
    add_action: Action | None = Action.CHANGE_SETTINGS
    change_action: Action | None = Action.CHANGE_SETTINGS
    delete_action: Action | None = None
    help_texts: "dict[str, Words]" = {}
    secret_fields: tuple[str, ...] = ()
    menu_title: "Words" = ""
    is_audited_by_service = False  # the services that this page calls record what they do themselves

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # facets count whole tables
    list_per_page = 50
    list_max_show_all = 200
    save_on_top = False
    actions: Any = ()

    # --- Who may ---------------------------------------------------------------------------------------------------

    def place_of(self, obj: Any) -> Place:
        return Place()

    def rows_within(self, rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
        return rows.none()

    def is_reached_by(self, scope: Scope) -> bool:
        """Return whether somebody with this scope has anything to see here at all."""
        return scope.everywhere or type(self).rows_within is not PolicyAdmin.rows_within

    def may(self, request: HttpRequest, action: Action | None, obj: Any = None) -> bool:
        """Return whether the request's user may do this to the object, or, without one, to any row here."""
        if action is None:
            return False
        principal = principal_for(request)
        if obj is not None:
            return principal.may(action, **self.place_of(obj)._asdict())
        scope = principal.scope(action)
        return not scope.nowhere and self.is_reached_by(scope)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.view_action)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, self.view_action, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.add_action)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, self.change_action, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, self.delete_action, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        scope = principal_for(request).scope(self.view_action)
        if scope.everywhere:
            return rows
        return rows.none() if scope.nowhere else self.rows_within(rows, scope)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        hidden = lookup.split("__", maxsplit=1)[0] in (*self.secret_fields, "password")
        return not hidden and super().lookup_allowed(lookup, value, request)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Refuse to put an object where the user may not act; the form's choices do not offer that."""
        if not self.may(request, self.change_action if change else self.add_action, obj):
            raise PermissionDenied("This belongs to a place that your roles do not cover.")
        super().save_model(request, obj, form, change)

    # --- What a form shows -----------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **_kwargs: Any) -> type[CappedChangeList]:
        return CappedChangeList

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave secrets out of pages that only show: Django would print a read-only field's value."""
        fieldsets = super().get_fieldsets(request, obj)
        editable = self.has_change_permission(request, obj) if obj is not None else self.has_add_permission(request)
        if editable or not self.secret_fields:
            return fieldsets
        return [
            (name, {**options, "fields": [field for field in options["fields"] if field not in self.secret_fields]})
            for name, options in fieldsets
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if self.secret_fields:
            kwargs.setdefault("form", type("SecretForm", (WriteOnlySecretForm,), {"secret_fields": self.secret_fields}))
        return super().get_form(request, obj, change=change, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return with_help(self, db_field, super().formfield_for_dbfield(db_field, request, **kwargs))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return within_reach(db_field, field, principal_for(request).scope(self.change_action or self.view_action))

    # --- What is remembered of a change ----------------------------------------------------------------------------

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)
        trail.register_changes(model)
        for inline in self.inlines:
            trail.register_changes(inline.model)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Also put the change, its inlines included, into the audit trail: in the transaction of the change itself."""
        gone = trail.keys_of_removed(formsets)
        super().save_related(request, form, formsets, change)
        if not self.is_audited_by_service:
            place = self.place_of(form.instance).organisation
            trail.record_saved(request.user, form, change=change, organisation_id=place)
            for formset in formsets:
                trail.record_rows(request.user, formset, owner=form.instance, gone=gone, organisation_id=place)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Django calls this before it deletes."""
        if not self.is_audited_by_service:
            for obj in queryset:
                trail.record_removed(request.user, obj, organisation_id=self.place_of(obj).organisation)
        return super().log_deletions(request, queryset)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Old and new value of each field, so that the history can be read without a second source."""
        if add or not isinstance(form, forms.ModelForm):
            return super().construct_change_message(request, form, formsets, add)
        lines = [*changes_of(form), *(line for formset in formsets or () for line in changes_of_rows(formset))]
        return "; ".join(lines) or gettext("Saved without a change.")


class OrganisationRowsAdmin(PolicyAdmin):
    """Rows that belong to one organisation, found at `organisation_path`; roles on a board do not reach them."""

    organisation_path = "organisation"

    def rows_within(self, rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
        return rows.filter(**{f"{self.organisation_path}__in": scope.organisations})

    def is_reached_by(self, scope: Scope) -> bool:
        return scope.everywhere or bool(scope.organisations)


class PolicyInline(ThemedTabular):
    """Rows of a parent; who may change the parent may change them."""

    help_texts: "dict[str, Words]" = {}
    show_change_link = False
    extra = 0

    def _parent_admin(self) -> Any:
        return self.admin_site._registry[self.parent_model]  # noqa: SLF001  (Django's registry has no public reader)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self._parent_admin().has_view_permission(request, obj))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        admin = self._parent_admin()
        return bool(admin.has_change_permission(request, obj) if obj else admin.has_add_permission(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return with_help(self, db_field, super().formfield_for_dbfield(db_field, request, **kwargs))


class ShownInline(PolicyInline):
    """Rows that are only shown."""

    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class WriteOnlySecretForm(forms.ModelForm[Any]):
    """Secrets go in and never come out: an empty field keeps what is stored."""

    secret_fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.secret_fields:
            if name in self.fields:
                self.initial[name] = ""
                self.fields[name].widget = UnfoldAdminPasswordWidget(
                    attrs={"autocomplete": "new-password"}, render_value=False
                )
                self.fields[name].help_text = UNCHANGED_SECRET

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in self.secret_fields:
            if name in self.fields and not cleaned.get(name):
                cleaned[name] = getattr(self.instance, name)
        return cleaned


def with_help(owner: Any, db_field: "Field[Any, Any]", formfield: Any) -> Any:
    """Let the admin's words explain a field where its model has none, or speaks to programmers."""
    if formfield is not None and db_field.name in owner.help_texts:
        formfield.help_text = owner.help_texts[db_field.name]
    return formfield


def within_reach(db_field: "ForeignKey[Any, Any]", field: Any, scope: Scope) -> Any:
    """Offer only organisations that the scope covers; leaving the field empty is for those who may act everywhere."""
    if scope.everywhere or not isinstance(field, ModelChoiceField) or db_field.related_model is not Organisation:
        return field
    field.queryset = Organisation.objects.filter(pk__in=scope.organisations)
    field.required = True
    return field
