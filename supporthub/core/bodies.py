"""Request bodies, bounded while they arrive.

Under ASGI Django reads a whole body to memory and disk before it asks any view, without a limit of its own. Here the
limit holds from the first byte: a declared length beyond it is refused unread, an undeclared one where it goes too far.
"""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import IO, Any

import structlog
from django.conf import settings
from django.core.exceptions import RequestAborted

from supporthub.core.ids import new_request_id
from supporthub.core.serving import OneHopHandler

logger = structlog.get_logger("supporthub.request")

Scope = MutableMapping[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MB = 1024 * 1024
LINGER_SECONDS = 5.0


class Meter:
    """Counts what `receive` gives; beyond the limit the rest is as if the client had gone."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._seen = 0
        self.exceeded = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._limit:
            self.exceeded = True
            return {"type": "http.disconnect"}
        return message


class BoundedHandler(OneHopHandler):
    """The HTTP application with bounded bodies, which it keeps on the disk that is meant for them."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        try:
            settings.FILES.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:  # everything but large bodies works without it, and the doctor says what is wrong
            logger.warning("uploads.no_spool", folder=str(settings.FILES.spool), error=type(error).__name__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        limit = body_limit(scope)
        if declared_length(scope) > limit:
            await refuse(scope, receive, send, limit)
            return
        meter = Meter(receive, limit)
        await super().__call__(scope, meter, send)
        if meter.exceeded:
            await refuse(scope, receive, send, limit)

    async def read_body(self, receive: Receive) -> IO[bytes]:
        """As Django's, but in UPLOAD_SPOOL_DIR: a system's folder for temporary files is often memory."""
        # Django closes it when the request is done.
        body: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115
            max_size=settings.FILE_UPLOAD_MAX_MEMORY_SIZE, dir=str(settings.FILES.spool)
        )
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                body.close()
                raise RequestAborted
            body.write(message.get("body", b""))
            more = message.get("more_body", False)
        body.seek(0)
        return body

    def create_request(self, scope: Mapping[str, Any], body_file: IO[bytes]) -> tuple[Any, Any]:
        """As Django's, and a body that came in chunks has its length: parsers take none for an empty body."""
        request, refusal = super().create_request(scope, body_file)
        if request is not None and "CONTENT_LENGTH" not in request.META:
            request.META["CONTENT_LENGTH"] = str(body_file.seek(0, 2))
            body_file.seek(0)
        return request, refusal


def body_limit(scope: Scope) -> int:
    """Return the most bytes that this request's body may have: forms with files may be large, everything else not."""
    if header(scope, b"content-type").lower().startswith(b"multipart/form-data"):
        return int(settings.FILES.largest_request)
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


def declared_length(scope: Scope) -> int:
    """Return the declared length, 0 when there is none (or when it is no number: the server has refused that)."""
    declared = header(scope, b"content-length")
    return int(declared) if declared.isdigit() else 0


def header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope.get("headers", ()) if key.lower() == name), b"")


async def refuse(scope: Scope, receive: Receive, send: Send, limit: int) -> None:
    """Answer 413 and close the connection, after the client had a moment to stop sending and read the answer.

    Without that moment many clients see a reset connection instead of the answer. What still comes is thrown away.
    """
    request_id = new_request_id()
    logger.warning(
        "request.too_large", request_id=request_id, method=scope["method"], path=scope["path"], limit=limit,
        declared=declared_length(scope),
    )  # fmt: skip
    kind, body = _answer(scope["path"], limit)
    headers = [
        (b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"connection", b"close"),
        (b"x-content-type-options", b"nosniff"), (b"x-request-id", request_id.encode()),
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": int(HTTPStatus.REQUEST_ENTITY_TOO_LARGE), "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if not header(scope, b"expect"):  # who asks first whether to send has not begun
        await _drain(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Receive) -> None:
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            more = True
            while more:
                message = await receive()
                more = message["type"] == "http.request" and message.get("more_body", False)
    except TimeoutError:
        return


def _answer(path: str, limit: int) -> tuple[bytes, bytes]:
    size = f"{limit // MB} MB" if limit >= MB else f"{limit // 1024} kB"
    detail = f"The body is larger than {size}. It was not read."
    if not path.startswith("/api/v1/"):
        return b"text/plain; charset=utf-8", detail.encode()
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    body = {"title": status.phrase, "status": int(status), "code": "too_large", "detail": detail}
    return b"application/problem+json", json.dumps(body).encode()
