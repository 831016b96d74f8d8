"""`manage.py audit …`: what an operator does with the audit trail from a shell."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.dateparse import parse_date, parse_datetime

from accounts.exports import NotAnExport
from accounts.services.anchors import anchors_of_database
from accounts.services.audit import SYSTEM, record
from accounts.services.audit_verify import verify_database, verify_file, write_export
from accounts.services.sealing import seal_all
from accounts.verification import Report, UnknownKey, sentences

BROKEN, CANNOT_TELL = 1, 2
_BUFFER = 1024 * 1024


class Command(BaseCommand):
    help = "verify: is the trail as it was written? seal: what the scheduler does each second. export, anchors."

    def add_arguments(self, parser: CommandParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        verify = steps.add_parser("verify", help="exit code 0: intact; 1: not; 2: it could not be told")
        verify.add_argument("--since", help="a day, a moment (ISO 8601, UTC) or a number: from the anchor before it on")
        verify.add_argument("--from-export", type=Path, metavar="FILE", help="check a file instead of the database")
        steps.add_parser("seal", help="seal everything that is committed")
        export = steps.add_parser("export", help="the whole trail as JSON lines with a signed manifest")
        export.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")
        steps.add_parser("anchors", help="list the anchors, to keep them elsewhere")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['step']}")(options)

    def _verify(self, options: dict[str, Any]) -> None:
        try:
            report = self._report(options)
        except (UnknownKey, NotAnExport, OSError) as error:
            self.stderr.write(f"This could not be told: {error}")
            raise SystemExit(CANNOT_TELL) from error
        for sentence in sentences(report):
            self.stdout.write(sentence)
        if not report.intact:
            raise SystemExit(BROKEN)

    def _report(self, options: dict[str, Any]) -> Report:
        if options["from_export"] is None:
            return verify_database(since=_since(options["since"]))
        with options["from_export"].open("rb", buffering=_BUFFER) as file:
            return verify_file(file)

    def _seal(self, _options: dict[str, Any]) -> None:
        self.stdout.write(f"Sealed {seal_all(most_batches=1_000_000)} entries.")

    def _export(self, options: dict[str, Any]) -> None:
        """Write to a new file that only its owner can read; the record of it is made before anything is handed out."""
        try:
            descriptor = os.open(options["out"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{options['out']}: {error.strerror}") from error
        with transaction.atomic():
            record(
                actor=SYSTEM, action="audit.exported", target_type="auditentry", target_id="", organisation_id=None,
                data={"form": "jsonl", "all": True},
            )  # fmt: skip
        with os.fdopen(descriptor, "wb", buffering=_BUFFER) as file:
            number = write_export(file.write)
            file.flush()
            os.fsync(file.fileno())
        self.stdout.write(f"Wrote {number} entries to {options['out']}. `scripts/verify_audit.py` checks it anywhere.")

    def _anchors(self, _options: dict[str, Any]) -> None:
        for anchor in anchors_of_database():
            self.stdout.write(f"{anchor['seal']:>12}  {anchor['at']}  {anchor['mac']}  {anchor['key']}")


def _since(text: str | None) -> datetime | int | None:
    """A number of an entry, a moment or a day, both UTC unless they say otherwise."""
    if text is None:
        return None
    if text.isdigit():
        return int(text)
    try:
        moment = parse_datetime(text)
        day = parse_date(text) if moment is None else None
    except ValueError as error:
        raise CommandError(f"--since {text}: {error}") from error
    if moment is None and day is not None:
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if moment is None:
        raise CommandError(f"--since {text}: use a number, 2026-01-31 or 2026-01-31T08:15:00")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
