"""`manage.py seed`: rows that must exist before the first request. Idempotent; a lead's changes stay."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from supporthub.runtime import sample, seeding


class Command(BaseCommand):
    help = "Make the first admin, the tracker from ATLASSIAN_URL, the schedules; with --sample a small sample."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sample", action="store_true", help="also load the sample, when there are no boards yet")
        parser.add_argument("--remove-sample", action="store_true", help="remove the sample's rows that nothing uses")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove_sample"]:
            self.stdout.write(f"Removed {sample.remove()} rows of the sample.")
            return
        for line in (seeding.first_admin(), seeding.first_tracker(), seeding.schedules()):
            if line:
                self.stdout.write(line)
        if options["sample"] and sample.load():
            self.stdout.write(
                "Loaded the sample: organisations, boards, people. `manage.py seed --remove-sample` removes it."
            )
