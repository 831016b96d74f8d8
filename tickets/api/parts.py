"""What belongs to one ticket: messages, watchers, transitions, timeline, submission."""

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.api.access import ClientActions
from accounts.api.auth import acting
from accounts.choices import Action
from accounts.permissions import principal_for
from accounts.services.idempotency import Answer, once
from supporthub.core.api.multipart import FormParser
from supporthub.core.api.parsers import StrictJSONParser
from supporthub.core.api.schema import IDEMPOTENCY_HEADER, refusal
from tickets import selectors, workflow
from tickets.api.forms import FILES, fields_and_files, with_hashes
from tickets.api.serializers import (
    MessageSerializer,
    NewMessageFormSerializer,
    NewMessageSerializer,
    OfferedTransitionSerializer,
    PersonRefSerializer,
    SubmissionSerializer,
    TicketSerializer,
    TimelineSerializer,
    TransitionSerializer,
    WatcherSerializer,
)
from tickets.models import Ticket
from tickets.services.attachments import discard, dropped_when_refused, message_rule, store_uploads
from tickets.services.conversation import add_message, add_watcher, remove_watcher
from tickets.services.submissions import retry_submission
from tickets.services.workflow import transition_ticket

# Also for a client that may only see the tickets that it opened itself.
PUBLIC_SIDE: ClientActions = {
    "GET": (Action.VIEW_TICKET, Action.VIEW_OWN_TICKET), "POST": (Action.WORK_TICKET,),
}  # fmt: skip


class PartView(GenericAPIView[Any]):
    """A part of a ticket; `answers` serialises a page of it, oldest first."""

    queryset = Ticket.objects.none()
    answers: ClassVar[type[BaseSerializer[Any]]]
    client_actions: ClassVar[ClientActions] = {
        "GET": (Action.VIEW_TICKET,), "POST": (Action.WORK_TICKET,), "DELETE": (Action.WORK_TICKET,),
    }  # fmt: skip

    def ticket(self, key: str, action: Action = Action.VIEW_TICKET) -> Ticket:
        return selectors.ticket_for(principal_for(self.request), key, action)

    def page_of(self, rows: Any) -> Response:
        paginator = self.paginator
        if paginator is None:
            raise TypeError("lists are always paged")
        paginator.ordering = ("pk",)  # type: ignore[attr-defined]  # our own paginator class
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(self.answers(page, many=True).data)


