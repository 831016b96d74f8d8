"""The database itself refuses to change or remove what the trail holds."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import AuditAnchor, AuditEntry, AuditText
from tests.integration.audit.conftest import TABLES, a_sealed_trail, write

pytestmark = pytest.mark.django_db


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
        yield


@pytest.mark.parametrize(
    "change",
    [{"actor_id": "8"}, {"data": {"x": 1}}, {"organisation_id": 9}, {"seal": 99}, {"mac": b"0" * 32}, {"key_id": "x"},
     {"seal": None, "mac": None, "key_id": None, "form": None}],
)  # fmt: skip
def test_a_sealed_entry_cannot_be_changed(change: dict[str, object]) -> None:
    entry = a_sealed_trail()[0]
    with refused():
        AuditEntry.objects.filter(pk=entry).update(**change)


def test_an_unsealed_entry_cannot_be_changed_either_not_even_while_it_is_sealed() -> None:
    (entry,) = write()
    with refused():
        AuditEntry.objects.filter(pk=entry).update(actor_id="8")
    with refused():
        AuditEntry.objects.filter(pk=entry).update(actor_id="8", seal=1, mac=b"0" * 32, key_id="t1", form=1)
    AuditEntry.objects.filter(pk=entry).update(seal=1, mac=b"0" * 32, key_id="t1", form=1)


def test_entries_and_anchors_cannot_be_deleted() -> None:
    a_sealed_trail()
    write()
    with refused():
        AuditEntry.objects.filter(seal=None).delete()
    with refused():
        AuditEntry.objects.filter(seal=1).delete()
    with refused():
        AuditAnchor.objects.all().delete()


def test_an_anchor_only_learns_once_that_it_was_stored() -> None:
    a_sealed_trail()
    for change in ({"stored_at": None}, {"mac": b"0" * 32}):
        with refused():
            AuditAnchor.objects.update(**change)


def test_a_personal_text_can_be_erased_but_not_changed() -> None:
    a_sealed_trail()
    with refused():
        AuditText.objects.update(texts={"name": "Ben"})
    AuditText.objects.all().delete()


@pytest.mark.parametrize("table", TABLES)
def test_no_table_can_be_truncated(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER audit_no_truncate")  # tests/conftest.py says why
        with refused():
            cursor.execute(f"TRUNCATE {table}")


def test_an_entry_is_sealed_whole_or_not_at_all() -> None:
    (entry,) = write()
    with pytest.raises(IntegrityError, match="audit_sealed_whole_or_not"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry).update(seal=1)
