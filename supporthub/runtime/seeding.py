"""What a new hub needs: an admin, a tracker, schedules. Each seeds once and returns a line for the terminal."""

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts.models import Organisation, TenantConnection, User
from supporthub.settings.env import Env
from tickets.choices import TrackerKind
from tickets.models import Tracker

# (name, task, seconds, scaled): what beat runs. `scaled` ones follow DELIVERY_TIME_SCALE, as the rows' own times do.
SCHEDULES = (
    ("Deliveries: sweep", "tickets.tasks.sweep_deliveries", 10.0, True),
    ("Deliveries: look for duplicates", "tickets.tasks.look_for_duplicates", 6 * 3600.0, False),
    ("Audit trail: seal", "accounts.tasks.seal_audit_trail", 1.0, False),
    ("Files: sweep what nobody sent", "tickets.tasks.sweep_files", 3600.0, False),
    ("Files: sweep all", "tickets.tasks.sweep_all_files", 7 * 24 * 3600.0, False),
    ("Requests: forget old idempotency keys", "tickets.tasks.forget_old_requests", 3600.0, False),
    ("Requests: forget used tokens", "accounts.tasks.forget_tokens_used", 3600.0, False),
)


@transaction.atomic
def first_admin() -> str:
    """Make the first admin from SUPPORTHUB_ADMIN_EMAIL and SUPPORTHUB_ADMIN_PASSWORD when there is no user at all."""
    env = Env()
    email, password = env.text("SUPPORTHUB_ADMIN_EMAIL", ""), env.text("SUPPORTHUB_ADMIN_PASSWORD", "")
    if User.objects.exists() or not email:
        return ""
    try:
        validate_password(password, User(email=email))
    except ValidationError as error:
        raise CommandError(f"SUPPORTHUB_ADMIN_PASSWORD does not do: {' '.join(error.messages)}") from error
    User.objects.create_superuser(email, password, name="First Admin")
    return f"Made the first admin, {email}."


@transaction.atomic
def first_tracker() -> str:
    """Make a tracker for ATLASSIAN_URL when there is no tracker; the row wins ever after."""
    if not settings.JIRA_CONFIGURED or Tracker.objects.exists():
        return ""
    Tracker.objects.create(slug="jira", name="Jira", kind=TrackerKind.JIRA_CLOUD, base_url=settings.ATLASSIAN_URL)
    return f"Made the tracker {settings.ATLASSIAN_URL}."


@transaction.atomic
def first_tenant() -> str:
    """Make an organisation for ENTRA_TENANT_ID when there is no tenant at all; the rows win ever after.

    Comes after the sample, which brings its own tenants. A lead gives the organisation its name.
    """
    if not settings.ENTRA_TENANT_ID or TenantConnection.objects.exists():
        return ""
    named = {"name": "Our organisation", "slug": "our-organisation"}
    organisation = Organisation.objects.filter(**named).first() or Organisation.objects.create(**named)
    TenantConnection.objects.create(organisation=organisation, tenant_id=settings.ENTRA_TENANT_ID)
    return f"Made the organisation {organisation} with the tenant {settings.ENTRA_TENANT_ID}."


@transaction.atomic
def schedules() -> str:
    """Make the schedules that are missing; a lead may change or switch off what is there."""
    made = 0
    for name, task, seconds, scaled in SCHEDULES:
        if PeriodicTask.objects.filter(name=name).exists():
            continue
        period = seconds * settings.DELIVERY_TIME_SCALE if scaled else seconds
        every, unit = (
            (round(period), IntervalSchedule.SECONDS)
            if period >= 1
            else (round(period * 1e6), IntervalSchedule.MICROSECONDS)
        )
        interval, _ = IntervalSchedule.objects.get_or_create(every=every, period=unit)
        PeriodicTask.objects.create(name=name, task=task, interval=interval, expire_seconds=max(60, round(seconds)))
        made += 1
    return f"Made {made} schedules." if made else ""
