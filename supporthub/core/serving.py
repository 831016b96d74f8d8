"""Requests served with one change of thread each.

Every middleware and view of the hub is synchronous. Django's own ASGI handler builds its chain around asynchronous
views: with synchronous ones it changes threads for each middleware that could do both, for the signals around a
request and for its end, and starts a thread for every request. Here a whole request runs in one thread of a pool that
lives as long as the process.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from tempfile import SpooledTemporaryFile
from typing import Any, TypeVar

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.http import FileResponse
from django.urls import set_script_prefix

T = TypeVar("T")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class OneHopHandler(ASGIHandler):
    """Django's ASGI handler with a synchronous chain; `threads` requests run at the same time, others wait."""

    def __init__(self, threads: int) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain for synchronous calls, whatever the base class asks for."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        if scope["type"] != "http":
            raise ValueError(f"This handler serves HTTP only, not {scope['type']}.")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        try:
            response = await self._in_thread(self._answer, scope, body)
            if response.streaming:
                await self._send_stream(response, receive, send)
            else:
                await self.send_response(response, send)
        finally:
            body.close()

    def _answer(self, scope: Scope, body: "SpooledTemporaryFile[bytes]") -> Any:
        """Everything that Django does for a request, in this thread; its database connection is given back here."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else self.get_response(request)
        response._handler_class = self.__class__  # noqa: SLF001  (who `request_finished` is sent for, as Django does)
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if not response.streaming:
            response.close()
        return response

    async def _send_stream(self, response: Any, receive: Receive, send: Send) -> None:
        """Send a long answer; stop making it when nobody reads it any more."""
        sending = asyncio.ensure_future(self.send_response(response, send))
        gone = asyncio.ensure_future(self.listen_for_disconnect(receive))
        try:
            await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, gone):
                if not task.done():
                    task.cancel()
            ended = await asyncio.gather(sending, gone, return_exceptions=True)
            await self._in_thread(response.close)
        if isinstance(ended[0], Exception):
            raise ended[0]

    async def _in_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        # A copy: what a request sets (language, log context, script prefix) ends with it.
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, call, *arguments)
