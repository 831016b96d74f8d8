"""What needs the hub's models: run as `python -m tests.load.inside COMMAND`, answers one line of JSON.

`session`; `preload COUNT` (tickets that wait for Jira); `sweep` (enqueue them); `fill COUNT` (tickets of many years);
`audit_share ROUNDS`, `audit_fill COUNT`, `audit_seal`, `audit_verify FILE` (see tests.load.audit_inside);
`page ADDRESS` (the queries of a page); `rows [WORDS]` (the SQL of the queue's rows).
"""

# ruff: noqa: E402  (models can be imported only after Django is set up)
import json
import os
import sys
import uuid
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "supporthub.settings.local")
django.setup()

from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation, User
from accounts.permissions import principal_of
from directory.models import Person
from supporthub.core import hurry
from supporthub.core.deliveries.sweep import hurry_due
from supporthub.core.ids import marker
from tests.load.audit_inside import audit_fill, audit_seal, audit_share, audit_verify
from tickets import selectors
from tickets.choices import MessageKind
from tickets.models import Board, Message, Submission, Ticket, Tracker
from tickets.rules import QueueFilter
from tickets.services import submissions
from tickets.views.rows import PAGE_SIZE

PEOPLE = 2000
_BACKEND = "django.contrib.auth.backends.ModelBackend"

# A tenth of all tickets is open, a third of those is unassigned; titles share a few hundred words.
_FILL_PEOPLE = """
INSERT INTO directory_person (email, name, phone, upn, organisation_id, created_at, updated_at)
SELECT 'person' || n || '@load.example', 'Person ' || n, '', '', %(organisation)s, now(), now()
FROM generate_series(1, %(people)s) AS n
"""
_FILL_TICKETS = """
INSERT INTO tickets_ticket (organisation_id, board_id, title, priority, status, source, requester_id, assignee_id,
                            labels, created_at, updated_at)
SELECT %(organisation)s, (%(boards)s::bigint[])[1 + n %% array_length(%(boards)s::bigint[], 1)],
       'Word' || (n %% 701) || ' printer' || (n %% 97) || ' does not answer since update ' || n,
       (ARRAY['low', 'normal', 'normal', 'high', 'urgent'])[1 + n %% 5],
       CASE WHEN n %% 10 = 0 THEN 'new' ELSE 'closed' END,
       'api', (%(people)s::bigint[])[1 + n %% array_length(%(people)s::bigint[], 1)],
       CASE WHEN n %% 30 = 0 THEN NULL ELSE %(assignee)s END,
       '{}', now() - make_interval(mins => %(count)s - n), now() - make_interval(mins => %(count)s - n)
FROM generate_series(1, %(count)s) AS n
RETURNING id
"""
_FILL_PARTS = """
WITH made AS ({tickets}),
said AS (
    INSERT INTO tickets_message (ticket_id, kind, author_person_id, html, text, created_at)
    SELECT id, 'public', NULL, '<p>It does not work.</p>', 'It does not work.', now() FROM made
),
linked AS (
    INSERT INTO tickets_issuelink (ticket_id, tracker_id, issue_id, key, project_key, number, url, created_at,
                                   updated_at)
    SELECT id, %(tracker)s, 'load-' || id, 'LOAD-' || id, 'LOAD', id, 'https://load.example/' || id, now(), now()
    FROM made
)
INSERT INTO tickets_submission (ticket_id, tracker_id, project_key, tag, watermark, state, mode, not_before, fence,
                                tries, held_from, urgency, reason_code, reason, payload_version, done_at, created_at,
                                updated_at)
SELECT id, %(tracker)s, 'LOAD', 'load-' || id, 0, 'done', 'act', now(), 1, 1, '', 100, '', '', 1, now(), now(), now()
FROM made
"""


def _admin() -> User:
    return User.objects.get(email=os.environ["SUPPORTHUB_ADMIN_EMAIL"])


def _signed_in() -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(_admin(), backend=_BACKEND)
    return client


def session() -> dict[str, str]:
    """A session of the admin, as the cookie header that a browser sends."""
    name = settings.SESSION_COOKIE_NAME
    return {"cookie": f"{name}={_signed_in().cookies[name].value}"}


def preload(count: str) -> dict[str, list[int]]:
    """Tickets whose submission is due; one message each, no watchers."""
    board = Board.objects.select_related("tracker").get(slug="helpdesk")
    person = Person.objects.get(email="ann.baker@contoso.example")
    with transaction.atomic():
        tickets = Ticket.objects.bulk_create(
            Ticket(board=board, organisation_id=person.organisation_id, requester=person, title=f"The printer {n} hums")
            for n in range(int(count))
        )
        body = "It began this morning, after the update. Colleagues on the same floor have it too."
        Message.objects.bulk_create(
            Message(ticket=ticket, kind=MessageKind.PUBLIC, author_person=person, html=f"<p>{body}</p>", text=body)
            for ticket in tickets
        )
        made = Submission.objects.bulk_create(
            Submission(
                ticket=ticket, tracker=board.tracker, project_key=board.project_key,
                tag=marker("ticket", uuid.uuid4().hex),
            )
            for ticket in tickets
        )  # fmt: skip
    return {"ids": [submission.pk for submission in made]}


def fill(count: str) -> dict[str, int]:
    """Tickets of years gone by, with all their parts; then what autovacuum would do in its own time."""
    organisation = Organisation.objects.get(slug="contoso").pk
    values: dict[str, Any] = {
        "count": int(count), "organisation": organisation, "assignee": _admin().pk,
        "boards": list(Board.objects.values_list("pk", flat=True)), "tracker": Tracker.objects.get(slug="jira").pk,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_FILL_PEOPLE, {"organisation": organisation, "people": PEOPLE})
        values["people"] = list(Person.objects.values_list("pk", flat=True))
        cursor.execute(_FILL_PARTS.format(tickets=_FILL_TICKETS), values)
        cursor.execute("VACUUM ANALYZE")
    return {"tickets": Ticket.objects.count()}


def page(address: str) -> dict[str, Any]:
    """How many queries a page makes once everything is warm, and the slowest of them."""
    client = _signed_in()
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(address)
    return {
        "status": answer.status_code,
        "queries": len(seen),
        "sql": [(query["sql"], float(query["time"]) * 1000) for query in seen],
    }


def rows(words: str = "") -> dict[str, str]:
    """The one statement that reads a page of the queue's rows, with its values in it."""
    wanted = QueueFilter(q=words, view="all") if words else QueueFilter()
    page_of = selectors.queue_tickets(principal_of(_admin()), wanted)[: PAGE_SIZE + 1]
    with CaptureQueriesContext(connection) as seen:
        list(page_of)
    return {"sql": seen[-1]["sql"]}


def sweep() -> dict[str, int]:
    """Enqueue what is due, as beat's task does every ten seconds."""
    return {"hurried": hurry_due(submissions.KIND), "sent": int(hurry.flush())}


COMMANDS: dict[str, Callable[..., Any]] = {
    "session": session, "preload": preload, "fill": fill, "page": page, "rows": rows,
    "sweep": sweep, "audit_fill": audit_fill, "audit_seal": audit_seal, "audit_share": audit_share,
    "audit_verify": audit_verify,
}  # fmt: skip

if __name__ == "__main__":
    sys.stdout.write(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])) + "\n")
