"""A file as an answer: streamed, with headers under which no browser runs anything of it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, BinaryIO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header, parse_etags

from accounts.models import User
from tickets.models import Attachment
from tickets.parsing.kinds import Kind
from tickets.services.reading import open_file, open_thumbnail

_CHUNK = 64 * 1024
_POLICY = "default-src 'none'; sandbox"
_AS_BYTES = "application/octet-stream"
_NEVER_NAMED = frozenset({"text/html", "image/svg+xml", "application/xhtml+xml"})


def file_answer(request: HttpRequest, attachment: Attachment, *, actor: User, inline: bool) -> HttpResponseBase:
    """The content. `inline` counts for safe pictures only; everything else is saved, whatever was asked."""
    etag = f'"{attachment.sha256}"'
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        return _with_headers(HttpResponse(status=304), attachment, etag=etag)
    file = open_file(attachment=attachment, actor=actor)
    chunks: Any = _AsyncChunks(file) if isinstance(request, ASGIRequest) else _Chunks(file)
    answer = StreamingHttpResponse(chunks, content_type=served_type(attachment.media_type))
    answer["Content-Length"] = str(attachment.size)
    return _with_headers(answer, attachment, etag=etag, inline=inline and attachment.is_picture)


def thumbnail_answer(attachment: Attachment) -> HttpResponseBase:
    """The small copy, which the hub has drawn itself: a WebP without the picture's metadata."""
    with open_thumbnail(attachment=attachment) as file:
        answer = HttpResponse(file.read(), content_type="image/webp")
    answer["Cache-Control"] = "private, max-age=86400"
    return _with_headers(answer, attachment, inline=True)


def served_type(media_type: str) -> str:
    """The type under which a file goes out: text as text, and what a browser would run as bytes."""
    if media_type in _NEVER_NAMED:
        return _AS_BYTES
    return f"{media_type}; charset=utf-8" if media_type.startswith(f"{Kind.TEXT}/") else media_type


def _with_headers(
    answer: HttpResponseBase, attachment: Attachment, *, etag: str = "", inline: bool = False
) -> HttpResponseBase:
    answer["Content-Disposition"] = content_disposition_header(not inline, attachment.name) or "attachment"
    answer["Content-Security-Policy"] = _POLICY
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    answer["X-Content-Type-Options"] = "nosniff"
    answer.setdefault("Cache-Control", "private, no-cache")
    if etag:
        answer["ETag"] = etag
    return answer


class _Chunks:
    """A file in pieces. Django closes it with the answer, also when nobody has read any."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self._file.read(_CHUNK), b"")

    def close(self) -> None:
        self._file.close()


class _AsyncChunks:
    """The same under ASGI, where Django would first gather a synchronous iterator as a whole."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await sync_to_async(self._file.read)(_CHUNK):
            yield data

    def close(self) -> None:
        self._file.close()
