"""A process that dies at any step: the client sends again, and there is one ticket with one picture.

`tests/integration/tray/test_whole_hub.py` kills the real one; here each step is hit exactly.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import AuditEntry, TokenUse
from directory.models import Person
from supporthub.core.deliveries.states import DeliveryState
from tests.factories.files import picture
from tests.integration.attachments.conftest import kept_files
from tests.integration.tray.conftest import Tray, work
from tickets.api.tray import views
from tickets.models import Attachment, Board, Submission, Ticket, TraySubmission
from tickets.services import tray as service
from tickets.services.orphans import sweep_files

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # Who is killed closes no files.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
PNG = picture()
IN_TRANSACTION = ["use_token", "identify_person", "open_ticket", "attach", "_note_submitted"]


class Killed(BaseException):
    """Nothing catches it, as nothing catches kill -9; an open transaction goes with its connection."""


Kill = Callable[[Any, str], None]


@pytest.fixture
def kill_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kill]:
    """Let the process die once, right after a function has done its work."""
    hits = []

    def arm(place: Any, name: str) -> None:
        whole = getattr(place, name)

        def dying(*args: Any, **kwargs: Any) -> Any:
            whole(*args, **kwargs)
            monkeypatch.setattr(place, name, whole)
            hits.append(name)
            raise Killed

        monkeypatch.setattr(place, name, dying)

    yield arm
    assert hits, "the step was not reached"


def dies(tray: Tray, token: str) -> None:
    with pytest.raises(Killed):
        tray.submit(token, image=("screen.png", PNG))


def nothing_but_files() -> None:
    rows = (Ticket, TokenUse, TraySubmission, Attachment, Submission, Person, AuditEntry)
    assert [row._default_manager.count() for row in rows] == [0] * len(rows)


def test_killed_after_the_picture_was_stored_leaves_an_orphan_that_is_swept(
    tray: Tray, jira_board: Board, store: Path, kill_after: Kill
) -> None:
    token = tray.token()
    kill_after(views, "store_upload")
    dies(tray, token)
    nothing_but_files()
    (orphan,) = kept_files(store)
    tray.accepted(token, image=("screen.png", PNG))
    two_hours_ago = time.time() - 7200
    for path in store.rglob("*.*"):
        os.utime(path, (two_hours_ago, two_hours_ago))
    os.utime(orphan, (two_hours_ago, two_hours_ago))
    sweep_files()
    assert [path.relative_to(store).as_posix() for path in kept_files(store)] == [Attachment.objects.get().key]


@pytest.mark.parametrize("step", IN_TRANSACTION)
def test_killed_inside_the_transaction_has_used_up_nothing(
    tray: Tray, jira_board: Board, kill_after: Kill, step: str
) -> None:
    token = tray.token()
    kill_after(service, step)
    dies(tray, token)
    nothing_but_files()
    instance = tray.accepted(token, image=("screen.png", PNG))
    assert tray.status(instance, token)["runtimeStatus"] == "Pending"
    goes_out_once(tray)


def test_killed_after_the_commit_before_the_answer_gets_the_same_answer_again(
    tray: Tray, jira_board: Board, kill_after: Kill
) -> None:
    token = tray.token()
    kill_after(service, "submit")
    dies(tray, token)
    made = TraySubmission.objects.get()
    assert tray.accepted(token, image=("screen.png", PNG)) == made.instance_id.hex
    goes_out_once(tray)


def test_killed_before_the_hurry_leaves_a_row_that_the_sweep_finds(
    tray: Tray, jira_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supporthub.core.events.run_after_commit", lambda event: None)
    token = tray.token()
    instance = tray.accepted(token, image=("screen.png", PNG))
    assert Submission.objects.get().state == DeliveryState.PENDING
    goes_out_once(tray)
    assert tray.status(instance, token)["status"] == "success"


def goes_out_once(tray: Tray) -> None:
    for _ in range(4):
        work()
    (issue,) = tray.entra.control.issues()
    assert [file["size"] for file in issue["attachments"]] == [len(PNG)]
    rows = (Ticket, TokenUse, TraySubmission, Attachment, Submission, Person)
    assert [row._default_manager.count() for row in rows] == [1] * len(rows)
