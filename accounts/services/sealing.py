"""The sealer: gives entries their numbers and MACs, and anchors the chain.

Numbers are given here and not at the insert, so that an entry that becomes visible late (a long transaction) gets a
later number instead of being skipped. One sealer at a time holds an advisory lock for its transaction.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction

from accounts.chain import GENESIS, VERSION, canonical, entry_mac
from accounts.services.anchors import make_anchor, sealing_key, store_anchors
from accounts.services.audit_reading import FACT_COLUMNS, facts_of

BATCH = 2000
LOCK = 0x48554241  # "HUBA": the sealer's advisory lock, over all processes and machines
_UNSEALED = f"SELECT {FACT_COLUMNS} FROM accounts_auditentry e WHERE e.seal IS NULL ORDER BY e.id LIMIT %s"  # noqa: S608
_LAST_SEALED = """
SELECT seal, encode(mac, 'hex') FROM accounts_auditentry WHERE seal IS NOT NULL ORDER BY seal DESC LIMIT 1
"""
_LAST_ANCHORED = "SELECT seal, encode(mac, 'hex'), at FROM accounts_auditanchor ORDER BY seal DESC LIMIT 1"
_SEAL = """
UPDATE accounts_auditentry AS entry SET seal = new.seal, mac = new.mac, key_id = %s, form = %s
FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[]) AS new (id, seal, mac)
WHERE entry.id = new.id AND entry.seal IS NULL
"""

logger = structlog.get_logger(__name__)


class ChainBroken(Exception):
    """The sealer found rows that cannot be; nothing was sealed. `manage.py audit verify` says what is wrong."""


def seal_all(*, most_batches: int = 50) -> int:
    """Seal what is committed, batch by batch, and store the anchors that are due. Returns how many were sealed."""
    sealed = 0
    for _number in range(most_batches):
        done = seal_batch()
        sealed += done
        if done < BATCH:
            break
    store_anchors()
    return sealed


def seal_batch(*, size: int = BATCH) -> int:
    """Seal at most `size` entries in one transaction; 0 when there are none or another sealer is at work.

    Raises ChainBroken when a row changed under the lock. Logs how far it came: the log is a witness, too.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_UNSEALED, [size])
        rows = cursor.fetchall()
        before, mac = _end_of_chain(cursor)
        if rows:
            mac = _seal(cursor, rows, before, mac)
        last = before + len(rows)
        if last:
            _anchor_when_due(cursor, last, mac)
    if rows:
        logger.info("audit.sealed", first=before + 1, last=last, mac=mac, key_id=sealing_key()[0])
    return len(rows)


def _seal(cursor: Any, rows: Sequence[Sequence[Any]], before: int, mac: str) -> str:
    """Chain these rows after the entry `before`, which has this MAC; returns the last one's."""
    key_id, key = sealing_key()
    ids, seals, macs = [], [], []
    for seal, row in enumerate(rows, before + 1):
        mac = entry_mac(key, mac, canonical(facts_of(row) | {"seal": seal, "key": key_id, "v": VERSION}))
        ids.append(row[0])
        seals.append(seal)
        macs.append(bytes.fromhex(mac))
    cursor.execute(_SEAL, [key_id, VERSION, ids, seals, macs])
    if cursor.rowcount != len(ids):
        raise ChainBroken(f"{len(ids)} entries were to be sealed and {cursor.rowcount} could be")
    return mac


def _end_of_chain(cursor: Any) -> tuple[int, str]:
    """Where the chain goes on: after the last entry, or after the last anchor when entries up to it are gone.

    So a cut tail leaves a gap that stays, instead of numbers that are given twice.
    """
    cursor.execute(_LAST_SEALED)
    seal, mac = cursor.fetchone() or (0, GENESIS)
    cursor.execute(_LAST_ANCHORED)
    anchored = cursor.fetchone()
    if anchored and anchored[0] > seal:
        logger.error("audit.tail_missing", last_entry=seal, anchored=anchored[0])
        return int(anchored[0]), str(anchored[1])
    return int(seal), str(mac)


def _anchor_when_due(cursor: Any, last: int, mac: str) -> None:
    """Anchor the end of the chain after so many entries, or so long after the last anchor."""
    cursor.execute(_LAST_ANCHORED)
    seal, _mac, at = cursor.fetchone() or (0, "", None)
    now = datetime.now(UTC)
    waited = at is None or now - at >= timedelta(minutes=settings.AUDIT_ANCHOR_MINUTES)
    if last > seal and (waited or last - seal >= settings.AUDIT_ANCHOR_ROWS):
        make_anchor(seal=last, mac=mac, at=now)
