"""Many sockets in one process, read by a minimal parser: `python -m tests.load.sockets PORT PATH`.

Lines of JSON on standard input, one answer a line: `{"open": N, "subscribe": topic, "cookie": …, "origin": …}` opens
sockets until there are N and answers once each has heard what it waits for; `{"wait": mark, "seconds": S}` answers the
latencies in milliseconds of the frame that carries `"mark":"…"` and `"sent":<CLOCK_MONOTONIC in ns>`.
"""

import asyncio
import base64
import json
import re
import secrets
import sys
import time
from collections import defaultdict
from typing import Any

_SENT = re.compile(rb'"sent":\s?(\d+)')
_AT_ONCE = 50


class Ear(asyncio.Protocol):
    """One socket. Notes when each frame came; answers pings (uvicorn closes who does not)."""

    def __init__(self, arrivals: dict[bytes, list[int]], request: bytes, subscribe: bytes) -> None:
        self._arrivals = arrivals
        self._request = request
        self._subscribe = subscribe
        self._buffer = b""
        self._upgraded = False
        self.settled: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.settled.done():
            self.settled.set_result(False)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self._buffer += data
        if not self._upgraded:
            head, ended, rest = self._buffer.partition(b"\r\n\r\n")
            if not ended:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._transport.abort()
                return
            self._buffer, self._upgraded = rest, True
            if self._subscribe:
                self._say(1, self._subscribe)
            else:
                self.settled.set_result(True)
        while (frame := self._next()) is not None:
            self._hear(*frame, now)

    def _next(self) -> tuple[int, bytes] | None:
        """The next whole frame (RFC 6455 section 5.2; a server does not mask)."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 0x7F, 2
        if length == 126:
            length, start = int.from_bytes(buffer[2:4], "big"), 4
        elif length == 127:
            length, start = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < start + length:
            return None
        self._buffer = buffer[start + length :]
        return buffer[0] & 0x0F, buffer[start : start + length]

    def _hear(self, opcode: int, content: bytes, now: int) -> None:
        if opcode == 9:
            self._say(10, content)
        elif opcode == 1:
            if b'"mark"' in content:
                self._arrivals[content].append(now)
            elif b'"snapshot"' in content and not self.settled.done():
                self.settled.set_result(True)

    def _say(self, opcode: int, content: bytes) -> None:
        """A masked frame of less than 126 bytes; the mask is zero, which the protocol allows."""
        self._transport.write(bytes((0x80 | opcode, 0x80 | len(content))) + bytes(4) + content)


class Ears:
    """All sockets of this process."""

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._path = path
        self._arrivals: dict[bytes, list[int]] = defaultdict(list)
        self._open = 0

    async def open(self, wanted: int, subscribe: str, cookie: str, origin: str) -> dict[str, int]:
        topic = json.dumps({"type": "subscribe", "topic": subscribe}).encode() if subscribe else b""
        room = asyncio.Semaphore(_AT_ONCE)

        async def one() -> bool:
            async with room:
                ear = Ear(self._arrivals, self._handshake(cookie, origin), topic)
                await asyncio.get_running_loop().create_connection(lambda: ear, "127.0.0.1", self._port)
                return await asyncio.wait_for(ear.settled, 60)

        made = await asyncio.gather(*(one() for _ in range(wanted - self._open)))
        self._open += sum(made)
        return {"open": self._open}

    async def wait(self, mark: str, seconds: float) -> dict[str, Any]:
        wanted = f'"mark":"{mark}"'.encode()
        deadline = time.monotonic() + seconds
        found = b""
        while time.monotonic() < deadline:
            found = next((frame for frame in self._arrivals if wanted in frame), b"")
            if found and len(self._arrivals[found]) >= self._open:
                break
            await asyncio.sleep(0.02)
        sent = _SENT.search(found)
        came = self._arrivals.pop(found, []) if found else []
        latencies = [(moment - int(sent[1])) / 1e6 for moment in came] if sent else []
        return {"latencies": latencies, "missing": self._open - len(came)}

    def _handshake(self, cookie: str, origin: str) -> bytes:
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = [
            f"GET {self._path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", "Upgrade: websocket", "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
        ]  # fmt: skip
        lines += [f"Origin: {origin}"] if origin else []
        lines += [f"Cookie: {cookie}"] if cookie else []
        return "\r\n".join([*lines, "", ""]).encode()


async def main(port: int, path: str) -> None:
    ears = Ears(port, path)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        if "open" in asked:
            answer: Any = await ears.open(
                asked["open"], asked.get("subscribe", ""), asked.get("cookie", ""), asked.get("origin", "")
            )
        else:
            answer = await ears.wait(asked["wait"], asked["seconds"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
