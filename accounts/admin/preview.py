"""Actions with a preview: what will happen to which rows, a brake for many, and afterwards what each row answered."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Field, QuerySet, UUIDField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from accounts.choices import Action
from supporthub.core.errors import HubError

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from accounts.admin.base import PolicyAdmin

    Words = str | _StrPromise

MOST_ROWS = 200
BRAKE_ABOVE = 20
_MOST_FAILURES_NAMED = 20
_MOST_DIGITS = 18  # of a key that PostgreSQL's bigint surely holds


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is done to rows after a look at them.

    `action` is asked of the policy for each row. `run` gets the request and a row; it raises HubError for a row that
    cannot have it. `columns` are (heading, cell) pairs of the preview. `done` has `%(n)d`.
    """

    name: str
    action: Action
    title: "Words"
    button: "Words"
    effect: "Words"
    done: "Words"
    run: Callable[[HttpRequest, Any], None]
    columns: tuple[tuple["Words", Callable[[Any], Any]], ...] = ()
    is_danger: bool = False


@dataclass(slots=True)
class _Result:
    succeeded: int = 0
    refused: list[tuple[Any, str]] = field(default_factory=list)


def address(model_admin: "PolicyAdmin", step: Step, ids: Iterable[Any]) -> str:
    """Return where the preview of these rows is."""
    meta = model_admin.opts
    listed = ",".join(str(pk) for pk in ids)
    return f"{reverse(f'admin:{meta.app_label}_{meta.model_name}_{step.name}')}?ids={listed}"


def open_preview(model_admin: "PolicyAdmin", step: Step, queryset: QuerySet[Any]) -> HttpResponse:
    """Lead from the list's action to the preview of the chosen rows."""
    return redirect(address(model_admin, step, queryset.values_list("pk", flat=True)[:MOST_ROWS]))


def preview_urls(model_admin: "PolicyAdmin", steps: Iterable[Step]) -> list[URLPattern]:
    meta = model_admin.opts
    return [
        path(
            f"do/{step.name}/",
            model_admin.admin_site.admin_view(partial(_preview, model_admin, step)),
            name=f"{meta.app_label}_{meta.model_name}_{step.name}",
        )
        for step in steps
    ]


def _preview(model_admin: "PolicyAdmin", step: Step, request: HttpRequest) -> HttpResponse:
    rows = _rows(model_admin, step, request)
    here = reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist")
    if not rows:
        messages.warning(request, gettext("None of these can be chosen for this, or your roles do not cover them."))
        return redirect(here)
    brake = len(rows) > BRAKE_ABOVE
    wrong_number = False
    if request.method == "POST":
        wrong_number = brake and request.POST.get("number", "").strip() != str(len(rows))
        if not wrong_number:
            _tell(request, step, _run(model_admin, step, request, rows))
            return redirect(here)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": step.title,
        "step": step,
        "headings": [heading for heading, _cell in step.columns],
        "rows": [(row, [cell(row) for _heading, cell in step.columns]) for row in rows],
        "ids": ",".join(str(row.pk) for row in rows),
        "count": len(rows),
        "brake": brake,
        "wrong_number": wrong_number,
        "back": here,
    }
    return TemplateResponse(request, "admin/preview.html", context)


def _rows(model_admin: "PolicyAdmin", step: Step, request: HttpRequest) -> list[Any]:
    """The chosen rows on which the policy allows this; raises PermissionDenied for who may do it nowhere."""
    if not model_admin.may(request, step.action):
        raise PermissionDenied
    data = request.POST if request.method == "POST" else request.GET
    given = data.get("ids", "").split(",")
    ids = [key for key in (_key(model_admin.opts.pk, word) for word in given) if key is not None]
    rows = model_admin.get_queryset(request).filter(pk__in=ids[:MOST_ROWS]).order_by("pk")
    if model_admin.list_select_related:
        rows = rows.select_related(*model_admin.list_select_related)  # type: ignore[misc]  # always names, never True
    return [row for row in rows if model_admin.may(request, step.action, row)]


def _key(field: "Field[Any, Any] | None", word: str) -> int | uuid.UUID | None:
    """Return a key of the model as it was written into the address; None for anything else."""
    if isinstance(field, UUIDField):
        try:
            return uuid.UUID(word)
        except ValueError:
            return None
    return int(word) if word.isascii() and word.isdigit() and len(word) <= _MOST_DIGITS else None


def _run(model_admin: "PolicyAdmin", step: Step, request: HttpRequest, rows: Iterable[Any]) -> _Result:
    """Each row on its own: one that refuses does not stop the others."""
    result = _Result()
    for row in rows:
        try:
            with transaction.atomic():
                step.run(request, row)
                model_admin.log_change(request, row, str(step.title))
        except HubError as error:
            result.refused.append((row, error.detail))
        else:
            result.succeeded += 1
    return result


def _tell(request: HttpRequest, step: Step, result: _Result) -> None:
    if result.succeeded:
        messages.success(request, str(step.done) % {"n": result.succeeded})
    for row, reason in result.refused[:_MOST_FAILURES_NAMED]:
        messages.warning(request, f"{row}: {reason}")
    if (more := len(result.refused) - _MOST_FAILURES_NAMED) > 0:
        messages.warning(request, gettext("And %(n)d more were refused.") % {"n": more})
