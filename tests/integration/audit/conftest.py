"""A trail to work on, and the hands of somebody who owns the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.services.audit import Actor, record
from accounts.services.sealing import seal_all

TABLES = ("accounts_auditentry", "accounts_audittext", "accounts_auditanchor")


@pytest.fixture(autouse=True)
def storage(settings: Any, tmp_path: Path) -> Path:
    """The default storage is a folder of this test, anchors come every five entries; returns where their copies lie."""
    settings.MEDIA_ROOT, settings.AUDIT_ANCHOR_ROWS = tmp_path, 5
    return tmp_path / "audit" / "anchors"


def write(number: int = 1, **fields: Any) -> list[int]:
    """Add entries in a transaction of their own; returns their ids."""
    given: dict[str, Any] = {
        "actor": Actor("user", "7"), "action": "user.signed_in", "target_type": "user", "target_id": 7,
        "organisation_id": None, **fields,
    }  # fmt: skip
    with transaction.atomic():
        return [record(**given) for _ in range(number)]


def a_sealed_trail() -> list[int]:
    """Ten entries of every form, sealed, with an anchor at the fourth and one at the last; returns their ids."""
    ids = write(3) + write(1, personal={"name": "Ann Baker", "address": "192.0.2.7"}, data={"way": "password"})
    seal_all()
    ids += write(2, proofs={"text": "It hums."}, organisation_id=5) + write(4, action="user.signed_out")
    seal_all()
    return ids


@contextmanager
def as_owner() -> Iterator[Any]:
    """A cursor of somebody who owns the tables and has switched their triggers off."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER audit_no_truncate")  # as tests/conftest.py leaves it
