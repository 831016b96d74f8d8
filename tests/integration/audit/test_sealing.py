"""Every committed entry gets exactly one place in the chain, whenever it becomes visible and however sealers end."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.utils import timezone

from accounts.models import AuditAnchor, AuditEntry
from accounts.services import sealing
from accounts.services.anchors import anchors_of_storage, store_anchors
from accounts.services.audit import SYSTEM, record
from accounts.services.audit_verify import verify_database
from accounts.services.sealing import LOCK, seal_all, seal_batch
from accounts.tasks import seal_audit_trail
from tests.integration.audit.conftest import as_owner, write

FIELDS: dict[str, Any] = {
    "actor": SYSTEM, "action": "user.signed_in", "target_type": "user", "target_id": 1, "organisation_id": None,
}  # fmt: skip


class Elsewhere:
    """A piece of work on a connection of its own, which stops in the middle until it is let go."""

    def __init__(self, work: Any) -> None:
        self.reached, self.go = threading.Event(), threading.Event()
        self.error: OperationalError | None = None
        self._work = work
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Elsewhere":
        self._thread.start()
        assert self.reached.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def pause(self) -> None:
        self.reached.set()
        assert self.go.wait(10)

    def finish(self) -> None:
        self.go.set()
        self._thread.join(10)

    def _run(self) -> None:
        try:
            self._work(self)
        except OperationalError as error:
            self.error = error
        finally:
            self.reached.set()
            connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_is_committed_late_is_sealed_later_and_not_skipped() -> None:
    def slow(pauses: Elsewhere) -> None:
        with transaction.atomic():
            record(**FIELDS)
            pauses.pause()

    with Elsewhere(slow) as late:
        early = write(2)
        assert seal_all() == 2
        late.finish()
        assert seal_all() == 1
    order = list(AuditEntry.objects.order_by("seal").values_list("pk", "seal"))
    assert [pk for pk, _ in order[:2]] == early
    assert order[2][0] < early[0]
    assert [seal for _, seal in order] == [1, 2, 3]
    assert verify_database().intact


@pytest.mark.django_db(transaction=True)
def test_a_second_sealer_leaves_the_work_to_the_first() -> None:
    def hold_the_lock(pauses: Elsewhere) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            pauses.pause()

    write(3)
    with Elsewhere(hold_the_lock) as first:
        assert seal_batch() == 0
        first.finish()
    assert seal_batch() == 3


@pytest.mark.django_db(transaction=True)
def test_many_sealers_at_once_seal_each_entry_once() -> None:
    write(300)
    sealed: list[int] = []

    def work() -> None:
        while AuditEntry.objects.filter(seal=None).exists():
            sealed.append(seal_batch(size=7))
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(sealed) == 300
    assert verify_database().entries == 300
    assert verify_database().intact


@pytest.mark.django_db(transaction=True)
def test_a_sealer_whose_connection_dies_in_the_middle_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    write(5)
    pids: list[int] = []
    stops: list[Elsewhere] = []
    due = sealing._anchor_when_due

    def stop_before_the_commit(cursor: Any, last: int, mac: str) -> None:
        if stops and threading.current_thread() is not threading.main_thread():
            cursor.execute("SELECT pg_backend_pid()")
            pids.append(cursor.fetchone()[0])
            stops[0].pause()
        due(cursor, last, mac)

    def seal(pauses: Elsewhere) -> None:
        stops.append(pauses)
        seal_batch()

    monkeypatch.setattr(sealing, "_anchor_when_due", stop_before_the_commit)
    with Elsewhere(seal) as dying:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", pids)
        dying.finish()
        assert isinstance(dying.error, OperationalError)
    assert not AuditEntry.objects.exclude(seal=None).exists()
    assert seal_batch() == 5
    assert verify_database().intact


@pytest.mark.django_db(transaction=True)
def test_a_sealer_that_dies_before_it_stored_an_anchor_is_followed_by_one_that_does(storage: Path) -> None:
    write(2)
    seal_batch()
    assert not storage.exists()
    seal_all()
    assert [anchor["seal"] for anchor in anchors_of_storage()] == [2]
    assert AuditAnchor.objects.get().stored_at is not None


@pytest.mark.django_db
def test_the_task_goes_on_until_everything_is_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 10)
    monkeypatch.setattr(sealing.seal_batch, "__kwdefaults__", {"size": 10})
    write(35)
    seal_audit_trail()
    assert not AuditEntry.objects.filter(seal=None).exists()


@pytest.mark.django_db
def test_a_new_key_seals_from_then_on_and_the_old_one_still_verifies(settings: Any) -> None:
    settings.AUDIT_KEYS = {"k1": b"the first of these keys"}
    write(2)
    seal_all()
    settings.AUDIT_KEYS = {"k2": b"the second of these keys", "k1": b"the first of these keys"}
    write(2)
    seal_all()
    assert list(AuditEntry.objects.order_by("seal").values_list("key_id", flat=True)) == ["k1", "k1", "k2", "k2"]
    assert verify_database().intact


@pytest.mark.django_db
def test_anchors_come_after_so_many_entries_and_after_so_long(settings: Any) -> None:
    settings.AUDIT_ANCHOR_ROWS, settings.AUDIT_ANCHOR_MINUTES = 3, 10
    for number in (1, 1, 1, 1, 1):
        write(number)
        seal_all()
    assert list(AuditAnchor.objects.order_by("seal").values_list("seal", flat=True)) == [1, 4]
    with as_owner() as cursor:
        cursor.execute("UPDATE accounts_auditanchor SET at = %s", [timezone.now() - timedelta(minutes=11)])
    seal_all()  # nothing new to seal, but an entry that waits for its anchor
    assert list(AuditAnchor.objects.order_by("seal").values_list("seal", flat=True)) == [1, 4, 5]
    assert seal_all() == 0
    assert store_anchors() == 0


@pytest.mark.django_db
def test_sealing_costs_a_constant_number_of_statements(django_assert_max_num_queries: Any) -> None:
    write(200)
    with django_assert_max_num_queries(9):
        assert seal_batch() == 200
