"""`manage.py api_client …`: API clients from a shell. A key is printed once, alone on its line."""

from argparse import ArgumentTypeError
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from accounts.choices import ClientScope
from accounts.models import ApiClient, Organisation
from accounts.services.clients import add_key, create_client, revoke_client, valid_keys
from supporthub.core.errors import HubError


def moment_of(text: str) -> datetime:
    """Read `2027-01-31`, or a time with its zone; ArgumentTypeError otherwise. A date ends with that day, in UTC."""
    try:
        day = parse_date(text)
        found = parse_datetime(text) if day is None else None
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
    if day is not None:
        return datetime(day.year, day.month, day.day, tzinfo=timezone.get_default_timezone()) + timedelta(days=1)
    if found is None or found.tzinfo is None:
        raise ArgumentTypeError("use a date such as 2027-01-31, or a time such as 2027-01-31T12:00+01:00")
    return found


class Command(BaseCommand):
    help = "API clients: add (prints the key once), list, rotate (a new key), revoke."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="make a client and print its key")
        add.add_argument("name")
        add.add_argument("--scope", action="append", required=True, choices=ClientScope.values, metavar="SCOPE",
                         help=f"repeat for several: {', '.join(ClientScope.values)}")  # fmt: skip
        add.add_argument("--organisation", metavar="SLUG", default="", help="only this organisation; default: all")
        add.add_argument("--expires", type=moment_of, metavar="WHEN", help="a date or time; default: it does not end")
        verbs.add_parser("list", help="show all clients")
        rotate = verbs.add_parser("rotate", help="print a new key; the present ones end after --grace hours")
        rotate.add_argument("name")
        rotate.add_argument("--grace", type=float, default=24.0, metavar="HOURS", help="default 24; 0: at once")
        revoke = verbs.add_parser("revoke", help="switch a client off and end its keys")
        revoke.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except HubError as refusal:
            faults = [fault for faults in refusal.errors.values() for fault in faults]
            raise CommandError(" ".join([refusal.detail, *faults])) from refusal

    def _add(self, options: dict[str, Any]) -> None:
        organisation = None
        if options["organisation"]:
            organisation = Organisation.objects.filter(slug=options["organisation"]).first()
            if organisation is None:
                raise CommandError(f"there is no organisation {options['organisation']!r}")
        client, key = create_client(
            name=options["name"], scopes=options["scope"], organisation=organisation, expires_at=options["expires"],
            actor=None,
        )  # fmt: skip
        self._print_key(client, key)

    def _list(self, _options: dict[str, Any]) -> None:
        for client in ApiClient.objects.select_related("organisation").order_by("name"):
            state = "active" if client.is_usable(timezone.now()) else "off"
            where = client.organisation.slug if client.organisation else "all organisations"
            used = client.last_used_at.isoformat(timespec="seconds") if client.last_used_at else "never used"
            facts = (client.name, state, where, ", ".join(client.scopes), f"{valid_keys(client)} valid keys", used)
            self.stdout.write("  ".join(facts))

    def _rotate(self, options: dict[str, Any]) -> None:
        client = self._named(options["name"])
        key = add_key(client_id=client.pk, actor=None, grace=timedelta(hours=max(0.0, options["grace"])))
        self._print_key(client, key)

    def _revoke(self, options: dict[str, Any]) -> None:
        client = self._named(options["name"])
        ended = revoke_client(client_id=client.pk, actor=None)
        self.stdout.write(f"{client.name} is switched off; {ended} keys were revoked.")

    def _named(self, name: str) -> ApiClient:
        client = ApiClient.objects.filter(name__iexact=name).first()
        if client is None:
            raise CommandError(f"there is no API client {name!r}; `manage.py api_client list` shows all")
        return client

    def _print_key(self, client: ApiClient, key: str) -> None:
        """The key alone on standard output, so that a script can take it; the words beside it."""
        self.stderr.write(f"The key of {client.name}. It is shown only now:")
        self.stdout.write(key)
