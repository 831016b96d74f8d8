"""/api/v1/tickets/: create, list, read, and what belongs to one ticket."""

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.access import ClientActions
from accounts.api.auth import acting
from accounts.choices import Action
from accounts.models import User
from accounts.permissions import Principal, principal_for
from accounts.services.idempotency import Answer, once
from supporthub.core.api.multipart import FormParser
from supporthub.core.api.parsers import StrictJSONParser
from supporthub.core.api.schema import IDEMPOTENCY_HEADER
from supporthub.core.errors import InvalidInput
from tickets import selectors
from tickets.api.forms import FILES, fields_and_files, with_hashes
from tickets.api.serializers import NewTicketFormSerializer, NewTicketSerializer, TicketEditSerializer, TicketSerializer
from tickets.choices import Priority, TicketStatus
from tickets.models import Ticket
from tickets.services.attachments import (
    StoredFile,
    attach_to_new,
    discard,
    dropped_when_refused,
    message_rule,
    store_uploads,
)
from tickets.services.intake import NewTicket, open_ticket
from tickets.services.workflow import assign_ticket, edit_ticket

FILTERS = {"board": "board__slug", "organisation": "organisation__slug", "category": "category__slug",
           "requester": "requester__email", "assignee": "assignee__email"}  # fmt: skip
CHOICES = {"status": TicketStatus, "priority": Priority}


class TicketsView(GenericAPIView[Ticket]):
    """List and create."""

    serializer_class = TicketSerializer
    parser_classes = (StrictJSONParser, FormParser)
    client_actions: ClassVar[ClientActions] = {
        "GET": (Action.VIEW_TICKET, Action.VIEW_OWN_TICKET), "POST": (Action.OPEN_TICKET,),
    }  # fmt: skip

    def get_queryset(self) -> QuerySet[Ticket]:
        tickets = selectors.visible_tickets(principal_for(self.request))
        return tickets.filter(filters_of(self.request))

    @extend_schema(
        summary="List tickets, newest first",
        parameters=[
            *(OpenApiParameter(name, OpenApiTypes.STR, many=True) for name in FILTERS),
            *(
                OpenApiParameter(name, OpenApiTypes.STR, many=True, enum=list(kind.values))
                for name, kind in CHOICES.items()
            ),
        ],
        responses=TicketSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(TicketSerializer(page, many=True).data)

    @extend_schema(
        summary="Open a ticket",
        request={"application/json": NewTicketSerializer, "multipart/form-data": NewTicketFormSerializer},
        responses={201: TicketSerializer}, parameters=[IDEMPOTENCY_HEADER],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        fields, files = fields_and_files(request)
        asked = _accepting().run_validation(fields)
        user, who = acting(request), principal_for(request)
        # A client of one organisation means that one.
        new = NewTicket(**{**asked, "organisation": asked["organisation"] or who.home})
        stored = store_uploads(files, rule=message_rule(FILES)) if files else []
        with dropped_when_refused(stored):
            answer = once(
                principal=who.identity, method="POST", path=request.path,
                key=request.headers.get("Idempotency-Key", ""), data=with_hashes(fields, stored),
                create=lambda: _create(new, user, who, stored),
            )  # fmt: skip
        if answer.replayed:
            discard(stored)
        headers = {"Location": answer.location}
        if answer.replayed:
            headers["Idempotent-Replayed"] = "true"
        return Response(answer.body, status=answer.status, headers=headers)


def _create(new: NewTicket, user: User, who: Principal, stored: Sequence[StoredFile]) -> Answer:
    ticket = open_ticket(new=new, actor=user, principal=who)
    attach_to_new(ticket=ticket, stored=stored, actor=user)
    body = dict(_answering().to_representation(ticket))
    return Answer(status.HTTP_201_CREATED, _plain(body), location=f"/api/v1/tickets/{ticket.key}/")


# One of each for all requests: both are used without state, and making their fields costs more than using them.
@cache
def _accepting() -> NewTicketSerializer:
    return NewTicketSerializer()


@cache
def _answering() -> TicketSerializer:
    return TicketSerializer()


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    """Ordered and lazy values as plain JSON, so that the stored answer equals the first one."""
    return {name: dict(value) if isinstance(value, dict) else value for name, value in body.items()}


def filters_of(request: Request) -> Q:
    """Return the list's filters; repeated parameters mean "one of"; raises InvalidInput for an unknown choice."""
    wanted = Q()
    for name, path in FILTERS.items():
        values = [value for value in request.query_params.getlist(name) if value]
        if any("\x00" in value for value in values):
            raise InvalidInput(f"Not accepted: {name}.", errors={name: ["This value contains a null byte."]})
        if values:
            wanted &= Q(**{f"{path}__in": values})
    for name, kind in CHOICES.items():
        values = [value for value in request.query_params.getlist(name) if value]
        if unknown := [value for value in values if value not in kind.values]:
            text = f"{unknown[0]!r} is not one of {', '.join(kind.values)}."
            raise InvalidInput(f"Not accepted: {name}.", errors={name: [text]})
        if values:
            wanted &= Q(**{f"{name}__in": values})
    return wanted


class TicketView(GenericAPIView[Ticket]):
    """One ticket by the hub's key or the tracker's."""

    serializer_class = TicketSerializer
    queryset = Ticket.objects.none()
    client_actions: ClassVar[ClientActions] = {
        "GET": (Action.VIEW_TICKET, Action.VIEW_OWN_TICKET), "PATCH": (Action.WORK_TICKET,),
    }  # fmt: skip

    @extend_schema(summary="Read a ticket", responses=TicketSerializer)
    def get(self, request: Request, key: str) -> Response:
        return Response(TicketSerializer(selectors.ticket_for(principal_for(request), key)).data)

    @extend_schema(summary="Change a ticket", request=TicketEditSerializer, responses=TicketSerializer)
    def patch(self, request: Request, key: str) -> Response:
        ticket = selectors.ticket_for(principal_for(request), key, Action.WORK_TICKET)
        wanted = TicketEditSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = dict(wanted.validated_data)
        actor = acting(request)
        has_assignee, address = "assignee" in values, values.pop("assignee", None)
        edit_ticket(ticket_id=ticket.pk, actor=actor, seen_version=values.pop("version", None), **values)
        if has_assignee:
            assign_ticket(ticket_id=ticket.pk, assignee=_assignee(address), actor=actor)
        return Response(TicketSerializer(selectors.ticket_for(principal_for(request), ticket.key)).data)


def _assignee(address: str | None) -> User | None:
    if address is None:
        return None
    user = User.objects.filter(email=address.lower(), is_active=True).first()
    if user is None:
        raise InvalidInput(
            "Not accepted: assignee.", errors={"assignee": ["There is no active user with this address."]}
        )
    return user
