"""Verifying the audit trail where it lies, or a file of it, and handing it out."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from accounts.chain import ANCHOR_DOMAIN, canonical, moment_text, proof_of, same
from accounts.exports import ExportWriter, check_export
from accounts.models import AuditAnchor
from accounts.services.anchors import anchors_of_database, anchors_of_storage, content_of, sealing_key, stored_moment
from accounts.services.audit_reading import chosen_entries, one_moment, sealed_entries, unsealed_entries
from accounts.verification import ChainCheck, Report, Start

_COLUMNS = (
    "id", "at", "action", "actor_kind", "actor_id", "target_type", "target_id", "organisation", "request", "data",
    "seal", "mac",
)  # fmt: skip


def verify_database(*, since: datetime | int | None = None) -> Report:
    """Check every sealed entry, or those from the last anchor before `since` (a moment or a number) on.

    Compares with the anchors of the database and with their copies in the default storage. Raises UnknownKey.
    """
    copies = anchors_of_storage()  # before the database's moment: none of them may be newer than it
    with one_moment():
        start = _start(since)
        check = ChainCheck(settings.AUDIT_KEYS, start=start)
        for anchor in (*copies, *anchors_of_database()):
            check.anchor(anchor)
        for entry in sealed_entries(after=start.seal):
            check.entry(entry.facts, entry.mac, text=entry.text)
        for entry in unsealed_entries():
            check.unsealed(entry.facts)
    return check.finish()


def verify_file(lines: Iterable[bytes]) -> Report:
    """Check an export with this hub's keys and the anchors of its storage. Raises NotAnExport, UnknownKey."""
    return check_export(lines, settings.AUDIT_KEYS, anchors=anchors_of_storage(), is_newer=_is_newer)


def write_export(write: Callable[[bytes], object]) -> int:
    """Hand out the whole trail as it is at one moment; returns how many entries. Memory stays flat."""
    with one_moment():
        writer = ExportWriter(write, made_at=moment_text(datetime.now(UTC)))
        for anchor in anchors_of_database():
            writer.anchor(anchor)
        for entries in (sealed_entries(), unsealed_entries()):
            for entry in entries:
                writer.entry(entry.facts, entry.mac, entry.text)
        writer.finish(*sealing_key())
    return writer.entries


def write_selection(ids: Sequence[int], write: Callable[[bytes], object]) -> int:
    """Hand out these entries, newest first; each can be verified on its own, what lies between them cannot."""
    writer = ExportWriter(write, made_at=moment_text(datetime.now(UTC)), selection=True)
    for entry, previous in chosen_entries(ids):
        writer.entry(entry.facts, entry.mac, entry.text, previous=previous)
    writer.finish(*sealing_key())
    return writer.entries


def write_table(ids: Sequence[int], write: Callable[[bytes], object]) -> int:
    """Hand out these entries as a table (CSV, newest first) for people; without personal text."""
    number = 0
    write(_row(_COLUMNS))
    for entry, _previous in chosen_entries(ids):
        facts = entry.facts
        data = canonical(facts["data"])
        write(_row([*(facts[name] for name in _COLUMNS[:9]), data, facts["seal"], entry.mac]))
        number += 1
    return number


def is_as_sealed(entry_id: int) -> bool:
    """Return whether this sealed entry, and its personal text if it is there, are what was sealed behind its
    predecessor as that one is now."""
    check = ChainCheck(settings.AUDIT_KEYS, selection=True)
    for entry, previous in chosen_entries([entry_id]):
        check.entry(entry.facts, entry.mac, text=entry.text, previous=previous)
    return check.finish().intact


def _row(cells: Sequence[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([_harmless(cell) for cell in cells])
    return line.getvalue().encode()


def _harmless(cell: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _start(since: datetime | int | None) -> Start:
    """The last anchor that is not after `since` and whose signature holds, or the beginning."""
    if since is None:
        return Start()
    before = {"at__lte": since} if isinstance(since, datetime) else {"seal__lt": since}
    for anchor in AuditAnchor.objects.filter(**before).order_by("-seal").iterator(chunk_size=100):
        content = content_of(anchor)
        key = settings.AUDIT_KEYS.get(anchor.key_id, b"")
        if same(content["proof"], proof_of(key, ANCHOR_DOMAIN, content)):
            return Start(anchor.seal, content["mac"])
    return Start()


def _is_newer(seal: int, mac: str, made_at: str) -> bool:
    return stored_moment(seal, mac) > made_at
