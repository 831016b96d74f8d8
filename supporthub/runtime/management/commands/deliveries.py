"""`manage.py deliveries …`: what an operator does with outward effects from a shell."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.choices import HoldScope
from accounts.services.holds import place_hold
from supporthub.core.deliveries import registry
from supporthub.core.deliveries.sweep import doubt_everything, sweep


class Command(BaseCommand):
    help = "after-restore: hold everything, doubt what was unfinished; sweep: do now what beat does every ten seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["after-restore", "sweep"])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "sweep":
            for kind in registry.kinds():
                self.stdout.write(f"{kind.name}: {sweep(kind)}")
            return
        place_hold(scope=HoldScope.ALL, value="", reason="The database was restored from a backup.", actor=None)
        for kind in registry.kinds():
            self.stdout.write(f"{kind.name}: {doubt_everything(kind)} rows will be checked before anything is sent.")
        self.stdout.write("Everything is held. Look around, then delete the hold in the admin.")
