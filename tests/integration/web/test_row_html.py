"""A row shows its ticket as it is, however often it was shown before."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.permissions import principal_of
from tests.factories.accounts import technician
from tests.factories.tickets import BoardFactory, IssueLinkFactory, TicketFactory
from tickets.choices import Priority, TicketStatus
from tickets.models import Ticket
from tickets.rules import QueueFilter
from tickets.selectors import queue_tickets
from tickets.views.row_html import row_html

pytestmark = pytest.mark.django_db


def row_of(ticket: Ticket, *, may_work: bool = True) -> str:
    (read,) = queue_tickets(principal_of(technician()), QueueFilter(view="all")).filter(pk=ticket.pk)
    with CaptureQueriesContext(connection) as seen:
        row = row_html(read, "1", may_work=may_work)
    assert not seen.captured_queries
    return row


def test_everything_that_changes_is_shown_at_once() -> None:
    """No version is raised for any of these: the row is kept by what it shows, not by what it is of."""
    ticket = TicketFactory.create(board=BoardFactory.create(goes_out=True), title="Printer", priority=Priority.LOW)
    before = row_of(ticket)
    ticket.requester.name = "Ann Baker"
    ticket.requester.save()
    ticket.organisation.name = "Contoso Ltd"
    ticket.organisation.save()
    Ticket.objects.filter(pk=ticket.pk).update(title="Scanner", priority=Priority.URGENT, status=TicketStatus.CLOSED)
    IssueLinkFactory.create(ticket=ticket, key="HELP-77")
    after = row_of(ticket)
    for words in ("Ann Baker", "Contoso Ltd", "Scanner", "is-urgent", "is-done", "HELP-77"):
        assert words in after
        assert words not in before


def test_languages_and_rights_do_not_mix() -> None:
    ticket = TicketFactory.create(status=TicketStatus.IN_PROGRESS)
    english = row_of(ticket)
    with translation.override("de"):
        german = row_of(ticket)
    assert "in progress" in english
    assert "in progress" not in german
    assert "checkbox" in english
    assert "checkbox" not in row_of(ticket, may_work=False)
    assert row_of(ticket) == english


def test_what_people_wrote_is_escaped() -> None:
    ticket = TicketFactory.create(title="<b>x</b>", labels=["<i>y</i>"])
    row = row_of(ticket)
    assert "<b>" not in row
    assert "<i>" not in row
    assert "&lt;b&gt;x&lt;/b&gt;" in row
