"""Files that no row names: left by a kill, by a refusal that could not clean up, or by somebody who never sent."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from supporthub.core.errors import InvalidInput
from supporthub.settings.files import MB
from tests.factories.accounts import technician
from tests.factories.files import picture, stored
from tests.integration.attachments.conftest import kept_files
from tickets.models import Attachment, Ticket
from tickets.services import orphans
from tickets.services.attachments import add_files, attach, dropped_when_refused, stage, unstage
from tickets.services.orphans import sweep_files

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]
LATER = timedelta(hours=2)


def age(store: Path, by: timedelta = LATER) -> None:
    """Make every file older."""
    then = time.time() - by.total_seconds()
    for path in store.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


# Stores a file with the hub's own code, begins the transaction that names it, and waits in it.
_STORE_AND_STOP = """
import django; django.setup()
from dataclasses import replace
from pathlib import Path
from django.conf import settings
from django.db import transaction
store = Path({store!r})
place = {{"BACKEND": "supporthub.core.storage.SyncedFolder", "OPTIONS": {{"location": str(store)}}}}
settings.STORAGES = {{**settings.STORAGES, "attachments": place}}
settings.DATABASES["default"]["NAME"] = {database!r}
from django.db import connections
connections["default"].settings_dict["NAME"] = {database!r}
from tests.factories.files import stored
from tickets.models import Ticket
from tickets.services.attachments import attach
file = stored()
with transaction.atomic():
    attach(ticket=Ticket.objects.get(), message=None, stored=file, actor=None)
    print("stored", flush=True)
    import time; time.sleep(60)
"""


def test_a_kill_between_storing_and_committing_leaves_an_orphan_that_is_swept(store: Path, ticket: Ticket) -> None:
    code = _STORE_AND_STOP.format(store=str(store), database=connection.settings_dict["NAME"])
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == "stored\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.stdout.close() if process.stdout else None
    assert len(kept_files(store)) == 1, "the file is there"
    assert not Attachment.objects.exists(), "and its row is not"
    assert sweep_files() == 0, "it may still be on its way into a row"
    age(store)
    assert sweep_files() == 1
    assert kept_files(store) == []


def attach_and_fail(ticket: Ticket, failure: Exception) -> None:
    file = stored()
    with dropped_when_refused([file]), transaction.atomic():
        attach(ticket=ticket, message=None, stored=file, actor=None)
        raise failure


def test_a_rolled_back_transaction_leaves_an_orphan_and_a_refusal_leaves_nothing(store: Path, ticket: Ticket) -> None:
    lost, no = DatabaseError("whether it was committed is not known"), InvalidInput("No.")
    for failure, kept in ((lost, 1), (no, 1)):
        with pytest.raises(type(failure)):
            attach_and_fail(ticket, failure)
        assert len(kept_files(store)) == kept
    age(store)
    assert sweep_files() == 1


def test_what_a_row_names_is_never_swept(store: Path, ticket: Ticket) -> None:
    add_files(ticket_id=ticket.pk, stored=[stored(), stored(picture(), "a.png")], actor=technician())
    age(store, timedelta(days=400))
    before = sorted(path for path in store.rglob("*") if path.is_file())
    assert sweep_files(everything=True) == 0
    assert sorted(path for path in store.rglob("*") if path.is_file()) == before
    assert len(before) == 3, "two files and a small copy"


def test_a_file_whose_row_is_committed_while_the_sweep_looks_stays(store: Path, ticket: Ticket) -> None:
    file = stored()
    age(store)
    is_old = orphans._is_old

    def committed_meanwhile(key: str, there: set[str]) -> bool:
        add_files(ticket_id=ticket.pk, stored=[file], actor=technician())
        return is_old(key, there)

    with patch.object(orphans, "_is_old", committed_meanwhile):
        assert sweep_files() == 0
    assert len(kept_files(store)) == 1


def test_files_of_a_deleted_ticket_go_with_the_long_sweep(store: Path, ticket: Ticket) -> None:
    add_files(ticket_id=ticket.pk, stored=[stored(picture(), "a.png")], actor=technician())
    (old,) = kept_files(store)
    place = store / "attachments/2020/01/31"
    place.mkdir(parents=True)
    key = f"attachments/2020/01/31/{old.name}"
    for path in old.parent.glob(f"{old.name}*"):
        path.rename(place / path.name)
    Attachment.objects.update(key=key)
    ticket.delete()
    age(store)
    assert sweep_files() == 0, "the short sweep looks at the latest days only"
    assert sweep_files(everything=True) == 1
    assert [path for path in store.rglob("*") if path.is_file()] == []


class TestStaged:
    def test_what_nobody_sent_is_forgotten_after_a_day(self, store: Path) -> None:
        row = stage(stored=stored(picture(), "a.png"), actor=technician())
        assert sweep_files() == 0
        Attachment.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(hours=25))
        assert sweep_files() == 1
        assert not Attachment.objects.exists()
        assert [path for path in store.rglob("*") if path.is_file()] == []

    def test_only_who_staged_it_removes_it(self, store: Path) -> None:
        ben = technician()
        row = stage(stored=stored(), actor=ben)
        unstage(public_id=row.public_id, actor=technician())
        assert len(kept_files(store)) == 1
        unstage(public_id=row.public_id, actor=ben)
        assert kept_files(store) == []


def test_half_received_uploads_of_a_killed_process_go_too(store: Path) -> None:
    spool = store.parent / "spool"
    spool.mkdir()
    for name, hours in (("upload-old", 30), ("upload-new", 1), ("something-else", 30)):
        (spool / name).write_bytes(b"x" * MB)
        then = time.time() - hours * 3600
        os.utime(spool / name, (then, then))
    sweep_files()
    assert sorted(path.name for path in spool.iterdir()) == ["something-else", "upload-new"]
