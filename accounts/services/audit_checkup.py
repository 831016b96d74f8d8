"""The doctor's checks of the audit trail: is it being sealed, do its anchors leave the database, who owns it."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from accounts.models import AuditAnchor, AuditEntry
from supporthub.core.doctor import Finding, Verdict, register

LATE = timedelta(minutes=1)
CHECK = "audit trail"
_OWNED = """
SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = 'accounts_auditentry'::regclass
"""


@register
def audit_findings() -> Iterable[Finding]:
    """Quick: three small questions to the database. The whole chain is checked by `manage.py audit verify`."""
    waiting = AuditEntry.objects.filter(seal=None).aggregate(oldest=Min("at"))["oldest"]
    if waiting is not None and timezone.now() - waiting > LATE:
        text = f"entries wait for their seal since {waiting:%Y-%m-%d %H:%M} UTC"
        yield Finding(CHECK, Verdict.BAD, text, "Is the schedule 'Audit trail: seal' on, and do beat and a worker run?")
    else:
        yield Finding(CHECK, Verdict.GOOD, "what is recorded is sealed within a minute")
    if AuditAnchor.objects.filter(stored_at=None, at__lt=timezone.now() - LATE).exists():
        yield Finding(CHECK, Verdict.BAD, "anchors could not be copied to storage", "Can the worker write there?")
    with connection.cursor() as cursor:
        cursor.execute(_OWNED)
        owned = cursor.fetchone()[0]
    if owned:
        text = "the hub's database role owns the trail and could switch its triggers off"
        yield Finding(CHECK, Verdict.SKIPPED, text, "In production use a second role: docs/operations.md.")
    else:
        yield Finding(CHECK, Verdict.GOOD, "the hub's database role can only add to the trail")
