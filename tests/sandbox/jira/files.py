"""Attachments: upload, meta, content."""

import secrets
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from python_multipart.multipart import MultipartParser, parse_options_header

from tests.sandbox.exchange import Answer, Call, json_answer
from tests.sandbox.jira.errors import JiraError, bad_request, forbidden, not_found
from tests.sandbox.jira.people import user
from tests.sandbox.jira.site import HUB_ACCOUNT, ROOT, Site, stamp
from tests.sandbox.store import now_ms

UPLOAD_LIMIT = 1_000_000_000
PER_REQUEST = 60
PER_ISSUE = 2000


@dataclass(slots=True)
class Part:
    """One part of a multipart body."""

    headers: dict[str, str] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)

    def option(self, name: str) -> str:
        """A parameter of the part's content disposition, as UTF-8."""
        _, options = parse_options_header(
            self.headers.get("content-disposition", "").encode("utf-8", "surrogateescape")
        )
        return options.get(name.encode(), b"").decode("utf-8", "replace")


class _Collector:
    """Gathers the parts of one body."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._name = bytearray()
        self._value = bytearray()

    def begin(self) -> None:
        self.parts.append(Part())

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        value = self._value.decode("utf-8", "surrogateescape")
        self.parts[-1].headers[self._name.decode("latin-1").lower()] = value
        self._name.clear()
        self._value.clear()

    def data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].content += data[start:end]


def multipart_parts(content_type: str, body: bytes) -> list[Part]:
    """The parts of a ``multipart/form-data`` body.

    :raises JiraError: 415 when the body is something else.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise JiraError(415, ())
    collector = _Collector()
    parser = MultipartParser(
        options[b"boundary"],
        {
            "on_part_begin": collector.begin,
            "on_header_field": collector.header_field,
            "on_header_value": collector.header_value,
            "on_header_end": collector.header_end,
            "on_part_data": collector.data,
        },
    )
    parser.write(body)
    parser.finalize()
    return collector.parts


def add_attachments(site: Site, call: Call) -> Answer:
    """``POST /issue/{idOrKey}/attachments``: needs the XSRF header and parts named ``file``."""
    if call.headers.get("x-atlassian-token", "").casefold() not in {"no-check", "nocheck"}:
        answer = Answer(403, b"XSRF check failed", (("content-type", "text/html;charset=UTF-8"),))
        answer.keep_effects = False
        return answer
    issue = site.issue(call)
    site.require(
        call, "CREATE_ATTACHMENTS", issue, "You do not have permission to create attachments for this work item."
    )
    files = [p for p in multipart_parts(call.headers.get("content-type", ""), call.body) if p.option("name") == "file"]
    if not files:
        raise bad_request("No files were found in the request.")
    limit = int(site.store.setting("jira.upload_limit", UPLOAD_LIMIT))
    there = site.store.value("SELECT count(*) FROM attachment WHERE issue_id = ?", issue["id"])
    if len(files) > PER_REQUEST or there + len(files) > PER_ISSUE or any(len(part.content) > limit for part in files):
        raise JiraError(413, ("The attachments exceed the maximum attachment size or number for issues.",))
    return json_answer([_store(site, call, issue, part) for part in files])


