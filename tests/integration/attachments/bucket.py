"""An S3-compatible store in a thread: the calls that the hub makes, over a folder."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class Store:
    """What the store holds and what it was asked. `broken` makes it refuse everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[str] = []
        self.types: dict[str, str] = {}
        self.broken = False
        self.url = ""

    def path(self, key: str) -> Path:
        return self.folder / key.replace("/", "%2F")

    def names(self) -> list[str]:
        return sorted(path.name.replace("%2F", "/") for path in self.folder.iterdir() if ".part-" not in path.name)


@contextmanager
def running(folder: Path) -> Iterator[Store]:
    """A store on a loopback port."""
    store = Store(folder)
    handler = type("Handler", (_Handler,), {"store": store})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: Store

    def log_message(self, format: str, *args: object) -> None:
        self.store.calls.append(format % args)

    @property
    def _key(self) -> str:
        """The path without the bucket's name."""
        return unquote(urlsplit(self.path).path).split("/", 2)[2]

    @property
    def _query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._refused():
            return
        part = self._query.get("partNumber")
        path = self.store.path(self._key)
        if part:
            path = path.with_name(f"{path.name}.part-{int(part[0]):05d}")
        else:
            self.store.types[self._key] = self.headers["Content-Type"]
        path.write_bytes(body)
        self._answer(200, ETag='"an-etag"')

    def do_POST(self) -> None:
        """Begin or finish an upload in parts."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self._refused():
            return
        if "uploads" in self._query:
            self.store.types[self._key] = self.headers["Content-Type"]
            self._answer(200, "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>")
            return
        path = self.store.path(self._key)
        parts = sorted(path.parent.glob(f"{path.name.replace('[', '[[]')}.part-*"))
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        for part in parts:
            part.unlink()
        self._answer(200, "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")

    def do_HEAD(self) -> None:
        self._content(with_body=False)

    def do_GET(self) -> None:
        if "prefix" in self._query:
            self._list()
        else:
            self._content(with_body=True)

    def do_DELETE(self) -> None:
        if self._refused():
            return
        self.store.path(self._key).unlink(missing_ok=True)
        self._answer(204)

    def _content(self, *, with_body: bool) -> None:
        path = self.store.path(self._key)
        if self._refused():
            return
        if not path.exists():
            self._answer(404, "<Error><Code>NoSuchKey</Code></Error>" if with_body else "")
            return
        content = path.read_bytes()
        changed = format_datetime(datetime.fromtimestamp(path.stat().st_mtime, UTC), usegmt=True)
        ranged = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        whole = len(content)
        if ranged:
            content = content[int(ranged[1]) : int(ranged[2]) + 1 if ranged[2] else None]
        self.send_response(206 if ranged else 200)
        headers = {"Content-Length": str(len(content)), "Last-Modified": changed, "ETag": '"e"',
                   **self._place(ranged, whole), "Content-Type": self.store.types.get(self._key, "")}  # fmt: skip
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    @staticmethod
    def _place(ranged: re.Match[str] | None, whole: int) -> dict[str, str]:
        last = int(ranged[2]) if ranged and ranged[2] else whole - 1
        return {"Content-Range": f"bytes {ranged[1]}-{last}/{whole}"} if ranged else {}

    def _list(self) -> None:
        if self._refused():
            return
        prefix = self._query["prefix"][0]
        below = [key.removeprefix(prefix) for key in self.store.names() if key.startswith(prefix)]
        folders = sorted({key.split("/")[0] for key in below if "/" in key})
        files = [key for key in below if "/" not in key]
        entries = "".join(f"<Contents><Key>{escape(prefix + name)}</Key></Contents>" for name in files)
        entries += "".join(
            f"<CommonPrefixes><Prefix>{escape(prefix + name)}/</Prefix></CommonPrefixes>" for name in folders
        )
        self._answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>")

    def _refused(self) -> bool:
        if self.store.broken:
            self._answer(403, "<Error><Code>AccessDenied</Code></Error>")
        return self.store.broken

    def _answer(self, status: int, body: str = "", **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body)), "Content-Type": "application/xml"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())
