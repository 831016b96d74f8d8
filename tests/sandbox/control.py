"""Control calls that concern every system: faults, journal, settings, reset. They need the start secret."""

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.sandbox.faults import InvalidRuleError
from tests.sandbox.rules import RuleBook
from tests.sandbox.store import Store

HEADER = "x-sandbox-secret"
COOKIE = "sandbox"
SETTINGS = frozenset({"jira.search_lag", "jira.rate_limit", "jira.upload_limit"})
JOURNAL_LIMIT = 1000

Handler = Callable[[Request], Awaitable[Response]]


class ControlError(Exception):
    """A control call that cannot be done; the text goes back with 400."""


class Guard:
    """Knows who may control: the holder of the secret, by header or by the cookie the page sets."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self.cookie = hmac.new(secret.encode(), b"sandbox:cookie", hashlib.sha256).hexdigest()

    def knows(self, given: str) -> bool:
        """True for the secret itself."""
        return hmac.compare_digest(given.encode(), self._secret.encode())

    def admits(self, request: Request) -> bool:
        """True when header or cookie prove the secret."""
        if self.knows(request.headers.get(HEADER, "")):
            return True
        return hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), self.cookie.encode())

    def guarded(self, handler: Handler) -> Handler:
        """The handler behind the secret; a :class:`ControlError` becomes 400."""

        async def checked(request: Request) -> Response:
            if not self.admits(request):
                return JSONResponse({"error": f"header {HEADER} is missing or wrong"}, 403)
            try:
                return await handler(request)
            except (ControlError, InvalidRuleError) as error:
                return JSONResponse({"error": str(error)}, 400)

        return checked


async def json_object(request: Request) -> dict[str, Any]:
    """The body of a control call; an empty one is an empty object."""
    raw = await request.body()
    try:
        value = json.loads(raw) if raw else {}
    except ValueError as error:
        raise ControlError("the body is no JSON") from error
    if not isinstance(value, dict):
        raise ControlError("the body is not an object")
    return value


class Control:
    """The shared control calls."""

    def __init__(self, store: Store, rules: RuleBook) -> None:
        self._store = store
        self._rules = rules

    def routes(self, guard: Guard) -> list[Route]:
        """Routes below ``/_control``."""
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/_control/faults", self.list_faults),
            ("PUT", "/_control/faults", self.replace_faults),
            ("POST", "/_control/faults", self.add_fault),
            ("DELETE", "/_control/faults", self.remove_faults),
            ("GET", "/_control/settings", self.get_settings),
            ("PUT", "/_control/settings", self.set_settings),
            ("GET", "/_control/journal", self.journal),
            ("GET", "/_control/effects", self.effects),
            ("POST", "/_control/reset", self.reset),
        ]
        return [Route(path, guard.guarded(handler), methods=[method]) for method, path, handler in table]

    async def list_faults(self, request: Request) -> Response:
        """All rules with their counters."""
        return JSONResponse({"rules": self._rules.listed()})

    async def replace_faults(self, request: Request) -> Response:
        """``{"rules": […]}``: exactly these from now on."""
        raw = (await json_object(request)).get("rules")
        if not isinstance(raw, list):
            raise ControlError("rules is a list")
        self._rules.replace(raw)
        return await self.list_faults(request)

    async def add_fault(self, request: Request) -> Response:
        """One rule more."""
        self._rules.add(await json_object(request))
        return await self.list_faults(request)

    async def remove_faults(self, request: Request) -> Response:
        """All rules, or the one named by ``?id=``."""
        self._rules.remove(request.query_params.get("id"))
        return await self.list_faults(request)

    async def get_settings(self, request: Request) -> Response:
        """What was set; a name that is missing has its default."""
        return JSONResponse({name: self._store.setting(name, None) for name in sorted(SETTINGS)})

    async def set_settings(self, request: Request) -> Response:
        """Merge settings: ``jira.search_lag`` in seconds, ``jira.rate_limit`` ({} = Jira's numbers, null = off)."""
        values = await json_object(request)
        if unknown := values.keys() - SETTINGS:
            raise ControlError(f"unknown settings: {', '.join(sorted(unknown))}")
        with self._store.transaction():
            for name, value in values.items():
                self._store.set_setting(name, value)
        return await self.get_settings(request)

    async def journal(self, request: Request) -> Response:
        """Requests, newest last. Filters: ``method``, ``path`` (part of it), ``subject``, ``since`` (id), ``limit``."""
        asked = request.query_params
        limit = min(int(asked.get("limit", "200")), JOURNAL_LIMIT)
        sql = """SELECT * FROM journal WHERE id > ? AND (? = '' OR method = ?) AND instr(path, ?) > 0
                 AND (? = '' OR subject = ?) ORDER BY id DESC LIMIT ?"""
        method, subject = asked.get("method", "").upper(), asked.get("subject", "")
        since, path = int(asked.get("since", "0")), asked.get("path", "")
        rows = self._store.rows(sql, since, method, method, path, subject, subject, limit)
        return JSONResponse({"requests": [dict(row) for row in reversed(rows)]})

    async def effects(self, request: Request) -> Response:
        """What changed, oldest first, after ``since``. Filters: ``kind``, ``subject``, ``limit``."""
        asked = request.query_params
        limit = min(int(asked.get("limit", "200")), JOURNAL_LIMIT)
        sql = """SELECT * FROM effect WHERE id > ? AND (? = '' OR kind = ?) AND (? = '' OR subject = ?)
                 ORDER BY id LIMIT ?"""
        kind, subject = asked.get("kind", ""), asked.get("subject", "")
        rows = self._store.rows(sql, int(asked.get("since", "0")), kind, kind, subject, subject, limit)
        return JSONResponse({"effects": [{**dict(row), "detail": json.loads(row["detail"])} for row in rows]})

    async def reset(self, request: Request) -> Response:
        """Everything as on the first start: data, journal, faults, settings."""
        self._store.reset()
        self._rules.load()
        return JSONResponse({"reset": True})