class MessagesView(PartView):
    answers = MessageSerializer
    client_actions = PUBLIC_SIDE
    parser_classes = (StrictJSONParser, FormParser)

    @extend_schema(summary="Read the conversation, oldest first", responses=MessageSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        return self.page_of(selectors.conversation_for(principal_for(request), self.ticket(key)))

    @extend_schema(
        summary="Reply, or add an internal note",
        request={"application/json": NewMessageSerializer, "multipart/form-data": NewMessageFormSerializer},
        responses={201: MessageSerializer}, parameters=[IDEMPOTENCY_HEADER],
    )  # fmt: skip
    def post(self, request: Request, key: str) -> Response:
        ticket = self.ticket(key, Action.WORK_TICKET)
        fields, files = fields_and_files(request)
        wanted = NewMessageFormSerializer(data=fields) if files else NewMessageSerializer(data=fields)
        wanted.is_valid(raise_exception=True)
        actor = acting(request)
        stored = store_uploads(files, rule=message_rule(FILES))

        def create() -> Answer:
            message = add_message(ticket_id=ticket.pk, actor=actor, files=stored, **wanted.validated_data)
            return Answer(201, dict(MessageSerializer(message).data), f"/api/v1/tickets/{ticket.key}/messages/")

        path, retry_key = f"/api/v1/tickets/{ticket.key}/messages/", request.headers.get("Idempotency-Key", "")
        with dropped_when_refused(stored):
            answer = once(
                principal=principal_for(request).identity, method="POST", path=path, key=retry_key,
                data=with_hashes(fields, stored), create=create,
            )  # fmt: skip
        if answer.replayed:
            discard(stored)
        headers = {"Location": answer.location} | ({"Idempotent-Replayed": "true"} if answer.replayed else {})
        return Response(answer.body, status=answer.status, headers=headers)


class WatchersView(PartView):
    answers = PersonRefSerializer

    @extend_schema(summary="List watchers", responses=PersonRefSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        return self.page_of(self.ticket(key).watchers.all())

    @extend_schema(
        summary="Add a watcher", request=WatcherSerializer, responses={201: PersonRefSerializer},
        parameters=[IDEMPOTENCY_HEADER],
    )  # fmt: skip
    def post(self, request: Request, key: str) -> Response:
        ticket = self.ticket(key, Action.WORK_TICKET)
        wanted = WatcherSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        actor, path = acting(request), f"/api/v1/tickets/{ticket.key}/watchers/"

        def create() -> Answer:
            watcher = add_watcher(ticket_id=ticket.pk, email=wanted.validated_data["email"], actor=actor)
            return Answer(201, dict(PersonRefSerializer(watcher.person).data), path)

        answer = once(
            principal=principal_for(request).identity, method="POST", path=path,
            key=request.headers.get("Idempotency-Key", ""), data=request.data, create=create,
        )  # fmt: skip
        headers = {"Location": answer.location} | ({"Idempotent-Replayed": "true"} if answer.replayed else {})
        return Response(answer.body, status=answer.status, headers=headers)

    @extend_schema(
        summary="Remove a watcher", request=None, responses={204: None},
        parameters=[OpenApiParameter("email", OpenApiTypes.EMAIL, required=True)],
    )  # fmt: skip
    def delete(self, request: Request, key: str) -> Response:
        ticket = self.ticket(key, Action.WORK_TICKET)
        # As a body too; but proxies drop the body of a DELETE, and OpenAPI knows none.
        wanted = WatcherSerializer(data=_of_query(request) or request.data)
        wanted.is_valid(raise_exception=True)
        remove_watcher(ticket_id=ticket.pk, email=wanted.validated_data["email"], actor=acting(request))
        return Response(status=204)


class TransitionsView(PartView):
    pagination_class = None  # the few steps of one table

    @extend_schema(summary="What can be done from here", responses=OfferedTransitionSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        steps = workflow.steps_from(self.ticket(key).status)
        return Response([{"verb": step.verb, "target": step.target, "label": str(step.label)} for step in steps])

    @extend_schema(
        summary="Change the status", request=TransitionSerializer,
        responses={200: TicketSerializer, 409: refusal("The ticket is not in a state from which this is possible.")},
    )  # fmt: skip
    def post(self, request: Request, key: str) -> Response:
        ticket = self.ticket(key, Action.WORK_TICKET)
        wanted = TransitionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        transition_ticket(ticket_id=ticket.pk, verb=wanted.validated_data["verb"], actor=acting(request))
        return Response(TicketSerializer(self.ticket(ticket.key)).data)


class TimelineView(PartView):
    answers = TimelineSerializer
    client_actions = PUBLIC_SIDE

    @extend_schema(summary="What happened, oldest first", responses=TimelineSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        return self.page_of(selectors.timeline_for(principal_for(request), self.ticket(key)))


class SubmissionView(PartView):
    client_actions = PUBLIC_SIDE

    @extend_schema(summary="The way into the tracker, with every attempt", responses=SubmissionSerializer)
    def get(self, request: Request, key: str) -> Response:
        return Response(SubmissionSerializer(self.ticket(key).submission).data)


class RetryView(PartView):
    client_actions: ClassVar[ClientActions] = {"POST": (Action.RETRY_DELIVERY,)}

    @extend_schema(
        summary="Try the submission again now", request=None,
        responses={200: SubmissionSerializer, 409: refusal("There is nothing to retry.")},
    )  # fmt: skip
    def post(self, request: Request, key: str) -> Response:
        ticket = self.ticket(key, Action.RETRY_DELIVERY)
        retry_submission(ticket_id=ticket.pk, actor=acting(request))
        return Response(SubmissionSerializer(self.ticket(ticket.key).submission).data)


def _of_query(request: Request) -> dict[str, str]:
    return {"email": request.query_params["email"]} if "email" in request.query_params else {}
