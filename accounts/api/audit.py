"""GET /api/v1/audit/: the audit trail, as far as the caller's roles or scopes reach."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.access import ClientActions
from accounts.choices import Action, ActorKind
from accounts.models import AuditEntry
from accounts.permissions import demand, principal_for
from supporthub.core.errors import InvalidInput

FILTERS = {"action": "action", "organisation": "organisation__slug", "request": "request_id"}
THINGS = {"actor": ("actor_kind", "actor_id"), "target": ("target_type", "target_id")}
MOMENTS = {"since": "at__gte", "until": "at__lt"}


class ActorSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=ActorKind.choices)
    id = serializers.CharField(allow_blank=True)


class TargetSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    id = serializers.CharField(allow_blank=True)


class AuditEntrySerializer(serializers.ModelSerializer[AuditEntry]):
    """An entry. `seal` and `mac` are null until it was sealed; `texts` is null where none was recorded, or erased."""

    actor = serializers.SerializerMethodField()
    target = serializers.SerializerMethodField()
    organisation = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True, allow_null=True)
    texts = serializers.SerializerMethodField()
    mac = serializers.SerializerMethodField()

    class Meta:
        model = AuditEntry
        fields = [
            "id", "at", "action", "actor", "target", "organisation", "request_id", "data", "texts", "digests", "seal",
            "mac", "key_id",
        ]  # fmt: skip

    @extend_schema_field(ActorSerializer)
    def get_actor(self, entry: AuditEntry) -> dict[str, str]:
        return {"kind": entry.actor_kind, "id": entry.actor_id}

    @extend_schema_field(TargetSerializer)
    def get_target(self, entry: AuditEntry) -> dict[str, str]:
        return {"type": entry.target_type, "id": entry.target_id}

    @extend_schema_field(serializers.DictField(child=serializers.CharField(), allow_null=True))
    def get_texts(self, entry: AuditEntry) -> dict[str, str] | None:
        text = getattr(entry, "text", None)
        return text.texts if text is not None else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_mac(self, entry: AuditEntry) -> str | None:
        return bytes(entry.mac).hex() if entry.mac else None


class AuditView(GenericAPIView[AuditEntry]):
    """The entries of the organisations for which the caller may read the trail; what belongs to no organisation only
    for those who may read all of it."""

    serializer_class = AuditEntrySerializer
    client_actions: ClassVar[ClientActions] = {"GET": (Action.VIEW_AUDIT,)}

    def get_queryset(self) -> QuerySet[AuditEntry]:
        scope = principal_for(self.request).scope(Action.VIEW_AUDIT)
        rows = AuditEntry.objects.select_related("organisation", "text").filter(filters_of(self.request))
        return rows if scope.everywhere else rows.filter(organisation__in=scope.organisations)

    @extend_schema(
        summary="Read the audit trail, newest first",
        parameters=[
            OpenApiParameter("action", OpenApiTypes.STR, many=True, description="For example `ticket.opened`."),
            OpenApiParameter("organisation", OpenApiTypes.STR, many=True, description="Its short name."),
            OpenApiParameter("request", OpenApiTypes.STR, many=True, description="The X-Request-Id of a request."),
            OpenApiParameter("actor", OpenApiTypes.STR, description="Kind and id, for example `user:7`."),
            OpenApiParameter("target", OpenApiTypes.STR, description="Type and id, for example `ticket:12`."),
            OpenApiParameter("since", OpenApiTypes.DATETIME, description="From this moment on."),
            OpenApiParameter("until", OpenApiTypes.DATETIME, description="Before this moment."),
        ],
        responses=AuditEntrySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        who = principal_for(request)
        if who.scope(Action.VIEW_AUDIT).nowhere:
            demand(who, Action.VIEW_AUDIT)
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(AuditEntrySerializer(page, many=True).data)


def filters_of(request: Request) -> Q:
    """The list's filters; repeated parameters mean "one of". Raises InvalidInput for what cannot be read."""
    given = request.query_params
    wanted = Q()
    for name in (*FILTERS, *THINGS):
        if any("\x00" in value for value in given.getlist(name)):
            raise _refuse(name, "This value contains a null byte.")
    for name, column in FILTERS.items():
        if values := [value for value in given.getlist(name) if value]:
            wanted &= Q(**{f"{column}__in": values})
    for name, columns in THINGS.items():
        if value := given.get(name):
            kind, colon, number = value.partition(":")
            if not colon:
                raise _refuse(name, "Use kind and id, for example user:7.")
            wanted &= Q(**dict(zip(columns, (kind, number), strict=True)))
    for name, column in MOMENTS.items():
        if value := given.get(name):
            wanted &= Q(**{column: _moment(name, value)})
    return wanted


def _moment(name: str, value: str) -> datetime:
    try:
        moment = parse_datetime(value.replace(" ", "+"))  # a plus sign that was not encoded
        if moment is not None and moment.tzinfo:
            moment = moment.astimezone(UTC)  # PostgreSQL takes no offset beyond 15:59
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise _refuse(name, "Use a moment such as 2026-01-31T08:15:00Z.")
    return moment.replace(tzinfo=UTC)


def _refuse(name: str, fault: str) -> InvalidInput:
    return InvalidInput(f"Not accepted: {name}.", errors={name: [fault]})
