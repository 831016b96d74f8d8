"""`manage.py seed`: rows that must exist before the first request. Idempotent; a lead's changes stay."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from supporthub.runtime import sample, seeding


class Command(BaseCommand):
    help = "Make the first admin, tracker, tenant and the schedules, each once; with --sample a small sample."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sample", action="store_true", help="also load the sample, when there are no boards yet")
        parser.add_argument("--migrate", action="store_true", help="first bring the database up to date, if it is not")
        parser.add_argument("--remove-sample", action="store_true", help="remove the sample's rows that nothing uses")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove_sample"]:
            self.stdout.write(f"Removed {sample.remove()} rows of the sample.")
            return
        if options["migrate"] and is_behind():
            call_command("migrate", interactive=False, stdout=self.stdout)
        for line in (seeding.first_admin(), seeding.first_tracker(), seeding.schedules()):
            if line:
                self.stdout.write(line)
        if options["sample"] and sample.load():
            self.stdout.write(
                "Loaded the sample: organisations, boards, people. `manage.py seed --remove-sample` removes it."
            )
        if line := seeding.first_tenant():
            self.stdout.write(line)


def is_behind() -> bool:
    """Whether a migration of this release has not been applied to the database yet."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
