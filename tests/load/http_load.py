"""Concurrent clients over keep-alive connections, as cheap as Python makes them: the servers are to be measured."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Make = Callable[[int], bytes]


@dataclass
class Round:
    """What came of one round: seconds of each answer, and how long the round took. `refused` holds other statuses."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Accepted requests a second."""
        return len(self.latencies) / self.seconds


def post(host: str, path: str, body: dict[str, Any], **headers: str) -> bytes:
    """A request as bytes."""
    content = json.dumps(body, separators=(",", ":")).encode()
    lines = [f"POST {path} HTTP/1.1", f"host: {host}", "content-type: application/json"]
    lines.append(f"content-length: {len(content)}")
    lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def get(host: str, path: str, **headers: str) -> bytes:
    """A request as bytes."""
    lines = [f"GET {path} HTTP/1.1", f"host: {host}", *(f"{name}: {text}" for name, text in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def run_round(port: int, make: Make, *, clients: int, seconds: float, wanted: int) -> Round:
    """Let `clients` send `make(number)` one after the other for `seconds`; `wanted` is the status of success."""
    return asyncio.run(_run_round(port, make, clients=clients, seconds=seconds, wanted=wanted))


async def _run_round(port: int, make: Make, *, clients: int, seconds: float, wanted: int) -> Round:
    result = Round()
    started = time.perf_counter()
    numbers = iter(range(1_000_000_000))

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while (sent := time.perf_counter()) < started + seconds:
                writer.write(make(next(numbers)))
                status, _ = await read_answer(reader)
                if status == wanted:
                    result.latencies.append(time.perf_counter() - sent)
                else:
                    result.refused[status] = result.refused.get(status, 0) + 1
        finally:
            writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    result.seconds = time.perf_counter() - started
    return result


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of an answer with a content length; ValueError for one without."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    place = lower.find(b"content-length:")
    if place < 0:
        raise ValueError(f"an answer without a length: {head[:200]!r}")
    length = int(lower[place + 15 : lower.index(b"\r\n", place)])
    return int(head[9:12]), await reader.readexactly(length)
