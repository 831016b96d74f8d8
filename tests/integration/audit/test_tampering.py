"""Whoever owns the database can change it, and is found out."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from accounts.chain import GENESIS, canonical, entry_mac
from accounts.models import AuditAnchor, AuditEntry
from accounts.services.anchors import make_anchor, store_anchors
from accounts.services.audit_reading import sealed_entries
from accounts.services.audit_verify import verify_database
from accounts.services.sealing import seal_all
from tests.integration.audit.conftest import a_sealed_trail, as_owner, write

pytestmark = pytest.mark.django_db


def found() -> list[str]:
    return [fault.code for fault in verify_database().faults]


def test_an_untouched_trail_is_intact_and_says_how_much_is_not_sealed() -> None:
    a_sealed_trail()
    write(2)
    report = verify_database()
    assert report.intact
    assert (report.entries, report.unsealed, report.texts, report.first, report.last) == (10, 2, 3, 1, 10)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2020-01-01T00:00:00Z"), ("actor_kind", "system"), ("actor_id", "8"), ("action", "user.signed_out"),
        ("target_type", "board"), ("target_id", "8"), ("organisation_id", "3"), ("request_id", "another"),
        ("data", '{"way": "code"}'), ("digests", '{"name": "00"}'), ("id", "999999"), ("key_id", "t1x"),
        ("form", "2"), ("mac", "\\x00"),
    ],
)  # fmt: skip
def test_an_edit_of_any_column_is_found(column: str, value: str, settings: Any) -> None:
    settings.AUDIT_KEYS = {**django_settings.AUDIT_KEYS, "t1x": b"a key that did not seal this"}
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute(f"UPDATE accounts_auditentry SET {column} = %s WHERE seal = 4", [value])  # noqa: S608  (our own names)
    assert set(found()) & {"edited", "anchor"}


def test_a_deleted_entry_is_found() -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry WHERE seal = 6")
    assert found() == ["missing"]


def test_a_deleted_first_entry_is_found() -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry WHERE seal = 1")
    assert found() == ["missing"]


def test_a_deletion_that_closes_the_gap_is_found() -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry WHERE seal = 6")
        for seal in range(7, 11):
            cursor.execute("UPDATE accounts_auditentry SET seal = seal - 1 WHERE seal = %s", [seal])
    assert "edited" in found()


def test_an_entry_put_in_is_found() -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        for seal in range(10, 5, -1):
            cursor.execute("UPDATE accounts_auditentry SET seal = seal + 1 WHERE seal = %s", [seal])
        cursor.execute("""
            INSERT INTO accounts_auditentry (at, actor_kind, actor_id, action, target_type, target_id, request_id, data,
                digests, seal, mac, key_id, form)
            SELECT at, actor_kind, '9', action, target_type, target_id, '', data, digests, 6, mac, key_id, form
            FROM accounts_auditentry WHERE seal = 5
        """)
    assert "edited" in found()


def test_exchanged_entries_are_found() -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        for old, new in ((2, 1000), (3, 2), (1000, 3)):
            cursor.execute("UPDATE accounts_auditentry SET seal = %s WHERE seal = %s", [new, old])
    assert found() == ["edited", "edited", "edited"]  # the two, and the one that followed them


def test_a_cut_tail_is_found_by_the_anchor_in_the_database() -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry WHERE seal > 7")
    assert set(found()) == {"cut_tail"}


def test_a_cut_tail_without_its_anchors_is_found_by_the_copies_in_storage() -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry WHERE seal > 7")
        cursor.execute("DELETE FROM accounts_auditanchor WHERE seal > 7")
    assert found() == ["cut_tail"]


def test_a_cut_tail_stays_found_after_the_sealer_went_on() -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry WHERE seal > 7")
    write(3)
    seal_all()
    assert set(found()) == {"missing", "anchor"}
    assert AuditEntry.objects.filter(seal__gt=10).count() == 3


def test_a_trail_that_was_emptied_is_found_by_the_copies_in_storage() -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry")
        cursor.execute("DELETE FROM accounts_auditanchor")
    assert found() == ["cut_tail", "cut_tail"]


def test_a_chain_made_anew_with_the_key_is_found_by_the_copies_in_storage() -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute("UPDATE accounts_auditentry SET actor_id = '8' WHERE seal = 2")
        previous, macs = GENESIS, {}
        for entry in list(sealed_entries()):
            key = django_settings.AUDIT_KEYS[entry.facts["key"]]
            previous = macs[entry.facts["seal"]] = entry_mac(key, previous, canonical(entry.facts))
        for seal, mac in macs.items():
            cursor.execute("UPDATE accounts_auditentry SET mac = decode(%s, 'hex') WHERE seal = %s", [mac, seal])
        anchors = list(AuditAnchor.objects.values_list("seal", "at"))
        cursor.execute("DELETE FROM accounts_auditanchor")
    for seal, at in anchors:
        make_anchor(seal=seal, mac=macs[seal], at=at)
    assert set(found()) == {"anchor"}


def test_a_forged_anchor_is_found(storage: Path) -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute("UPDATE accounts_auditanchor SET proof = mac")
    assert "forged_anchor" in found()


def test_a_changed_personal_text_is_found() -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute("""UPDATE accounts_audittext SET texts = texts || '{"name": "Ben"}' WHERE texts ? 'name'""")
    assert found() == ["text_changed"]


def test_a_personal_text_that_went_without_a_record_is_found() -> None:
    a_sealed_trail()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_audittext WHERE texts ? 'name'")
    assert found() == ["text_gone"]


def test_a_look_at_what_came_since_begins_at_an_anchor_and_finds_the_same() -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute("UPDATE accounts_auditentry SET actor_id = '8' WHERE seal = 2")
    assert found() == ["edited"]
    later = verify_database(since=6)
    assert (later.intact, later.first, later.entries) == (True, 5, 6)
    with as_owner() as cursor:
        cursor.execute("UPDATE accounts_auditentry SET actor_id = '8' WHERE seal = 8")
    assert [fault.code for fault in verify_database(since=6).faults] == ["edited"]


def test_an_anchor_that_was_edited_is_no_beginning(storage: Path) -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute("UPDATE accounts_auditanchor SET mac = proof WHERE seal = 4")
    report = verify_database(since=6)
    assert report.first == 1
    assert not report.intact


def test_storing_anchors_twice_leaves_one_copy_each(storage: Path) -> None:
    a_sealed_trail()
    before = sorted(path.name for path in storage.iterdir())
    with as_owner() as cursor:
        cursor.execute("UPDATE accounts_auditanchor SET stored_at = NULL")
    assert store_anchors() == len(before)
    assert sorted(path.name for path in storage.iterdir()) == before