def _store(site: Site, call: Call, issue: sqlite3.Row, part: Part) -> dict[str, Any]:
    name = part.option("filename")
    if not name:
        raise bad_request("A file has no name.")
    at = now_ms()
    sql = """INSERT INTO attachment (issue_id, filename, mime, size, author, media, created, content)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
    mime = part.headers.get("content-type") or "application/octet-stream"
    media = secrets.token_hex(16)
    number = site.store.insert(
        sql, issue["id"], name, mime, len(part.content), HUB_ACCOUNT, media, at, bytes(part.content)
    )
    site.touch(issue["id"], at)
    site.store.effect(call.request_id, "attachment_created", issue["key"], id=number, filename=name)
    return attachment_shape(site, _row(site, str(number)))


def _row(site: Site, number: str) -> sqlite3.Row:
    sql = "SELECT id, issue_id, filename, mime, size, author, media, created FROM attachment WHERE id = ?"
    row = site.store.row(sql, number)
    if row is None:
        raise not_found(f"The attachment with id '{number}' does not exist")
    return row


def attachment_shape(site: Site, row: sqlite3.Row) -> dict[str, Any]:
    """An attachment's metadata; the id of the media file is not among it, as in Jira."""
    return {
        "self": site.link(f"attachment/{row['id']}"),
        "id": str(row["id"]),
        "filename": row["filename"],
        "author": user(site, row["author"]),
        "created": stamp(row["created"]),
        "size": row["size"],
        "mimeType": row["mime"],
        "content": site.link(f"attachment/content/{row['id']}"),
    }


def attachments_of(site: Site, issue: sqlite3.Row) -> list[dict[str, Any]]:
    """The attachments of an issue, oldest first."""
    sql = "SELECT id, filename, mime, size, author, created FROM attachment WHERE issue_id = ? ORDER BY id"
    return [attachment_shape(site, row) for row in site.store.rows(sql, issue["id"])]


def attachment_meta(site: Site, call: Call) -> Answer:
    """``GET /attachment/meta``."""
    return json_answer({"enabled": True, "uploadLimit": int(site.store.setting("jira.upload_limit", UPLOAD_LIMIT))})


def get_attachment(site: Site, call: Call) -> Answer:
    """``GET /attachment/{id}``."""
    return json_answer({**attachment_shape(site, _seen(site, call)), "id": int(call.params["id"])})


def delete_attachment(site: Site, call: Call) -> Answer:
    """``DELETE /attachment/{id}``."""
    row = _seen(site, call)
    site.store.run("DELETE FROM attachment WHERE id = ?", row["id"])
    site.touch(row["issue_id"], now_ms())
    site.store.effect(call.request_id, "attachment_deleted", call.subject, id=row["id"])
    return Answer(204)


def _seen(site: Site, call: Call) -> sqlite3.Row:
    row = _row(site, call.params["id"])
    issue = site.visible_issue(call, str(row["issue_id"]))
    if issue is None:
        raise forbidden("You do not have permission to view attachment with id: " + call.params["id"])
    call.subject = issue["key"]
    return row


def attachment_content(site: Site, call: Call) -> Answer:
    """``GET /attachment/content/{id}``: 303 to the media file, or the bytes themselves with ``redirect=false``."""
    row = _seen(site, call)
    if call.one("redirect", "true") != "false":
        return Answer(303, b"", (("location", f"{site.url}/media/file/{row['media']}/binary"),))
    return _bytes(site, call, row)


def media_file(site: Site, call: Call) -> Answer:
    """The media service's address, which needs no credentials because nobody can guess it."""
    sql = "SELECT id, issue_id, filename, mime, size, author, media, created FROM attachment WHERE media = ?"
    row = site.store.row(sql, call.params["media"])
    if row is None:
        raise not_found("The file does not exist")
    return _bytes(site, call, row)


def _bytes(site: Site, call: Call, row: sqlite3.Row) -> Answer:
    content = bytes(site.store.value("SELECT content FROM attachment WHERE id = ?", row["id"]))
    headers = (
        ("content-type", row["mime"]),
        ("content-disposition", "attachment"),
        ("x-content-type-options", "nosniff"),
    )
    asked = call.headers.get("range", "")
    if not asked.startswith("bytes="):
        return Answer(200, content, headers)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start = int(first) if first else max(0, len(content) - int(last or 0))
    end = min(int(last), len(content) - 1) if first and last else len(content) - 1
    if start > end:
        return Answer(416, b"", (("content-range", f"bytes */{len(content)}"),))
    part = ("content-range", f"bytes {start}-{end}/{len(content)}")
    return Answer(206, content[start : end + 1], (*headers, part))


MEDIA_ROOT = f"{ROOT}/media/file/"
