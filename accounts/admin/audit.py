"""The audit trail as people read it: who did what, whether the chain holds there, and a copy to take away."""

import json
from collections.abc import Callable
from datetime import datetime, time
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import is_aware, make_aware
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    TextFilter,
)

from accounts.admin.base import OrganisationRowsAdmin, Place
from accounts.audit_actions import registered, words_of
from accounts.choices import Action, ActorKind
from accounts.models import AuditEntry
from accounts.selectors import audit_entries_like, names_of_actors
from accounts.services.audit import actor_of, record
from accounts.services.audit_verify import is_as_sealed, write_selection, write_table
from supporthub.core.admin import CappedChangeList, chip, moment

MOST_EXPORTED = 20_000  # the whole trail is handed out by `manage.py audit export`
FORMS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


class ActionFilter(DropdownFilter):  # type: ignore[misc]  # the theme has no types
    title = _("what")
    parameter_name = "action"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Any:
        return sorted(((code, str(words)) for code, words in registered().items()), key=lambda pair: pair[1].lower())

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(action=self.value()) if self.value() else queryset


class SealFilter(DropdownFilter):  # type: ignore[misc]  # the theme has no types
    title = _("seal")
    parameter_name = "sealed"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Any:
        return [("no", _("not sealed yet"))]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(seal=None) if self.value() == "no" else queryset


class _MomentFilter(TextFilter):  # type: ignore[misc]  # the theme has no types
    """A day, or a day and a time, in the person's time zone. What cannot be read finds nothing."""

    lookup = ""

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        given = (self.value() or "").strip()
        if not given:
            return queryset
        when = moment_of(given)
        return queryset.none() if when is None else queryset.filter(**{self.lookup: when})


class SinceFilter(_MomentFilter):
    title = _("from (2026-01-31 08:15)")
    parameter_name = "since"
    lookup = "at__gte"


class UntilFilter(_MomentFilter):
    title = _("until (2026-01-31 08:15)")
    parameter_name = "until"
    lookup = "at__lt"


def moment_of(text: str) -> datetime | None:
    """Read a day or a moment; a day is its first moment. None for anything else."""
    try:
        when = parse_datetime(text)
        day = parse_date(text) if when is None else None
    except ValueError:
        return None
    if day is not None:
        when = datetime.combine(day, time())
    return make_aware(when) if when is not None and not is_aware(when) else when


