"""The door of every played system: read the request, apply faults, one transaction, write the journal, answer.

Handlers run on the event loop and never wait, so requests cannot interleave inside a transaction.
"""

import asyncio
import time
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from tests.sandbox import spoil
from tests.sandbox.exchange import Answer, Call, Fired, System
from tests.sandbox.limiter import Limiter
from tests.sandbox.protocol import drop_connection
from tests.sandbox.rules import RuleBook
from tests.sandbox.store import Store


class Gateway:
    """ASGI application for one system."""

    def __init__(self, store: Store, rules: RuleBook, system: System) -> None:
        self._store = store
        self._rules = rules
        self._system = system
        self._limiter = Limiter()
        self._limits: Mapping[str, float] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request. One that breaks off before its end was never made: no service acts on half of it."""
        call = await self._read(scope, receive)
        if call is None:
            return
        self._store.begin()
        call.faults = tuple(self._rules.fire(call.method, call.path))
        self._store.commit()
        left = await self._delay(call, receive)
        if left:
            self._note(call, None)
            return
        refusal = self._refused_early(call)
        if refusal is not None:
            self._note(call, refusal)
            await reply(refusal, send)
            return
        if await self._lost_before(call, scope, receive):
            return
        answer = self._act(call)
        await self._finish(call, answer, scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive) -> Call | None:
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return Call(
            method=scope["method"],
            path=scope["path"],
            query=parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=bytes(body),
            request_id=self._store.take_request_id(),
        )

    async def _delay(self, call: Call, receive: Receive) -> bool:
        """Wait as told. True when the client left meanwhile and the request must have no effect."""
        for fault in call.faults:
            if fault.kind == "late_effect":
                await asyncio.sleep(float(fault.params["seconds"]))
            elif fault.kind == "latency" and await hang(float(fault.params["ms"]) / 1000, receive):
                return True
        return False

    def _refused_early(self, call: Call) -> Answer | None:
        for fault in call.faults:
            if fault.kind == "429":
                return spoil.too_many_requests(fault.params)
            if fault.kind == "status":
                return spoil.status(fault.params)
        limits = self._store.setting(f"{self._system.name}.rate_limit", None)
        if limits is None:
            return None
        if limits != self._limits:
            self._limits, self._limiter = limits, Limiter(limits)
        refused = self._limiter.refused(call.method, call.path, time.monotonic())
        return None if refused is None else spoil.too_many_requests(refused)

    async def _lost_before(self, call: Call, scope: Scope, receive: Receive) -> bool:
        fault = call.fault("hang_before") or call.fault("drop_before")
        if fault is None:
            return False
        self._note(call, None)
        if fault.kind == "hang_before" and await hang(float(fault.params["seconds"]), receive):
            return True
        await drop_connection(scope, receive)
        return True

    def _act(self, call: Call) -> Answer:
        self._store.begin()
        try:
            answer = self._system.answer(call)
            if not answer.keep_effects:
                self._store.rollback()
                self._store.begin()
            self._store.journal(call, answer)
        except BaseException:
            self._store.rollback()
            raise
        self._store.commit()
        return answer

    async def _finish(self, call: Call, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        if call.fault("drop_after"):
            await drop_connection(scope, receive)
            return
        late = call.fault("hang_after")
        if late is not None and await hang(float(late.params["seconds"]), receive):
            return
        await reply(spoiled(answer, call.fault("status_after_effect"), call.fault("broken_json")), send)

    def _note(self, call: Call, answer: Answer | None) -> None:
        with self._store.transaction():
            self._store.journal(call, answer)


def spoiled(answer: Answer, replaced: Fired | None, broken: Fired | None) -> Answer:
    """What the client sees of an answer after the faults; a refusal stays as it is, because it had no effect."""
    if not answer.keep_effects:
        return answer
    if replaced is not None:
        return spoil.status(replaced.params)
    return spoil.broken(answer) if broken is not None else answer


async def hang(seconds: float, receive: Receive) -> bool:
    """Wait, but no longer than the client does. True when it closed its side first."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


async def reply(answer: Answer, send: Send) -> None:
    """Put an answer on the wire."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
