"""The limit of live updates: what comes from one Redis channel goes to every socket, and nothing else.

Served by uvicorn with the hub's own flags. BROADCAST_CHANNEL names the channel, REDIS_URL the server.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import redis.asyncio

CHANNEL = "bare-broadcast"

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

_sockets: set[Send] = set()
_tasks: set[asyncio.Task[None]] = set()


async def _broadcast() -> None:
    async with redis.asyncio.Redis.from_url(os.environ["REDIS_URL"]) as connection, connection.pubsub() as channel:
        await channel.subscribe(CHANNEL)
        async for said in channel.listen():
            if said["type"] == "message":
                frame = {"type": "websocket.send", "text": said["data"].decode()}
                for send in list(_sockets):
                    await send(frame)


async def application(scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
    """Sockets listen; plain HTTP answers that the server is there."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
    else:
        await receive()
        await send({"type": "websocket.accept"})
        _sockets.add(send)
        try:
            while (await receive())["type"] != "websocket.disconnect":
                pass
        finally:
            _sockets.discard(send)


async def _live(receive: Callable[[], Awaitable[Message]], send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _tasks.add(asyncio.create_task(_broadcast()))
        else:
            for task in _tasks:
                task.cancel()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
