"""What the hub sends, recorded and held against tests/fixtures/jira/requests.json."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from supporthub.integrations.http import OutsideHttp, Params

_FIXTURE = json.loads((Path(__file__).parents[2] / "fixtures/jira/requests.json").read_text())


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it went out; `body` is None both for null and for no body."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    has_body: bool

    @property
    def line(self) -> str:
        return f"{self.method} {self.path.removeprefix('rest/api/3/')}"


class RecordingHttp(OutsideHttp):
    """The real layer, which also writes down what it is asked to send."""

    def __init__(self, http: OutsideHttp) -> None:
        super().__init__(http.endpoint)
        self.sent: list[Sent] = []

    def send(self, method: str, path: str, *, effect: bool, params: Params | None = None, **body: Any) -> Any:
        query = {name: str(value) for name, value in (params or {}).items()}
        self.sent.append(Sent(method, path, query, body.get("body"), bool(body)))
        return super().send(method, path, effect=effect, params=params, **body)


def problems(sent: Sent) -> list[str]:
    """Why a request does not fit the written shapes; empty when it does."""
    for call in _FIXTURE["calls"]:
        if call["method"] == sent.method and re.search(call["path"], sent.path):
            found = _against(call.get("query", {"maxProperties": 0}), sent.query)
            if sent.has_body or "body" in call:
                found += _against(call.get("body", False), sent.body)
            return [f"{call['name']}: {text}" for text in found]
    return [f"nobody described {sent.line}"]


def _against(schema: Any, value: Any) -> list[str]:
    whole = {**schema, "$defs": _FIXTURE["$defs"]} if isinstance(schema, dict) else schema
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]
