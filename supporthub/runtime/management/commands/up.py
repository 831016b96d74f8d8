"""So that `manage.py help` lists `up`; `manage.py` itself hands it over before Django is loaded."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from supporthub.runtime.up import main


class Command(BaseCommand):
    help = "Run the whole hub on this machine: embedded PostgreSQL and Redis, web, worker, scheduler, sandbox."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(main())
