"""Closing a connection without an answer, which ASGI has no word for.

uvicorn answers 500 when an application returns without a response. The subclass hands the application its transport
through the scope's extensions; after ``transport.close()`` uvicorn takes the request for one whose client has left.
"""

from collections.abc import MutableMapping
from typing import Any

from starlette.types import Receive
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "sandbox.transport"


class DroppableProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, plus the transport in the scope."""

    def on_message_begin(self) -> None:
        """Start a request's scope and put this connection's transport into it."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"transport": self.transport}}


async def drop_connection(scope: MutableMapping[str, Any], receive: Receive) -> None:
    """Close the socket: the client reads end-of-file and not one byte. Returns when uvicorn knows it."""
    scope["extensions"][EXTENSION]["transport"].close()
    while (await receive())["type"] != "http.disconnect":
        pass
