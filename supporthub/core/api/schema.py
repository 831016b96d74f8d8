"""The API's description of itself: every refusal that a call can really give, and the headers of every answer.

Derived from the view, so that it cannot fall behind: who is asked for (401, 403), what is named in the path (404), what
is read (400, 413, 415), what is counted (429). What only the view knows, for example a 409, it says itself with
`extend_schema(responses={…, 409: refusal("…")})`; the form of the answer is added here.

Views that answer errors in another form than `problems.py` (an own `handle_exception`) describe themselves.
A 405 is not described: OpenAPI has no place for the methods that a path does not have.
"""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.permissions import IsAuthenticated
from rest_framework.views import APIView

from supporthub.core.api.problems import CONTENT_TYPE, PROBLEM_SCHEMA
from supporthub.core.api.serializers import StrictSerializer

Described = dict[str, Any]

IDEMPOTENCY_HEADER = OpenApiParameter(
    "Idempotency-Key", {"type": "string", "maxLength": 255}, OpenApiParameter.HEADER,
    description="The same key with the same content gets the same answer; kept 24 hours.",
)  # fmt: skip
_REQUEST_ID = {"type": "string", "pattern": "^[A-Za-z0-9._-]{8,64}$"}
_HEADERS: dict[str, Described] = {
    "X-Request-Id": {"schema": _REQUEST_ID, "required": True, "description": "The caller's, or a new one."},
    "Location": {
        "schema": {"type": "string", "format": "uri-reference"}, "required": True, "description": "What was made.",
    },
    "Idempotent-Replayed": {
        "schema": {"type": "string", "enum": ["true"]}, "description": "The stored answer of an earlier request.",
    },
    "Retry-After": {"schema": {"type": "integer", "minimum": 0}, "required": True, "description": "Seconds."},
    "WWW-Authenticate": {"schema": {"type": "string"}, "required": True, "description": "How to say who is asking."},
}  # fmt: skip
_NAMES = {
    400: "NotAccepted", 401: "NotAuthenticated", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 413: "TooLarge",
    415: "UnsupportedMediaType", 429: "Throttled", 503: "Unavailable",
}  # fmt: skip
_WORDS = {
    400: "The request cannot be read, or something in it is not acceptable; `errors` says what.",
    401: "Nobody is signed in, or the token or key does not count (any more).",
    403: "The caller may not do this.",
    404: "There is nothing at this address, or nothing that the caller may see.",
    409: "The request does not fit to the present state.",
    413: "The body is larger than this server takes.",
    415: "Bodies of this kind are not taken here.",
    429: "Too many calls; see Retry-After.",
    503: "Something of the hub does not answer, for example its database. Repeat the request after Retry-After.",
}
_KEY_CONFLICT = "The Idempotency-Key was used with another content, or its first request is still under way."
_VERSION_CONFLICT = "Somebody changed it since the version that was sent."


def refusal(description: str) -> OpenApiResponse:
    """Describe a refusal that only the view knows of, for `extend_schema(responses={409: refusal("…")})`."""
    return OpenApiResponse(OpenApiTypes.OBJECT, description=description)


class HubSchema(AutoSchema):
    """DEFAULT_SCHEMA_CLASS."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Described | None:
        """Return drf-spectacular's operation with refusals and headers."""
        operation: Described | None = super().get_operation(*args, **kwargs)
        if operation is None or not answers_problems(self.view):
            return operation
        operation.setdefault("parameters", []).append(self._component("parameters", "RequestId", {
            "in": "header", "name": "X-Request-Id", "schema": _REQUEST_ID, "description": "Found again in the log.",
        }))  # fmt: skip
        answers: Described = operation["responses"]
        for code, answer in answers.items():
            if int(code) >= 400:  # noqa: PLR2004  (HTTP's own border)
                answers[code] = self._problem(int(code), answer["description"])
            else:
                answer["headers"] = self._headers(self._headers_of_success(operation, int(code)))
        for status, words in self._refusals(operation).items():
            answers.setdefault(str(status), self._problem(status, words))
        operation["responses"] = dict(sorted(answers.items()))
        return operation

    def _get_paginator(self) -> Any:
        """Pages are for reading; a POST that answers several rows answers just them."""
        return super()._get_paginator() if self.method == "GET" else None  # type: ignore[no-untyped-call]  # the library's

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Described:
        shape: Described = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]  # as above
        if direction == "request" and isinstance(serializer, StrictSerializer):
            shape["additionalProperties"] = False
        return shape

    def _refusals(self, operation: Described) -> dict[int, str]:
        reads_body, given = "requestBody" in operation, operation["parameters"]
        permissions = self.view.get_permissions()
        found = {503: ""}
        if reads_body or any(_is_judged(parameter) for parameter in given):
            found[400] = ""
        if any(isinstance(permission, IsAuthenticated) for permission in permissions):
            found[401] = ""
        for permission in permissions:
            if words := getattr(permission, "refusal_for", lambda *_: "")(self.view, self.method):
                found[403] = words
        if any(parameter.get("in") == "path" for parameter in given):
            found[404] = ""
        if _takes_key(given):
            found[409] = _KEY_CONFLICT
        if reads_body:
            found |= {413: "", 415: ""} | ({409: _VERSION_CONFLICT} if self._takes_version() else {})
        if self.view.get_throttles():
            found[429] = ""
        return found

    def _takes_version(self) -> bool:
        taken = self.get_request_serializer()
        shapes = taken.values() if isinstance(taken, dict) else [taken]
        return any("version" in getattr(shape, "_declared_fields", {}) for shape in shapes)

    def _headers_of_success(self, operation: Described, status: int) -> list[str]:
        made = status == 201 and _takes_key(operation["parameters"])  # noqa: PLR2004  (Created)
        return ["X-Request-Id", *(["Location", "Idempotent-Replayed"] if made else [])]

    def _problem(self, status: int, words: str) -> Described:
        """Return the answer; a reference where the words are the usual ones."""
        extra = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}.get(status, [])
        schema = self._component("schemas", "Problem", PROBLEM_SCHEMA)
        answer = {
            "description": words or _WORDS[status],
            "headers": self._headers(["X-Request-Id", *extra]),
            "content": {CONTENT_TYPE: {"schema": schema}},
        }
        return answer if words else self._component("responses", _NAMES[status], answer)

    def _headers(self, names: list[str]) -> Described:
        return {name: self._component("headers", name, _HEADERS[name]) for name in names}

    def _component(self, kind: str, name: str, schema: Described) -> Described:
        component = ResolvedComponent(name, kind, schema, f"{kind}/{name}")  # type: ignore[no-untyped-call]  # as above
        self.registry.register_on_missing(component)
        reference: Described = component.ref
        return reference


def answers_problems(view: APIView) -> bool:
    """Return whether errors of this view go through the API's exception handler."""
    return type(view).handle_exception is APIView.handle_exception


def _is_judged(parameter: Described) -> bool:
    """Return whether a value of this parameter may be refused; of switches and of page sizes every one is taken."""
    if parameter.get("in") == "header":
        return _takes_key([parameter])
    return parameter.get("in") == "query" and parameter["name"] != "limit" and parameter["schema"]["type"] != "boolean"


def _takes_key(parameters: list[Described]) -> bool:
    return any(parameter.get("name") == IDEMPOTENCY_HEADER.name for parameter in parameters)
