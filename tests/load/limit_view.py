"""The limit of intake: a view that makes the hub's inserts with the ORM in one transaction, and nothing else.

No REST framework, no authentication, no checks. Its settings take this module as the URL configuration.
"""

import json
import uuid
from functools import cache
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path

from accounts.models import IdempotentRequest
from directory.models import Person
from tickets.choices import MessageKind, TimelineKind
from tickets.models import Board, Message, Submission, Ticket, TimelineEntry


@cache
def _board(slug: str) -> Board:
    return Board.objects.select_related("tracker").get(slug=slug)


@cache
def _person(email: str) -> Person:
    return Person.objects.get(email=email)


def accept(request: HttpRequest) -> HttpResponseBase:
    """POST: the five rows of a ticket. GET: that this server listens."""
    if request.method != "POST":
        return HttpResponse(status=204)
    asked: dict[str, Any] = json.loads(request.body)
    board, person = _board(asked["board"]), _person(asked["requester"])
    with transaction.atomic():
        answer = {"title": asked["title"], "board": board.slug, "priority": "normal", "status": "new"}
        IdempotentRequest.objects.create(
            principal="limit", method="POST", path=request.path, key=request.headers["Idempotency-Key"],
            body_hash="0" * 64, status=201, answer=answer,
        )  # fmt: skip
        ticket = Ticket.objects.create(
            organisation_id=person.organisation_id, board=board, title=asked["title"], requester=person
        )
        Message.objects.create(
            ticket=ticket, kind=MessageKind.PUBLIC, author_person=person, html=asked["body"], text=asked["body"]
        )
        TimelineEntry.objects.create(ticket=ticket, kind=TimelineKind.OPENED, data={"source": "api"})
        Submission.objects.create(
            ticket=ticket, tracker=board.tracker, project_key=board.project_key, tag=uuid.uuid4().hex
        )
    content = json.dumps({**answer, "key": ticket.key})
    headers = {"Content-Length": str(len(content))}
    return HttpResponse(content, status=201, content_type="application/json", headers=headers)


urlpatterns = [path("", accept)]
