"""An entry stands or falls with what it tells of, holds no personal text, and costs one statement."""

from typing import Any

import pytest
import structlog
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.chain import digest_of
from accounts.models import AuditEntry, AuditText
from accounts.services.audit import MOST_TEXT, SYSTEM, Actor, actor_of, erase_texts, record
from accounts.services.audit_verify import verify_database
from accounts.services.sealing import seal_all
from tests.factories.accounts import UserFactory
from tests.integration.audit.conftest import write

FIELDS: dict[str, Any] = {
    "actor": SYSTEM, "action": "user.signed_in", "target_type": "user", "target_id": 1, "organisation_id": None,
}  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_recording_refuses_to_run_outside_a_transaction() -> None:
    with pytest.raises(RuntimeError, match="outside a transaction"):
        record(**FIELDS)


@pytest.mark.django_db(transaction=True)
def test_an_entry_goes_with_the_transaction_that_fails() -> None:
    with transaction.atomic():
        record(**FIELDS, personal={"name": "Ann"})
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()
    assert not AuditText.objects.exists()


@pytest.mark.django_db
def test_an_action_that_nobody_registered_is_an_error() -> None:
    with pytest.raises(ValueError, match="no registered action"):
        record(**{**FIELDS, "action": "user.signd_in"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    "data",
    [{"name": "ann@contoso.example"}, {"title": "My printer hums"}, {"share": 0.5}, {"big": 2**53}, {"ü": 1},
     {"who": {"name": "x"}}, {"names": ["Ann Baker"]}],
)  # fmt: skip
def test_what_looks_like_text_is_refused_in_the_sealed_part(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="neither an id nor a code"):
        record(**FIELDS, data=data)


@pytest.mark.django_db
def test_an_entry_costs_one_statement_also_with_personal_text() -> None:
    with CaptureQueriesContext(connection) as seen:
        record(**FIELDS, data={"source": "api"})
        record(**FIELDS, personal={"name": "Ann"}, proofs={"text": "It hums."})
    assert len(seen) == 2


@pytest.mark.django_db
def test_personal_text_lies_beside_and_only_its_salted_digest_in_the_entry() -> None:
    one, other = (record(**FIELDS, personal={"name": "Ann Baker"}) for _ in range(2))
    entry, text = AuditEntry.objects.get(pk=one), AuditText.objects.get(pk=one)
    assert text.texts == {"name": "Ann Baker"}
    assert entry.digests == {"name": digest_of(bytes(text.salt), "Ann Baker")}
    assert entry.data == {}
    assert AuditEntry.objects.get(pk=other).digests != entry.digests


@pytest.mark.django_db
def test_of_a_value_that_lies_elsewhere_only_the_digest_is_kept() -> None:
    entry = AuditEntry.objects.get(pk=record(**FIELDS, proofs={"text": "It hums."}))
    text = AuditText.objects.get(pk=entry.pk)
    assert text.texts == {}
    assert entry.digests == {"proof:text": digest_of(bytes(text.salt), "It hums.")}


@pytest.mark.django_db
def test_text_that_a_database_cannot_keep_is_made_storable_before_it_is_digested() -> None:
    write(1, personal={"name": "a\x00b\ud800" + "x" * 9000})
    seal_all()
    kept = AuditText.objects.get().texts["name"]
    assert kept.startswith("a\ufffdb?")
    assert len(kept) == MOST_TEXT
    assert verify_database().intact


@pytest.mark.django_db
def test_an_entry_names_the_request_that_it_came_from() -> None:
    with structlog.contextvars.bound_contextvars(request_id="4f2a9c01d7e8b356"):
        number = record(**FIELDS)
    assert AuditEntry.objects.get(pk=number).request_id == "4f2a9c01d7e8b356"


@pytest.mark.django_db
def test_actors_are_kinds_and_ids() -> None:
    user = UserFactory.create()
    assert actor_of(user) == Actor("user", str(user.pk))
    assert actor_of(None) == SYSTEM


@pytest.mark.django_db
def test_erasing_takes_text_and_salt_and_leaves_the_trail_intact() -> None:
    ids = write(3, personal={"name": "Ann Baker"})
    seal_all()
    assert erase_texts(entry_ids=ids[:2], actor=SYSTEM) == 2
    assert erase_texts(entry_ids=ids[:2], actor=SYSTEM) == 0
    assert list(AuditText.objects.values_list("pk", flat=True)) == ids[2:]
    assert verify_database().intact  # the record of it is not sealed yet
    seal_all()
    report = verify_database()
    assert (report.intact, report.erased, report.texts) == (True, 2, 1)
