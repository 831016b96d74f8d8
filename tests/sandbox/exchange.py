"""The words that all played systems use: one request, one answer, one fault that fired."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Fired:
    """A fault rule that applies to the request at hand."""

    rule: str
    kind: str
    params: Mapping[str, Any]


@dataclass(slots=True)
class Call:
    """One request, its body read to the end. ``path`` is the whole path from the root, decoded."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    request_id: int
    faults: tuple[Fired, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    subject: str = ""
    """The thing the request was about (an issue key), for the journal."""

    def fault(self, kind: str) -> Fired | None:
        """The first fired fault of this kind."""
        return next((fault for fault in self.faults if fault.kind == kind), None)

    def one(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default


@dataclass(slots=True)
class Answer:
    """What goes back over the wire. The content length is added by the gateway."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    keep_effects: bool = True
    """False for a refusal: what the handler wrote is rolled back."""


def json_answer(value: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """An answer with a JSON body in the compact form that services send."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, (("content-type", "application/json;charset=UTF-8"), *headers))


class System(Protocol):
    """A played system. ``answer`` runs inside one database transaction and never waits."""

    name: str

    def answer(self, call: Call) -> Answer:
        """Do what the request asks and say what goes back; refusals are answers too."""
