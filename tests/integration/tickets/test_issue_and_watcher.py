"""A watcher who is added in the very moment in which the issue is recorded reaches the tracker all the same."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.utils import timezone

from supporthub.core.deliveries import rules
from supporthub.core.deliveries.registry import Claim
from supporthub.core.deliveries.states import DeliveryState, Mode
from tests.factories.tickets import BoardFactory, TicketFactory
from tickets.models import IssueChange, Ticket
from tickets.ports import Created, IssueRef
from tickets.services import submissions
from tickets.services.conversation import add_watcher

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 10.0


def record_issue(ticket: Ticket) -> None:
    claim = Claim(row=ticket.submission, fence=1, mode=Mode.ACT, attempt_id=0)
    ref = IssueRef(issue_id="10001", key="HELP-1", number=1, url="http://127.0.0.1:1/browse/HELP-1")
    change = rules.Change(DeliveryState.DONE, timezone.now(), None, "", "")
    submissions.settled(claim, rules.Done(Created(ref)), change)


def watch(ticket: Ticket) -> None:
    add_watcher(ticket_id=ticket.pk, email="ben@contoso.example", actor=None)


@pytest.mark.parametrize(("slow", "quick"), [(record_issue, watch), (watch, record_issue)])
def test_whoever_comes_last_sees_the_other(slow: Callable[[Ticket], None], quick: Callable[[Ticket], None]) -> None:
    ticket = TicketFactory.create(board=BoardFactory.create(goes_out=True))
    written, other_waits = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            slow(ticket)
            written.set()
            other_waits.wait(PATIENCE)
        connection.close()

    def second() -> None:
        written.wait(PATIENCE)
        with transaction.atomic():
            threading.Timer(0.3, other_waits.set).start()  # by then it waits for the ticket's lock, or has missed it
            quick(ticket)
        connection.close()

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * PATIENCE)
    assert IssueChange.objects.filter(ticket=ticket).count() == 1
