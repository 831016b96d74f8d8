"""Replies, internal notes, watchers."""

import uuid
from collections.abc import Sequence

from django.db import transaction

from accounts.models import User
from directory.services.people import ensure_person
from supporthub.core import events, html
from tickets.choices import MessageKind, TimelineKind
from tickets.events import MessageAdded, WatcherAdded
from tickets.models import Message, Ticket, Watcher
from tickets.services.attachments import StoredFile, attach, attach_staged
from tickets.services.common import locked, record, touch
from tickets.services.intake import body_as_html


@transaction.atomic
def add_message(
    *, ticket_id: int, kind: str, body: str, actor: User, body_format: str = "plain",
    files: Sequence[StoredFile] = (), staged: Sequence[uuid.UUID] = (),
) -> Message:  # fmt: skip
    """Add a reply (`public`) or a note (`internal`) to the conversation, with stored files and what `actor` staged."""
    ticket = locked(ticket_id)
    content = body_as_html(body, body_format)
    message = Message.objects.create(
        ticket=ticket, kind=kind, author_user=actor, html=content, text=html.to_text(content)
    )
    for file in files:
        attach(ticket=ticket, message=message, stored=file, actor=actor)
    if staged:
        attach_staged(ticket=ticket, message=message, ids=staged, actor=actor)
    fact = TimelineKind.REPLIED if kind == MessageKind.PUBLIC else TimelineKind.NOTED
    record(ticket, fact, actor, proofs={"text": message.text}, message=message.pk)
    touch(ticket, fact, actor)
    events.publish(MessageAdded(ticket.pk, message.pk, kind))
    return message


@transaction.atomic
def add_watcher(*, ticket_id: int, email: str, actor: User | None) -> Watcher:
    """Add somebody who wants to know; nothing changes when they watch already."""
    ticket = locked(ticket_id)
    person = ensure_person(email=email)
    watcher, made = Watcher.objects.get_or_create(ticket=ticket, person=person)
    if made:
        record(ticket, TimelineKind.WATCHER_ADDED, actor, person=person.pk)
        touch(ticket, TimelineKind.WATCHER_ADDED, actor)
        events.publish(WatcherAdded(ticket.pk, person.pk))
    return watcher


@transaction.atomic
def remove_watcher(*, ticket_id: int, email: str, actor: User | None) -> None:
    """Remove a watcher; nothing changes when they do not watch."""
    ticket: Ticket = locked(ticket_id)
    gone, _ = Watcher.objects.filter(ticket=ticket, person__email=email.strip().lower()).delete()
    if gone:
        record(ticket, TimelineKind.WATCHER_REMOVED, actor)
        touch(ticket, TimelineKind.WATCHER_REMOVED, actor)
