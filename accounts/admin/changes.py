"""What a form changed, in words: for the history of a row, and for the side row of the audit trail."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.translation import gettext


def changes_of(form: Any) -> Iterable[str]:
    """`Label: old → new` for each changed field; secrets are named, not shown."""
    for name in form.changed_data:
        field = form.fields[name]
        label = field.label or name
        if isinstance(field.widget, forms.PasswordInput):
            yield gettext("%(field)s: changed") % {"field": label}
            continue
        old, new = _words(form, name, form.initial.get(name)), _words(form, name, form.cleaned_data.get(name))
        yield f"{label}: {old} → {new}"


def changes_of_rows(formset: Any) -> Iterable[str]:
    """What an inline added, changed and removed."""
    for row in formset.new_objects:
        yield gettext("added %(row)s") % {"row": row}
    for row, _fields in formset.changed_objects:
        yield gettext("changed %(row)s") % {"row": row}
    for row in formset.deleted_objects:
        yield gettext("removed %(row)s") % {"row": row}


def _words(form: Any, name: str, value: Any) -> str:
    """A value as a person reads it: what a key points to, a choice's label."""
    try:
        db_field = form._meta.model._meta.get_field(name)
    except FieldDoesNotExist:
        return str(value)
    if value in (None, ""):
        return "–"
    if db_field.is_relation and not isinstance(value, Model):
        found = db_field.related_model._default_manager.filter(pk=value).first()
        return str(found or value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    labels: dict[Any, Any] = dict(db_field.flatchoices or ())
    return str(labels.get(value, value))
