"""Benchmark: the queue and a search in it with very many tickets, beside the bare SQL of one page."""

import asyncio
import time
from typing import Any

import psycopg

from tests.load.figures import Aim, Result, median_ratio, percentile
from tests.load.http_load import get, read_answer
from tests.load.stack import Stack

ROUNDS = 6
PAGES = 20
_WORDS = "word17 printer4"
_NOTE = (
    "Hub: the whole page over loopback, one reader. Limit: the one statement of its rows, by a bare driver. {queries}"
)


def measure(stack: Stack, tickets: int) -> list[Result]:
    """All lines of this benchmark. Fills the database, so it comes last."""
    with stack.frozen("worker", "beat"):
        stack.inside("fill", str(tickets))
        cookie = stack.inside("session")["cookie"]
        pages = {"queue page": ("/", ""), "prefix search": (f"/?view=all&q={_WORDS.replace(' ', '+')}", _WORDS)}
        return [_page(stack, f"{name}, {tickets:,} tickets: p95", *wanted, cookie) for name, wanted in pages.items()]


def _page(stack: Stack, name: str, address: str, words: str, cookie: str) -> Result:
    sql = stack.inside("rows", *([words] if words else []))["sql"]
    queries = stack.inside("page", address)["queries"]
    pairs: list[tuple[float, float]] = []
    asyncio.run(_read_pages(stack.port, address, cookie))  # warm
    with stack.connect() as database:
        for _ in range(ROUNDS):
            ours = asyncio.run(_read_pages(stack.port, address, cookie))
            pairs.append((percentile(ours, 0.95), percentile(_read_rows(database, sql), 0.95)))
    hub, limit = (percentile([pair[side] for pair in pairs], 0.5) for side in (0, 1))
    note = _NOTE.format(queries=f"The page makes {queries} queries.")
    return Result(name, hub, "ms", limit, median_ratio(pairs), Aim("most", 50, of="hub", unit="ms"), note)


async def _read_pages(port: int, address: str, cookie: str) -> list[float]:
    """Milliseconds of each page; RuntimeError for a page that is not one."""
    taken = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(PAGES):
        started = time.perf_counter()
        writer.write(get("127.0.0.1", address, cookie=cookie))
        status, body = await read_answer(reader)
        taken.append((time.perf_counter() - started) * 1000)
        if status != 200 or body.count(b"data-position=") < PAGES:
            raise RuntimeError(f"{address}: HTTP {status}, {len(body)} bytes")
    writer.close()
    return taken


def _read_rows(database: psycopg.Connection[Any], sql: str) -> list[float]:
    taken = []
    for _ in range(PAGES):
        started = time.perf_counter()
        database.execute(sql.encode()).fetchall()
        taken.append((time.perf_counter() - started) * 1000)
    return taken
