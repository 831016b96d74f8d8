"""/api/v1/api-clients/: the programs that may call the API. For admins, and for clients with the scope `admin`."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import Prefetch, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.access import ClientActions
from accounts.api.auth import acting
from accounts.choices import Action, ClientScope
from accounts.models import ApiClient, ApiKey, Organisation
from accounts.permissions import Principal, demand, principal_for, scope_missing
from accounts.services.clients import (
    GRACE,
    add_key,
    change_client,
    create_client,
    demand_may_give,
    revoke_client,
    revoke_key,
)
from accounts.services.idempotency import Answer, once
from supporthub.core.api.schema import IDEMPOTENCY_HEADER, refusal
from supporthub.core.api.serializers import StrictSerializer
from supporthub.core.errors import InvalidInput, NotThere

MANAGES: ClientActions = dict.fromkeys(("GET", "POST", "PATCH", "DELETE"), (Action.MANAGE_CLIENTS,))


class KeySerializer(serializers.ModelSerializer[ApiKey]):
    begins_with = serializers.CharField(source="prefix", help_text="The eight characters after `shk_`.")

    class Meta:
        model = ApiKey
        fields = ["id", "begins_with", "created_at", "expires_at", "revoked_at", "last_used_at"]


class ApiClientSerializer(serializers.ModelSerializer[ApiClient]):
    organisation = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True, allow_null=True)
    scopes = serializers.ListField(child=serializers.ChoiceField(ClientScope.choices))
    keys = KeySerializer(many=True, read_only=True)

    class Meta:
        model = ApiClient
        fields = [
            "id",
            "name",
            "organisation",
            "scopes",
            "is_active",
            "expires_at",
            "last_used_at",
            "created_at",
            "keys",
        ]


class WantedSerializer(StrictSerializer):
    """What a client shall be. `organisation` null or left out: all organisations."""

    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(child=serializers.ChoiceField(ClientScope.choices), allow_empty=False, max_length=50)
    organisation = serializers.CharField(max_length=50, required=False, allow_null=True, default=None)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class ChangeSerializer(WantedSerializer):
    is_active = serializers.BooleanField(required=False)


class NewKeySerializer(StrictSerializer):
    grace_hours = serializers.FloatField(
        required=False, min_value=0, max_value=24 * 365, default=GRACE / timedelta(hours=1),
        help_text="After so many hours the keys that are valid now end; 0: at once.",
    )  # fmt: skip


class WithKeySerializer(ApiClientSerializer):
    key = serializers.CharField(read_only=True, help_text="Shown in this answer only.")

    class Meta(ApiClientSerializer.Meta):
        fields = [*ApiClientSerializer.Meta.fields, "key"]


class ClientView(GenericAPIView[ApiClient]):
    """Who may manage clients at all, and which of them."""

    queryset = ApiClient.objects.none()
    serializer_class = ApiClientSerializer
    client_actions: ClassVar[ClientActions] = MANAGES

    def manager(self) -> Principal:
        """Return who asks; raises NotAllowed for who may manage clients nowhere."""
        who = principal_for(self.request)
        if not who.may_anywhere(Action.MANAGE_CLIENTS):
            if who.client_id:
                raise scope_missing([Action.MANAGE_CLIENTS])
            demand(who, Action.MANAGE_CLIENTS)
        return who

    def get_queryset(self) -> QuerySet[ApiClient]:
        scope = self.manager().scope(Action.MANAGE_CLIENTS)
        where = Q() if scope.everywhere else Q(organisation__in=scope.organisations)
        keys = Prefetch("keys", ApiKey.objects.order_by("-pk"))
        return ApiClient.objects.select_related("organisation").prefetch_related(keys).filter(where).order_by("-pk")

    def client(self, pk: int) -> ApiClient:
        found = self.get_queryset().filter(pk=pk).first()
        if found is None:
            raise NotThere("There is no such API client.")
        return found


class ApiClientsView(ClientView):
    @extend_schema(summary="List API clients, newest first", responses=ApiClientSerializer(many=True))
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(ApiClientSerializer(page, many=True).data)

    @extend_schema(
        summary="Make an API client with its first key", request=WantedSerializer, responses={201: WithKeySerializer},
        description="The key is in this answer only. A repetition with the same Idempotency-Key answers without it.",
        parameters=[IDEMPOTENCY_HEADER],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        wanted = WantedSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        values = _resolved(wanted.validated_data)
        who = self.manager()
        demand_may_give(who, values["scopes"], values["organisation"].pk if values["organisation"] else None)

        def create() -> tuple[Answer, str]:
            client, key = create_client(actor=acting(request), **values)
            return Answer(201, _plain(client), f"/api/v1/api-clients/{client.pk}/"), key

        return _with_key(request, create)


class ApiClientView(ClientView):
    @extend_schema(summary="Read an API client", responses=ApiClientSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(ApiClientSerializer(self.client(pk)).data)

    @extend_schema(summary="Change an API client", request=ChangeSerializer, responses=ApiClientSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        client, who = self.client(pk), principal_for(request)
        wanted = ChangeSerializer(data=request.data, partial=True)
        wanted.is_valid(raise_exception=True)
        present = {
            name: getattr(client, name) for name in ("name", "scopes", "organisation", "is_active", "expires_at")
        }
        values = {**present, **_resolved(wanted.validated_data)}
        demand_may_give(who, client.scopes, client.organisation_id)
        demand_may_give(who, values["scopes"], values["organisation"].pk if values["organisation"] else None)
        change_client(client_id=pk, actor=acting(request), **values)
        return Response(ApiClientSerializer(self.client(pk)).data)

    @extend_schema(summary="Switch an API client off and revoke its keys", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        revoke_client(client_id=self.client(pk).pk, actor=acting(request))
        return Response(status=204)


class ApiKeysView(ClientView):
    @extend_schema(
        summary="Make a further key; two may be valid at a time", request=NewKeySerializer,
        responses={
            201: {"type": "object", "properties": {"key": {"type": "string"}}, "required": ["key"]},
            409: refusal("Two keys are valid already, or the Idempotency-Key was used with another content."),
        },
        description="The key is in this answer only. A repetition with the same Idempotency-Key answers without it.",
        parameters=[IDEMPOTENCY_HEADER],
    )  # fmt: skip
    def post(self, request: Request, pk: int) -> Response:
        client = self.client(pk)
        wanted = NewKeySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        demand_may_give(principal_for(request), client.scopes, client.organisation_id)
        grace = timedelta(hours=wanted.validated_data["grace_hours"])

        def create() -> tuple[Answer, str]:
            key = add_key(client_id=client.pk, actor=acting(request), grace=grace)
            return Answer(201, {}, f"/api/v1/api-clients/{client.pk}/"), key

        return _with_key(request, create)


class ApiKeyView(ClientView):
    @extend_schema(summary="Revoke a key", responses={204: None})
    def delete(self, request: Request, pk: int, key: int) -> Response:
        client = self.client(pk)
        if not client.keys.filter(pk=key).exists():
            raise NotThere("This client has no such key.")
        revoke_key(key_id=key, actor=acting(request))
        return Response(status=204)


def _with_key(request: Request, create: Callable[[], tuple[Answer, str]]) -> Response:
    """Answer what `create` made, with the key that it gave out. A repetition is answered without it."""
    shown: list[str] = []

    def make() -> Answer:
        answer, key = create()
        shown.append(key)
        return answer

    answer = once(
        principal=principal_for(request).identity, method="POST", path=request.path,
        key=request.headers.get("Idempotency-Key", ""), data=request.data, create=make,
    )  # fmt: skip
    headers = {"Location": answer.location, "Cache-Control": "no-store"}
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    # Kept out of the stored answer: a key is never written down.
    return Response({**answer.body, "key": shown[0] if shown else ""}, status=answer.status, headers=headers)


def _resolved(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with the organisation's row in place of its short name."""
    if not values.get("organisation"):
        return values
    organisation = Organisation.objects.filter(slug=values["organisation"]).first()
    if organisation is None:
        text = f"There is no organisation {values['organisation']!r}; /api/v1/organisations/ lists them."
        raise InvalidInput("Not accepted: organisation.", errors={"organisation": [text]})
    return {**values, "organisation": organisation}


def _plain(client: ApiClient) -> dict[str, Any]:
    """As JSON has it, so that the stored answer equals the first one."""
    answer: dict[str, Any] = json.loads(JSONRenderer().render(ApiClientSerializer(client).data))
    return answer