class NamedActors(CappedChangeList):
    """A page of entries with the names of who acted: one query for people, one for API clients."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        names = names_of_actors(self.result_list)
        for entry in self.result_list:
            entry.actor_name = names.get((entry.actor_kind, entry.actor_id), "")


@admin.register(AuditEntry)
class AuditEntryAdmin(OrganisationRowsAdmin):
    menu_title = _("Audit trail")
    view_action = Action.VIEW_AUDIT
    add_action = change_action = delete_action = None
    list_display = ("when", "what", "who", "target", "organisation", "sealed")
    list_display_links = ("what",)
    list_filter = (
        ActionFilter,
        ("actor_kind", ChoicesDropdownFilter),
        ("organisation", AutocompleteSelectFilter),
        SinceFilter,
        UntilFilter,
        SealFilter,
    )
    list_filter_submit = True
    list_select_related = ("organisation",)
    list_before_template = "admin/audit_export.html"
    search_fields = ("request_id",)
    search_help_text = _("ticket:12, user:7, a colleague's e-mail, or a request id")
    ordering = ("-pk",)
    sortable_by = ()
    readonly_fields = (
        "sentence", "when", "who", "what", "target", "request_line", "codes", "texts", "sealed", "seal_line", "key_id",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("sentence", "when", "who", "what", "target", "organisation", "request_line")}),
        (_("What was recorded"), {"fields": ("codes", "texts")}),
        (_("The chain here"), {"fields": ("sealed", "seal_line", "key_id")}),
    )

    def place_of(self, obj: AuditEntry) -> Place:
        return Place(organisation=obj.organisation_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("organisation")

    def get_changelist(self, request: HttpRequest, **_kwargs: Any) -> type[CappedChangeList]:
        return NamedActors

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Each form that a search may have is answered by an index."""
        words = search_term.replace("\x00", "").strip()
        return (queryset.filter(audit_entries_like(words)) if words else queryset), False

    # --- Taking a copy away ----------------------------------------------------------------------------------------

    def get_urls(self) -> Any:
        export = self.admin_site.admin_view(self.export)
        return [path("export/<str:form>/", export, name="accounts_auditentry_export"), *super().get_urls()]

    def export(self, request: HttpRequest, form: str) -> HttpResponse:
        """Hand out what the list's filters show, newest first, at most MOST_EXPORTED; this is recorded, too."""
        if not self.has_view_permission(request) or form not in FORMS:
            raise PermissionDenied
        rows = self.get_changelist_instance(request).queryset.order_by("-pk")
        ids = list(rows.values_list("pk", flat=True)[:MOST_EXPORTED])
        parts: list[bytes] = []
        writers: dict[str, Callable[..., int]] = {"csv": write_table, "jsonl": write_selection}
        with transaction.atomic():
            number = writers[form](ids, parts.append)
            record(
                actor=actor_of(request.user), action="audit.exported", target_type="auditentry", target_id="",
                organisation_id=None, data={"form": form, "entries": number, "all": False},
                personal={"filters": request.GET.urlencode()},
            )  # fmt: skip
        response = HttpResponse(b"".join(parts), content_type=FORMS[form])
        response["Content-Disposition"] = f'attachment; filename="audit-trail.{form}"'
        return response

    # --- Columns and fields ----------------------------------------------------------------------------------------

    @admin.display(description=_("in words"))
    def sentence(self, obj: AuditEntry) -> str:
        return gettext("%(who)s: %(what)s, %(target)s.") % {
            "who": self.who(obj), "what": self.what(obj), "target": _target_words(obj),
        }  # fmt: skip

    @admin.display(description=_("when"))
    def when(self, obj: AuditEntry) -> SafeString | str:
        return moment(obj.at)

    @admin.display(description=_("what"))
    def what(self, obj: AuditEntry) -> str:
        return words_of(obj.action)

    @admin.display(description=_("who"))
    def who(self, obj: AuditEntry) -> str:
        name = getattr(obj, "actor_name", None)
        if name is None:
            name = names_of_actors([obj]).get((obj.actor_kind, obj.actor_id), "")
        kind = str(ActorKind(obj.actor_kind).label) if obj.actor_kind in ActorKind.values else obj.actor_kind
        return name or f"{kind} {obj.actor_id}".strip()

    @admin.display(description=_("concerns"))
    def target(self, obj: AuditEntry) -> SafeString | str:
        address = _address_of(obj)
        words = _target_words(obj)
        return format_html('<a class="hub-link" href="{}">{}</a>', address, words) if address else words

    @admin.display(description=_("request"))
    def request_line(self, obj: AuditEntry) -> SafeString | str:
        if not obj.request_id:
            return "–"
        address = f"{reverse('admin:accounts_auditentry_changelist')}?q={obj.request_id}"
        return format_html('<a class="hub-link" href="{}">{}</a>', address, obj.request_id)

    @admin.display(description=_("ids and codes"))
    def codes(self, obj: AuditEntry) -> SafeString | str:
        lines = [(name, json.dumps(value) if not isinstance(value, str) else value) for name, value in obj.data.items()]
        return _lines([(_("action"), obj.action), *lines])

    @admin.display(description=_("personal text"))
    def texts(self, obj: AuditEntry) -> SafeString | str:
        if not obj.digests:
            return gettext("None was recorded.")
        text = getattr(obj, "text", None)
        if text is None:
            return gettext("Erased. That it was there, and that nothing else was, can still be proven.")
        return _lines(list(text.texts.items())) or gettext("Only its digest was recorded.")

    @admin.display(description=_("seal"))
    def sealed(self, obj: AuditEntry) -> SafeString:
        if obj.seal is None:
            return chip("waiting", _("not sealed yet"))
        if hasattr(obj, "actor_name"):  # in a list: nothing is computed
            return chip("done", _("sealed"))
        return chip("done", _("as it was sealed")) if is_as_sealed(obj.pk) else chip("failed", _("NOT as sealed"))

    @admin.display(description=_("number and MAC"))
    def seal_line(self, obj: AuditEntry) -> SafeString | str:
        return format_html("{} <code>{}</code>", obj.seal, bytes(obj.mac).hex()) if obj.seal and obj.mac else "–"


def _target_words(entry: AuditEntry) -> str:
    return f"{entry.target_type} {entry.target_id}".strip()


def _address_of(entry: AuditEntry) -> str:
    """The admin's page of what an entry is about, where there is one. It may be gone, and asks for its own right."""
    for model in admin.site._registry:  # noqa: SLF001  (Django's registry has no public reader)
        if model._meta.model_name == entry.target_type and entry.target_id:
            try:
                return reverse(f"admin:{model._meta.app_label}_{entry.target_type}_change", args=[entry.target_id])
            except NoReverseMatch:
                return ""
    return ""


def _lines(pairs: list[tuple[Any, Any]]) -> SafeString:
    return format_html_join("", "<div><b>{}</b> {}</div>", pairs)
