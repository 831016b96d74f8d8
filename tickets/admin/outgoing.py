"""The kinds of deliveries of tickets."""

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from tickets.admin.deliveries import AttemptsInline, DeliveryAdmin, steps_for
from tickets.models import (
    FileAttempt,
    FileDelivery,
    IssueChange,
    IssueChangeAttempt,
    Submission,
    SubmissionAttempt,
)
from tickets.services import changes, files_out, submissions

_NOW = ("ticket_link", "tracker", "tries", "next_try")
_DETAILS = ("reason_code", "created_at", "first_tried_at", "unknown_since", "lease_until", "done_at")


class SubmissionAttempts(AttemptsInline):
    model = SubmissionAttempt


class IssueChangeAttempts(AttemptsInline):
    model = IssueChangeAttempt


class FileAttempts(AttemptsInline):
    model = FileAttempt


@admin.register(Submission)
class SubmissionAdmin(DeliveryAdmin):
    steps = steps_for(
        retry=lambda request, row: submissions.retry_submission(ticket_id=row.ticket_id, actor=request.user),
        accept=lambda request, row: submissions.accept_submission(ticket_id=row.ticket_id, actor=request.user),
        cancel=lambda request, row: submissions.cancel_submission(ticket_id=row.ticket_id, actor=request.user),
    )
    inlines = (SubmissionAttempts,)
    readonly_fields = ("ticket_link", "next_try")
    fieldsets = (
        (None, {"fields": _NOW}),
        (_("In detail"), {"classes": ["collapse"], "fields": ("project_key", "tag", "watermark", *_DETAILS)}),
    )


@admin.register(IssueChange)
class IssueChangeAdmin(DeliveryAdmin):
    steps = steps_for(
        retry=lambda request, row: changes.retry_change(change_id=row.pk, actor=request.user),
        accept=lambda request, row: changes.accept_change(change_id=row.pk, actor=request.user),
        cancel=lambda request, row: changes.cancel_change(change_id=row.pk, actor=request.user),
    )
    list_display: Any = ("ticket_line", "verb", *DeliveryAdmin.list_display[1:])
    list_filter: ClassVar[Any] = (*DeliveryAdmin.list_filter, "verb")
    inlines = (IssueChangeAttempts,)
    readonly_fields = ("ticket_link", "next_try")
    fieldsets = (
        (None, {"fields": ("verb", *_NOW)}),
        (_("In detail"), {"classes": ["collapse"], "fields": _DETAILS}),
    )


@admin.register(FileDelivery)
class FileDeliveryAdmin(DeliveryAdmin):
    """Files are named, never shown: the admin embeds nothing that came from outside."""

    steps = steps_for(
        retry=lambda request, row: files_out.retry_file(delivery_id=row.pk, actor=request.user),
        accept=lambda request, row: files_out.accept_file(delivery_id=row.pk, actor=request.user),
        cancel=lambda request, row: files_out.cancel_file(delivery_id=row.pk, actor=request.user),
    )
    list_display: Any = ("ticket_line", "attachment", *DeliveryAdmin.list_display[1:])
    list_select_related: ClassVar[Any] = (*DeliveryAdmin.list_select_related, "attachment")
    inlines = (FileAttempts,)
    readonly_fields = ("ticket_link", "next_try")
    fieldsets = (
        (None, {"fields": ("attachment", *_NOW)}),
        (_("In detail"), {"classes": ["collapse"], "fields": ("remote_name", "remote_id", *_DETAILS)}),
    )
