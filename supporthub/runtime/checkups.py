"""The doctor's checks of the hub itself: settings against rows, database, Redis, clocks, schedules."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django_celery_beat.models import PeriodicTask
from redis.exceptions import RedisError

from accounts.clients.entra_doctor import entra_findings
from accounts.models import Hold, User
from supporthub.core.crypto import decrypt, encrypt
from supporthub.core.doctor import Finding, Verdict, register
from supporthub.runtime.figures import needing_a_person, oldest_due_seconds
from supporthub.runtime.seeding import SCHEDULES
from tickets.clients.jira_doctor import jira_findings
from tickets.models import Board, Tracker
from tickets.services.storage_check import storage_findings

OLDEST_POSTGRES = 140000


@register
def settings_findings() -> Iterable[Finding]:
    """Secrets that work, and an address that browsers and trackers can reach."""
    name = "settings"
    if decrypt(encrypt("doctor")) == "doctor":
        yield Finding(name, Verdict.GOOD, "ENCRYPTION_KEYS encrypts and decrypts")
    host = urlsplit(settings.PUBLIC_URL).hostname
    if host in {"127.0.0.1", "localhost"} and settings.JIRA_CONFIGURED and "jira" not in settings.SANDBOX_ACTIVE:
        yield Finding(
            name, Verdict.WARNING, f"PUBLIC_URL is {settings.PUBLIC_URL}",
            "Issues link back to this address, which only this machine can open: set PUBLIC_URL to the hub's address.",
        )  # fmt: skip
    if settings.SANDBOX_ACTIVE:
        yield Finding(name, Verdict.WARNING, f"The sandbox plays {', '.join(settings.SANDBOX_ACTIVE)}",
                      "Set the credentials of the real systems; docs/operations.md names them.")  # fmt: skip


@register
def database_findings() -> Iterable[Finding]:
    """PostgreSQL answers, is new enough, and agrees with us about the time."""
    name = "database"
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
            number, version = cursor.fetchone()
    except DatabaseError as error:
        yield Finding(
            name, Verdict.BAD, f"does not answer ({type(error).__name__})", "Check DATABASE_URL and the server."
        )
        return
    if number < OLDEST_POSTGRES:
        yield Finding(name, Verdict.BAD, f"PostgreSQL {version}", "Use PostgreSQL 14 or newer.")
    else:
        yield Finding(name, Verdict.GOOD, f"PostgreSQL {version}")


@register
def redis_findings() -> Iterable[Finding]:
    """Redis answers; without it everything is kept, and slow."""
    try:
        cache.set("doctor", "1", 10)
        yield Finding("redis", Verdict.GOOD, "answers")
    except (RedisError, OSError) as error:
        yield Finding(
            "redis", Verdict.BAD, f"does not answer ({type(error).__name__})",
            "Tickets are still accepted; nothing is sent until it is back. Check REDIS_URL and the server.",
        )  # fmt: skip


@register
def rows_findings() -> Iterable[Finding]:
    """What leads edit: people, boards, schedules, holds."""
    if not User.objects.filter(is_active=True).exists():
        yield Finding("people", Verdict.BAD, "there is no active user",
                      "Set SUPPORTHUB_ADMIN_EMAIL and SUPPORTHUB_ADMIN_PASSWORD and run `manage.py seed`.")  # fmt: skip
    if not Board.objects.filter(is_active=True).exists():
        yield Finding(
            "boards", Verdict.BAD, "there is no active board: nothing can be accepted", "Make one in the admin."
        )
    running = set(PeriodicTask.objects.filter(enabled=True).values_list("name", flat=True))
    for schedule, _task, _seconds, _scaled in SCHEDULES:
        if schedule not in running:
            yield Finding("schedules", Verdict.BAD, f"{schedule!r} is missing or switched off",
                          "Run `manage.py seed`, or switch it on in the admin.")  # fmt: skip
    for hold in Hold.objects.all():
        yield Finding(
            "holds", Verdict.WARNING, f"{hold} is held: {hold.reason}", "Lift the hold in the admin when it is time."
        )
    parked = needing_a_person()
    if parked:
        yield Finding("deliveries", Verdict.WARNING, f"{parked} need a person", "See Needs a person in the queue.")
    yield Finding("deliveries", Verdict.GOOD, f"the oldest due one has waited {oldest_due_seconds():.0f} s")


@register
def tracker_findings() -> Iterable[Finding]:
    """The environment seeds the tracker's row once; afterwards the row wins, and a difference is said here."""
    if settings.JIRA_CONFIGURED and not Tracker.objects.filter(base_url=settings.ATLASSIAN_URL).exists():
        known = ", ".join(Tracker.objects.values_list("base_url", flat=True)) or "none"
        yield Finding(
            "trackers", Verdict.WARNING, f"ATLASSIAN_URL is {settings.ATLASSIAN_URL}, the trackers are: {known}",
            "The rows win. Change the tracker in the admin, or the variable.",
        )  # fmt: skip


register(jira_findings)
register(storage_findings)
register(entra_findings)
