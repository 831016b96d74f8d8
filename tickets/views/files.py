"""Files in the web UI: uploaded while somebody writes, shown and saved from a ticket's page."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.choices import Action
from accounts.permissions import principal_for
from supporthub.core.errors import InvalidInput, NotAllowed, NotThere
from supporthub.core.web import page
from tickets import selectors
from tickets.api.file_answers import file_answer, thumbnail_answer
from tickets.choices import AttachmentState
from tickets.models import Attachment
from tickets.services import attachments, files_out
from tickets.views.acting import signed_in, ticket_to
from tickets.views.ticket_changes import changed


@require_POST
@page
def upload(request: HttpRequest) -> HttpResponse:
    """Take one file (`file`) for a message that is still being written; answers its id for the form's `staged`."""
    who = principal_for(request)
    if not (who.may_anywhere(Action.WORK_TICKET) or who.may_anywhere(Action.OPEN_TICKET)):
        raise NotAllowed(_("Your roles do not allow this here. A lead can change that in the admin."))
    files = request.FILES.getlist("file")
    if len(files) != 1:
        raise InvalidInput(_("Send one file."))
    stored = attachments.store_upload(files[0], rule=attachments.message_rule("file"))
    with attachments.dropped_when_refused([stored]):
        row = attachments.stage(stored=stored, actor=signed_in(request))
    thumbnail = reverse("staged-thumbnail", args=[row.public_id]) if row.is_picture else ""
    answer = {"id": str(row.public_id), "name": row.name, "size": filesizeformat(row.size), "thumbnail": thumbnail,
              "remove": reverse("staged", args=[row.public_id])}  # fmt: skip
    return JsonResponse(answer, status=201)


@require_http_methods(["DELETE"])
@page
def staged(request: HttpRequest, attachment: UUID) -> HttpResponse:
    """Remove an upload that has not been sent."""
    attachments.unstage(public_id=attachment, actor=signed_in(request))
    return HttpResponse(status=204)


@require_GET
@page
def staged_thumbnail(request: HttpRequest, attachment: UUID) -> HttpResponseBase:
    row = Attachment.objects.filter(
        public_id=attachment, uploaded_by=signed_in(request), state=AttachmentState.STAGED
    ).first()
    if row is None:
        raise NotThere(_("There is no such file."))
    return thumbnail_answer(row)


@require_GET
@page
def content(request: HttpRequest, key: str, attachment: UUID) -> HttpResponseBase:
    """The file itself: a safe picture is shown when `inline` asks for it, everything else is saved."""
    found = selectors.attachment_for(principal_for(request), ticket_to(request, key), attachment)
    return file_answer(request, found, actor=signed_in(request), inline="inline" in request.GET)


@require_GET
@page
def thumbnail(request: HttpRequest, key: str, attachment: UUID) -> HttpResponseBase:
    return thumbnail_answer(selectors.attachment_for(principal_for(request), ticket_to(request, key), attachment))


@require_POST
@page
def retry(request: HttpRequest, key: str, attachment: UUID) -> HttpResponse:
    """Try now to put the file into the tracker. One that is in doubt is looked for first."""
    ticket = ticket_to(request, key, Action.RETRY_DELIVERY)
    found = selectors.attachment_for(principal_for(request), ticket, attachment)
    delivery = getattr(found, "delivery", None)
    if delivery is None:
        raise NotThere(_("This file does not go into the tracker."))
    files_out.retry_file(delivery_id=delivery.pk, actor=signed_in(request))
    return changed(request, ticket, _("Trying again now."))
