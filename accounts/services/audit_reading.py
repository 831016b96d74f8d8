"""Reading the audit trail: all of it in one pass with flat memory, or chosen entries."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import connection, transaction

from accounts.chain import GENESIS

FETCH = 5000
_MOMENT = "to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
# What is sealed, as the canonical form wants it: times as text, JSON as text.
FACT_COLUMNS = (
    f"e.id, {_MOMENT}, e.actor_kind, e.actor_id, e.action, e.target_type, e.target_id, e.organisation_id,"
    " e.request_id, e.data::text, e.digests::text"
)
_COLUMNS_OF_FACTS = 11
_WHOLE = f"""
SELECT {FACT_COLUMNS}, e.seal, encode(e.mac, 'hex'), e.key_id, e.form, t.salt, t.texts::text
FROM accounts_auditentry e LEFT JOIN accounts_audittext t ON t.entry_id = e.id
"""  # noqa: S608  (constants)
_SEALED_IN_ORDER = f"{_WHOLE} WHERE e.seal > %s ORDER BY e.seal"
_UNSEALED = f"{_WHOLE} WHERE e.seal IS NULL ORDER BY e.id"
_CHOSEN = (
    _WHOLE.replace("texts::text\n", "texts::text, encode(p.mac, 'hex')\n")
    + """
LEFT JOIN accounts_auditentry p ON p.seal = e.seal - 1 WHERE e.id = ANY(%s) ORDER BY e.id DESC
"""
)


class Entry(NamedTuple):
    """A row: the facts as sealed, its MAC (empty: unsealed), salt and personal texts (None: none, or erased)."""

    facts: dict[str, Any]
    mac: str
    text: tuple[bytes, dict[str, str]] | None


def facts_of(row: Sequence[Any]) -> dict[str, Any]:
    """The facts of a row that begins with FACT_COLUMNS; `seal`, `key` and `v` are the sealer's."""
    return {
        "id": row[0],
        "at": row[1],
        "actor_kind": row[2],
        "actor_id": row[3],
        "action": row[4],
        "target_type": row[5],
        "target_id": row[6],
        "organisation": row[7],
        "request": row[8],
        "data": json.loads(row[9]) if row[9] != "{}" else {},
        "digests": json.loads(row[10]) if row[10] != "{}" else {},
    }


@contextmanager
def one_moment() -> Iterator[None]:
    """What is read inside is the database of one moment; inside another transaction it is that one's view."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def sealed_entries(*, after: int = 0) -> Iterator[Entry]:
    """Sealed entries in the order of the chain; a cursor of the server keeps memory flat."""
    return _entries(_SEALED_IN_ORDER, [after])


def unsealed_entries() -> Iterator[Entry]:
    return _entries(_UNSEALED, [])


def chosen_entries(ids: Sequence[int]) -> Iterator[tuple[Entry, str]]:
    """These entries, newest first, each with the MAC of the entry before it in the chain (empty: unsealed)."""
    with connection.cursor() as cursor:
        cursor.execute(_CHOSEN, [list(ids)])
        for row in cursor.fetchall():
            entry = _entry_of(row)
            yield entry, (row[-1] or (GENESIS if entry.facts["seal"] == 1 else ""))


def _entries(statement: str, values: Sequence[Any]) -> Iterator[Entry]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(FETCH):
            for row in rows:
                yield _entry_of(row)


def _entry_of(row: Sequence[Any]) -> Entry:
    seal, mac, key_id, form, salt, texts = row[_COLUMNS_OF_FACTS : _COLUMNS_OF_FACTS + 6]
    facts = facts_of(row)
    facts["seal"], facts["key"], facts["v"] = seal, key_id, form
    return Entry(facts, mac or "", None if salt is None else (bytes(salt), json.loads(texts)))
