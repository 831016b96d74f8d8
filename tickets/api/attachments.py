"""Files of one ticket: list, add, read."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.access import ClientActions
from accounts.api.auth import acting
from accounts.choices import Action
from accounts.permissions import principal_for
from accounts.services.idempotency import Answer, once
from supporthub.core.api.multipart import FormParser, form_of
from supporthub.core.api.schema import IDEMPOTENCY_HEADER
from supporthub.core.errors import InvalidInput
from tickets import selectors
from tickets.api.file_answers import file_answer
from tickets.api.forms import FILES
from tickets.api.parts import PUBLIC_SIDE, PartView
from tickets.api.serializers import AttachmentSerializer
from tickets.services.attachments import add_files, discard, dropped_when_refused, message_rule, store_uploads


class FilesSerializer(serializers.Serializer[Any]):
    """The form of a request that only brings files."""

    attachments = serializers.ListField(child=serializers.FileField(), allow_empty=False)


class AttachmentsView(PartView):
    answers = AttachmentSerializer
    client_actions = PUBLIC_SIDE
    parser_classes = (FormParser,)

    @extend_schema(summary="List the files, oldest first", responses=AttachmentSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        return self.page_of(selectors.attachments_for(principal_for(request), self.ticket(key)))

    @extend_schema(
        summary="Add files without a message", request={"multipart/form-data": FilesSerializer},
        responses={201: AttachmentSerializer(many=True)}, parameters=[IDEMPOTENCY_HEADER],
    )  # fmt: skip
    def post(self, request: Request, key: str) -> Response:
        ticket, actor = self.ticket(key, Action.WORK_TICKET), acting(request)
        fields, files = form_of(request, files=FILES)
        errors = {name: ["There is no such field."] for name in fields}
        if not files:
            errors[FILES] = ["Send at least one file."]
        if errors:
            raise InvalidInput(f"Not accepted: {', '.join(errors)}.", errors=errors)
        stored = store_uploads(files, rule=message_rule(FILES))
        path = f"/api/v1/tickets/{ticket.key}/attachments/"

        def create() -> Answer:
            added = add_files(ticket_id=ticket.pk, stored=stored, actor=actor)
            return Answer(201, [dict(AttachmentSerializer(row).data) for row in added], path)

        with dropped_when_refused(stored):
            answer = once(
                principal=principal_for(request).identity, method="POST", path=path,
                key=request.headers.get("Idempotency-Key", ""), data={FILES: [file.sha256 for file in stored]},
                create=create,
            )  # fmt: skip
        if answer.replayed:
            discard(stored)
        headers = {"Location": answer.location} | ({"Idempotent-Replayed": "true"} if answer.replayed else {})
        return Response(answer.body, status=answer.status, headers=headers)


class AttachmentContentView(PartView):
    client_actions: ClassVar[ClientActions] = {"GET": (Action.VIEW_TICKET, Action.VIEW_OWN_TICKET)}

    @extend_schema(
        summary="Read a file's content; recorded in the audit trail",
        responses={(200, "*/*"): OpenApiTypes.BINARY, 304: None},  # the media type of the file
        parameters=[
            OpenApiParameter("If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The ETag."),
            OpenApiParameter(
                "inline", OpenApiTypes.BOOL, description="Show a PNG, JPEG, GIF or WebP picture instead of saving it."
            ),
        ],
    )
    def get(self, request: Request, key: str, attachment: UUID) -> HttpResponseBase:
        found = selectors.attachment_for(principal_for(request), self.ticket(key), attachment)
        return file_answer(request._request, found, actor=acting(request), inline=_is_on(request, "inline"))  # noqa: SLF001  (DRF wraps Django's request)


def _is_on(request: Request, switch: str) -> bool:
    """Return whether a switch of the query was named, and not as false."""
    return request.query_params.get(switch, "false").lower() not in {"false", "0"}
