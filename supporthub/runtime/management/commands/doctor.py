"""`manage.py doctor`: is this hub set up rightly, against the real outside systems? Each fault comes with its fix."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from supporthub.core.doctor import Finding, Verdict, checks

SIGNS = {Verdict.GOOD: "ok  ", Verdict.WARNING: "warn", Verdict.BAD: "BAD ", Verdict.SKIPPED: "skip"}


class Command(BaseCommand):
    help = "Check settings, database, Redis, trackers and boards; exit code 1 when something is bad."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet-good", action="store_true", help="show only what needs attention")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = [finding for check in checks() for finding in check()]
        for finding in findings:
            if not (options["quiet_good"] and finding.verdict is Verdict.GOOD):
                self.stdout.write(line_of(finding))
        bad = sum(finding.verdict is Verdict.BAD for finding in findings)
        warnings = sum(finding.verdict is Verdict.WARNING for finding in findings)
        self.stdout.write(f"{len(findings)} checks: {bad} bad, {warnings} warnings.")
        if bad:
            raise SystemExit(1)


def line_of(finding: Finding) -> str:
    """One line, or two when there is a fix."""
    fix = f"\n       → {finding.fix}" if finding.fix else ""
    return f"{SIGNS[finding.verdict]} {finding.check}: {finding.text}{fix}"
