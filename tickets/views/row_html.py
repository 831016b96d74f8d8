"""A row of the queue as HTML: made once for what it shows.

A page has up to two hundred rows, and most of them are as they were a minute ago. All that a row shows stands in
`Shown`, and the template sees nothing else; so equal ones have equal HTML, whoever asks.
"""

from functools import lru_cache
from typing import NamedTuple

from django.template.loader import get_template
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from supporthub.core.deliveries.states import DeliveryState
from supporthub.core.templatetags.hub import when
from tickets.choices import Priority, TicketStatus
from tickets.models import Ticket

MOST_LABELS = 2
_ROWS_KEPT = 4096  # about 2 kB each


class Shown(NamedTuple):
    """What a row shows. Names of people are "" for nobody; `organisation` is "" for the unknown one."""

    language: str
    may_work: bool
    pk: int
    key: str
    version: int
    position: str
    title: str
    labels: tuple[str, ...]
    priority: str
    status: str
    is_open: bool
    organisation: str
    requester: str
    issue_key: str
    issue_url: str
    submission: str  # "" for a ticket that stays in the hub
    assignee: str
    created: str  # HTML: as long ago as it is now


def row_html(ticket: Ticket, position: str, *, may_work: bool) -> SafeString:
    """Return the row of a ticket that was read with what a list shows; makes no query."""
    issue, submission = getattr(ticket, "issue", None), getattr(ticket, "submission", None)
    requester, assignee = ticket.requester, ticket.assignee
    return _row(
        Shown(
            language=get_language() or "",
            may_work=may_work,
            pk=ticket.pk,
            key=ticket.key,
            version=ticket.version,
            position=position,
            title=ticket.title,
            labels=tuple(ticket.labels[:MOST_LABELS]),
            priority=ticket.priority,
            status=ticket.status,
            is_open=ticket.is_open,
            organisation="" if ticket.organisation.is_unknown else ticket.organisation.name,
            requester=(requester.name or requester.email) if requester else "",
            issue_key=issue.key if issue else "",
            issue_url=issue.url if issue else "",
            submission=submission.state if submission and (issue or submission.tracker_id) else "",
            assignee=(assignee.name or assignee.email) if assignee else "",
            created=when(ticket.created_at, "list"),
        )
    )


@lru_cache(maxsize=_ROWS_KEPT)
def _row(shown: Shown) -> SafeString:
    labels = {
        "priority": Priority(shown.priority).label,
        "status": TicketStatus(shown.status).label,
        "submission": DeliveryState(shown.submission).label if shown.submission else "",
        "url": reverse("ticket", args=[shown.key]),
    }
    return SafeString(get_template("tickets/_row.html").render({"row": shown, "label": labels}))
