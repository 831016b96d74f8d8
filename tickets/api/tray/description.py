"""How the API's description shows the two calls."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

from tickets.api.tray.states import RuntimeStatus

SECURITY = "entraToken"
_TAGS = ["Tray client"]
_AUTH: Any = [{SECURITY: []}]


class TrayFormSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    description = serializers.CharField()
    image = serializers.FileField(required=False, help_text="PNG, JPEG, GIF or WebP.")


class TraySubmittedSerializer(serializers.Serializer[Any]):
    instance_id = serializers.CharField()


_PROGRESS = inline_serializer(
    "TrayProgress",
    fields={
        "instance_id": serializers.CharField(),
        "created_time": serializers.DateTimeField(),
        "last_updated_time": serializers.DateTimeField(),
        "runtimeStatus": serializers.ChoiceField([(one.value, one.value) for one in RuntimeStatus]),
        "status": serializers.ChoiceField(["success", "error"], required=False, help_text="Once it has ended."),
        "message": serializers.CharField(required=False, help_text="With `status` error."),
        "ticket_id": serializers.CharField(required=False, help_text="The hub's key; not for a used token."),
    },
)


# As for any address that is not there: the calls can be switched off.
_OFF: dict[Any, OpenApiResponse] = {
    (404, "application/problem+json"): OpenApiResponse(OpenApiTypes.OBJECT, description="Switched off.")
}


def _refusals(**words: str) -> dict[Any, OpenApiResponse]:
    return {
        (int(status.removeprefix("s")), "text/plain"): OpenApiResponse(OpenApiTypes.STR, description=text)
        for status, text in words.items()
    }


_ANY_CALL = {
    "s401": "No token, a wrong one, or one without the scope Tickets.Submit.",
    "s429": "Too many calls; see Retry-After.",
    "s503": "Entra's keys or the database cannot be reached; nothing was accepted or used up. Send it again.",
}

describe_submit = extend_schema(
    operation_id="tray_submit",
    summary="Submit a ticket",
    description=(
        "A token buys one submission. The same content with the same token is a repetition and gets the same "
        "`instance_id`; other content gets one of its own, whose status says that the token was exchanged already."
    ),
    tags=_TAGS,
    auth=_AUTH,
    request={"multipart/form-data": TrayFormSerializer},
    responses={
        200: TraySubmittedSerializer,
        **_OFF,
        **_refusals(
            **_ANY_CALL,
            s400="A field is missing or not acceptable, the form cannot be read, or the token names no person.",
            s403="The person's organisation takes no tickets.",
            s413="The picture, or the whole form, is too large.",
        ),
    },
)
describe_status = extend_schema(
    operation_id="tray_status",
    summary="Ask what became of a submission",
    tags=_TAGS,
    auth=_AUTH,
    parameters=[OpenApiParameter("instance_id", OpenApiTypes.STR, required=True)],
    responses={
        200: _PROGRESS,
        **_OFF,
        **_refusals(
            **{
                **_ANY_CALL,
                "s401": _ANY_CALL["s401"] + " Also the token of another person than the one who submitted.",
                "s404": "There is no such submission.",
            },
            s400="There is no instance_id, or the token names no person.",
        ),
    },
)
