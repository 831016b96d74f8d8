"""What the load clients put on the wire, and what they take from it."""

import asyncio
import json

import pytest

from tests.load.http_load import get, post, read_answer


def test_a_post_names_the_length_in_bytes_and_the_headers_with_dashes() -> None:
    head, _, content = post("hub", "/x/", {"title": "Ü"}, idempotency_key="k").partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /x/ HTTP/1.1"
    assert {f"content-length: {len(content)}", "idempotency-key: k", "host: hub"} <= set(lines)
    assert json.loads(content) == {"title": "Ü"}


def test_a_get_ends_after_its_headers() -> None:
    assert get("hub", "/", cookie="a=b") == b"GET / HTTP/1.1\r\nhost: hub\r\ncookie: a=b\r\n\r\n"


async def test_answers_on_one_connection_are_told_apart_by_their_length() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(
        b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
    )
    assert await read_answer(reader) == (201, b"{}")
    assert await read_answer(reader) == (404, b"")


async def test_an_answer_without_a_length_is_refused() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    with pytest.raises(ValueError, match="without a length"):
        await read_answer(reader)
