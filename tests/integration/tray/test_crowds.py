"""Many submissions with one token at the same moment."""

from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from accounts.models import TokenUse
from directory.models import Person
from tests.factories.files import picture
from tests.integration.attachments.conftest import kept_files
from tests.integration.tray.conftest import Tray, at_once
from tickets.models import Attachment, Board, Message, Submission, Ticket, TraySubmission

pytestmark = pytest.mark.django_db(transaction=True)


def submit(tray: Tray, token: str, **content: object) -> str:
    return Tray(tray.entra).accepted(token, **content)


def test_twenty_equal_ones_are_one_ticket(tray: Tray, helpdesk: Board, store: Path) -> None:
    token, png = tray.token(), picture()
    ids = at_once([partial(submit, tray, token, image=(f"{number}.png", png)) for number in range(20)])
    assert len(set(ids)) == 1
    rows = (Ticket, Message, Submission, Attachment, TraySubmission, TokenUse, Person)
    assert [row._default_manager.count() for row in rows] == [1] * len(rows)
    assert [path.relative_to(store).as_posix() for path in kept_files(store)] == [Attachment.objects.get().key]


def test_of_twenty_different_ones_one_is_a_ticket_and_the_others_are_told(
    tray: Tray, helpdesk: Board, store: Path
) -> None:
    token, png = tray.token(), picture()
    ids = at_once([partial(submit, tray, token, title=f"{n}", image=("a.png", png)) for n in range(20)])
    assert len(set(ids)) == 20
    told = [tray.status(one, token) for one in ids]
    assert Counter(one["status"] for one in told) == {"success": 1, "error": 19}
    assert {one.get("message") for one in told} == {None, "Token has already been exchanged."}
    assert {one["runtimeStatus"] for one in told} == {"Completed"}
    assert Ticket.objects.count() == Attachment.objects.count() == len(kept_files(store)) == 1


def test_twenty_tokens_of_one_person_are_twenty_tickets_of_one_person(tray: Tray, helpdesk: Board) -> None:
    ids = at_once([partial(submit, tray, tray.token()) for _ in range(20)])
    assert len(set(ids)) == Ticket.objects.count() == 20
    assert Person.objects.count() == 1
