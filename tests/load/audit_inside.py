"""The parts of the audit benchmark that need the hub's models; commands of `tests.load.inside`."""

import resource
import time
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

from django.db import connection, transaction

from accounts.chain import VERSION
from accounts.models import AuditEntry, User
from accounts.permissions import principal_of
from accounts.services.audit_reading import one_moment, sealed_entries
from accounts.services.audit_verify import verify_database, write_export
from accounts.services.sealing import BATCH, seal_all
from supporthub.core import hurry
from supporthub.core.compiled import Part
from tickets.services import trail
from tickets.services.intake import NewTicket, open_ticket

TICKETS = 150
_LIMIT_BATCHES = 20
_FILL = """
INSERT INTO accounts_auditentry
    (at, actor_kind, actor_id, action, target_type, target_id, organisation_id, request_id, data, digests)
SELECT clock_timestamp(), 'user', (n %% 50)::text,
       (ARRAY['ticket.opened', 'ticket.assigned', 'message.replied', 'ticket.status_changed'])[1 + n %% 4],
       'ticket', (n / 4)::text, 1 + n %% 20, left(md5((n / 2)::text), 16), jsonb_build_object('message', n), '{}'
FROM generate_series(1, %s) AS n
"""
_SEAL = """
UPDATE accounts_auditentry AS entry SET seal = new.seal, mac = new.mac, key_id = 'k1', form = %s
FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[]) AS new (id, seal, mac) WHERE entry.id = new.id
"""


def audit_fill(count: str) -> dict[str, int]:
    """Entries that wait for their seal; then what autovacuum would do in its own time."""
    seal_all(most_batches=1_000_000)
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [int(count)])
        cursor.execute("VACUUM ANALYZE accounts_auditentry")
    return {"entries": int(count)}


def audit_seal() -> dict[str, float]:
    """Seal everything; before it, and rolled back, the bare statement over some batches."""
    waiting = list(
        AuditEntry.objects.filter(seal=None).order_by("pk").values_list("pk", flat=True)[: BATCH * _LIMIT_BATCHES]
    )
    last = AuditEntry.objects.exclude(seal=None).order_by("-seal").values_list("seal", flat=True).first() or 0
    limit = 0.0
    with transaction.atomic(), connection.cursor() as cursor:
        for begin in range(0, len(waiting), BATCH):
            ids = waiting[begin : begin + BATCH]
            seals = [last + begin + place for place in range(1, len(ids) + 1)]
            started = time.perf_counter()
            cursor.execute(_SEAL, [VERSION, ids, seals, [b"0" * 32] * len(ids)])
            limit += time.perf_counter() - started
        transaction.set_rollback(True)
    started = time.perf_counter()
    sealed = seal_all(most_batches=1_000_000)
    seconds = time.perf_counter() - started
    return {"entries": sealed, "seconds": seconds, "limit_entries": len(waiting), "limit_seconds": limit}


def audit_verify(export: str) -> dict[str, float]:
    """Verify as the command does, read the same rows beside it, and write an export for the script."""
    started = time.perf_counter()
    report = verify_database()
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if not report.intact:
        raise RuntimeError(f"the trail is not intact: {report.faults}")
    started = time.perf_counter()
    with one_moment():
        for _entry in sealed_entries():
            pass
    limit = time.perf_counter() - started
    with Path(export).open("wb", buffering=1024 * 1024) as file:
        write_export(file.write)
    return {"seconds": seconds, "limit_seconds": limit, "memory": memory}


def audit_share(rounds: str) -> dict[str, Any]:
    """Seconds a ticket with the trail and without, as medians of rounds: one of each in turn, so that a busy machine
    disturbs both alike."""
    actor = User.objects.get(is_superuser=True)
    principal = principal_of(actor)
    before = AuditEntry.objects.count()
    pairs = []
    for _round in range(int(rounds)):
        taken: tuple[list[float], list[float]] = ([], [])
        for _ticket in range(TICKETS):
            taken[0].append(_open(actor, principal))
            with mock.patch.object(trail, "parts", _nothing):
                taken[1].append(_open(actor, principal))
        hurry.flush()
        pairs.append([median(side) for side in taken])
    if AuditEntry.objects.count() - before < TICKETS * int(rounds):
        raise RuntimeError("opening a ticket writes nothing into the audit trail")
    return {"pairs": pairs}


def _nothing(*_arguments: Any, **_named: Any) -> list[Part]:
    """In the place of the trail."""
    return []


def _open(actor: User, principal: Any) -> float:
    """Seconds that one ticket takes, its transaction included."""
    new = NewTicket(
        title="The printer hums", body="It began this morning, after the update.", board="helpdesk",
        requester="ann.baker@contoso.example",
    )  # fmt: skip
    started = time.perf_counter()
    with transaction.atomic():
        open_ticket(new=new, actor=actor, principal=principal)
    return time.perf_counter() - started
