"""What the admin writes into the audit trail: every row that somebody added, changed or removed there.

The sealed part names the fields; old and new values are words about people as often as not, so they lie in the
erasable side row. Secrets are named, never shown.
"""

from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.admin.changes import changes_of
from accounts.audit_actions import register_actions
from accounts.services.audit import actor_of, record

_VERBS = {"added": _("added"), "changed": _("changed"), "removed": _("removed")}
# Rows that give somebody rights have words of their own.
_GRANTS = {"added": "role.granted", "changed": "role.granted", "removed": "role.revoked"}


def register_changes(model: type[Model]) -> None:
    """Let the trail know the three things that the admin can do to a row of this model."""
    name = model._meta.model_name
    words = {verb: format_lazy("{thing}: {what}", thing=model._meta.verbose_name, what=_VERBS[verb]) for verb in _VERBS}
    register_actions({f"{name}.{verb}": line for verb, line in words.items()})


def record_saved(user: Any, form: Any, *, change: bool, organisation_id: int | None) -> None:
    """A row was added, or changed in the fields that the form says; nothing when a form was saved unchanged."""
    if change and not form.changed_data:
        return
    _record(
        user, form.instance, "changed" if change else "added", organisation_id,
        data={"fields": sorted(form.changed_data)}, lines=changes_of(form) if change else [],
    )  # fmt: skip


def keys_of_removed(formsets: Any) -> dict[int, Any]:
    """The keys of rows that are about to be removed, by object: afterwards Django has forgotten them."""
    return {id(form.instance): form.instance.pk for formset in formsets for form in formset.deleted_forms}


def record_rows(user: Any, formset: Any, *, owner: Model, gone: dict[int, Any], organisation_id: int | None) -> None:
    """What an inline added, changed and removed, a row each; they name the page that they were on."""
    data = {"of": owner._meta.model_name, "of_id": str(owner.pk)}
    for row in formset.new_objects:
        _record(user, row, "added", organisation_id, data=data | _facts(row))
    for row, fields in formset.changed_objects:
        _record(user, row, "changed", organisation_id, data=data | {"fields": sorted(fields)} | _facts(row))
    for row in formset.deleted_objects:
        _record(user, row, "removed", organisation_id, data=data | _facts(row), key=gone[id(row)])


@transaction.atomic
def record_removed(user: Any, obj: Model, *, organisation_id: int | None) -> None:
    """A row is about to be removed; its name is kept as personal text, since nothing else will say it."""
    _record(user, obj, "removed", organisation_id, data={}, lines=[str(obj)])


def _record(
    user: Any, row: Model, verb: str, organisation_id: int | None, *, data: dict[str, Any], lines: Any = (),
    key: Any = None,
) -> None:  # fmt: skip
    register_changes(type(row))
    words = "; ".join(lines)
    record(
        actor=actor_of(user), action=_GRANTS[verb] if _is_grant(row) else f"{row._meta.model_name}.{verb}",
        target_type=str(row._meta.model_name), target_id=row.pk if key is None else key,
        organisation_id=organisation_id, data=data, personal={"change": words} if words else None,
    )  # fmt: skip


def _is_grant(row: Any) -> bool:
    return hasattr(row, "role") and hasattr(row, "user_id")


def _facts(row: Any) -> dict[str, Any]:
    """Of a role: which one, whose and where. All of it is ids and codes."""
    if not _is_grant(row):
        return {}
    where = {name: getattr(row, name) for name in ("organisation_id", "board_id") if hasattr(row, name)}
    return {"role": row.role, "user": row.user_id, **where}
