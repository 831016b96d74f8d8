"""What belongs to one ticket: messages, watchers, transitions, timeline, submission."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.api.auth import acting
from accounts.choices import Action
from accounts.permissions import principal_for
from accounts.services.idempotency import Answer, once
from tickets import selectors, workflow
from tickets.api.serializers import (
    MessageSerializer,
    NewMessageSerializer,
    OfferedTransitionSerializer,
    PersonRefSerializer,
    SubmissionSerializer,
    TicketSerializer,
    TimelineSerializer,
    TransitionSerializer,
    WatcherSerializer,
)
from tickets.api.tickets import IDEMPOTENCY_HEADER
from tickets.models import Ticket
from tickets.services.conversation import add_message, add_watcher, remove_watcher
from tickets.services.submissions import retry_submission
from tickets.services.workflow import transition_ticket


class PartView(GenericAPIView[Any]):
    """A part of a ticket; `answers` serialises a page of it, oldest first."""

    queryset = Ticket.objects.none()
    answers: ClassVar[type[BaseSerializer[Any]]]

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

    @extend_schema(summary="Read the conversation, oldest first", responses=MessageSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        return self.page_of(selectors.conversation(self.ticket(key)))

    @extend_schema(
        summary="Reply, or add an internal note", request=NewMessageSerializer, responses={201: MessageSerializer},
        parameters=[IDEMPOTENCY_HEADER],
    )  # fmt: skip
    def post(self, request: Request, key: str) -> Response:
        ticket = self.ticket(key, Action.WORK_TICKET)
        wanted = NewMessageSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        actor = acting(request)

        def create() -> Answer:
            message = add_message(ticket_id=ticket.pk, actor=actor, **wanted.validated_data)
            return Answer(201, dict(MessageSerializer(message).data), f"/api/v1/tickets/{ticket.key}/messages/")

        answer = once(
            principal=f"user:{actor.pk}", method="POST", path=f"/api/v1/tickets/{ticket.key}/messages/",
            key=request.headers.get("Idempotency-Key", ""), data=request.data, create=create,
        )  # fmt: skip
        headers = {"Location": answer.location} | ({"Idempotent-Replayed": "true"} if answer.replayed else {})
        return Response(answer.body, status=answer.status, headers=headers)


class WatchersView(PartView):
    answers = PersonRefSerializer

    @extend_schema(summary="List watchers", responses=PersonRefSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        return self.page_of(self.ticket(key).watchers.all())

    @extend_schema(summary="Add a watcher", request=WatcherSerializer, responses={201: PersonRefSerializer})
    def post(self, request: Request, key: str) -> Response:
        ticket = self.ticket(key, Action.WORK_TICKET)
        wanted = WatcherSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        watcher = add_watcher(ticket_id=ticket.pk, email=wanted.validated_data["email"], actor=acting(request))
        return Response(PersonRefSerializer(watcher.person).data, status=201)

    @extend_schema(summary="Remove a watcher", request=WatcherSerializer, responses={204: None})
    def delete(self, request: Request, key: str) -> Response:
        ticket = self.ticket(key, Action.WORK_TICKET)
        wanted = WatcherSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        remove_watcher(ticket_id=ticket.pk, email=wanted.validated_data["email"], actor=acting(request))
        return Response(status=204)


class TransitionsView(PartView):
    @extend_schema(summary="What can be done from here", responses=OfferedTransitionSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        steps = workflow.steps_from(self.ticket(key).status)
        return Response([{"verb": step.verb, "target": step.target, "label": str(step.label)} for step in steps])

    @extend_schema(summary="Change the status", request=TransitionSerializer, responses=TicketSerializer)
    def post(self, request: Request, key: str) -> Response:
        ticket = self.ticket(key, Action.WORK_TICKET)
        wanted = TransitionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        transition_ticket(ticket_id=ticket.pk, verb=wanted.validated_data["verb"], actor=acting(request))
        return Response(TicketSerializer(self.ticket(ticket.key)).data)


class TimelineView(PartView):
    answers = TimelineSerializer

    @extend_schema(summary="What happened, oldest first", responses=TimelineSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        return self.page_of(self.ticket(key).timeline.select_related("actor"))


class SubmissionView(PartView):
    @extend_schema(summary="The way into the tracker, with every attempt", responses=SubmissionSerializer)
    def get(self, request: Request, key: str) -> Response:
        return Response(SubmissionSerializer(self.ticket(key).submission).data)


class RetryView(PartView):
    @extend_schema(summary="Try the submission again now", request=None, responses=SubmissionSerializer)
    def post(self, request: Request, key: str) -> Response:
        ticket = self.ticket(key, Action.RETRY_DELIVERY)
        retry_submission(ticket_id=ticket.pk, actor=acting(request))
        return Response(SubmissionSerializer(self.ticket(ticket.key).submission).data)
