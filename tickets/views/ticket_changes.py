"""What a technician does to a ticket from its page. Each view is one service call; a script gets 204 and events."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.choices import Action
from accounts.models import User
from supporthub.core.errors import InvalidInput
from supporthub.core.web import done, page, wants_fragment
from tickets import selectors
from tickets.choices import MessageKind, Priority, TimelineKind
from tickets.models import Ticket
from tickets.services import attachments, common, conversation, submissions, workflow
from tickets.views.acting import signed_in, staged_ids, ticket_to

LONGEST_MESSAGE = 200_000
MOST_LABELS = 20
LONGEST_LABEL = 100
LONGEST_ID = 12


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two people changed one field: both values, to choose from."""

    field: str
    label: str
    theirs: str
    yours: str
    theirs_shown: str
    yours_shown: str


def changed(request: HttpRequest, ticket: Ticket, words: str = "", **triggers: Any) -> HttpResponse:
    """Answer a change of this ticket; the page then fetches what is new."""
    return done(request, words, reverse("ticket", args=[ticket.key]), hub__changed={"id": ticket.pk}, **triggers)


@require_POST
@page
def message(request: HttpRequest, key: str) -> HttpResponse:
    """Add a reply or an internal note; `then` may name a step to take with it (for example resolve)."""
    ticket, actor = ticket_to(request, key, Action.WORK_TICKET), signed_in(request)
    body, kind = request.POST.get("body", ""), request.POST.get("kind", "")
    staged, files = staged_ids(request), request.FILES.getlist("files")
    if kind not in (MessageKind.PUBLIC, MessageKind.INTERNAL):
        raise InvalidInput(_("Choose whether this is a reply or an internal note."))
    if not (body.strip() or staged or files):
        raise InvalidInput(_("There is no text yet."))
    if len(body) > LONGEST_MESSAGE:
        raise InvalidInput(_("This text is too long. Shorten it, or put it into a file."))
    stored = attachments.store_uploads(files, rule=attachments.message_rule("files"))
    with attachments.dropped_when_refused(stored), transaction.atomic():
        conversation.add_message(ticket_id=ticket.pk, kind=kind, body=body, actor=actor, files=stored, staged=staged)
        if verb := request.POST.get("then", ""):
            workflow.transition_ticket(ticket_id=ticket.pk, verb=verb, actor=actor)
    words = _("Reply sent.") if kind == MessageKind.PUBLIC else _("Note saved.")
    return changed(request, ticket, words, hub__sent={"kind": kind})


@require_POST
@page
def transition(request: HttpRequest, key: str) -> HttpResponse:
    ticket = ticket_to(request, key, Action.WORK_TICKET)
    after = workflow.transition_ticket(ticket_id=ticket.pk, verb=request.POST.get("verb", ""), actor=signed_in(request))
    return changed(
        request, ticket, _("%(key)s is %(status)s.") % {"key": ticket.key, "status": after.get_status_display()}
    )


@require_POST
@page
def assign(request: HttpRequest, key: str) -> HttpResponse:
    """Give the ticket to `assignee` (an id, `me`, or empty for nobody). `was` is whom the page showed before."""
    ticket, actor = ticket_to(request, key, Action.WORK_TICKET), signed_in(request)
    wanted, was = request.POST.get("assignee", ""), request.POST.get("was")
    assignee = actor if wanted == "me" else _colleague(ticket, wanted)
    with transaction.atomic():
        now = common.locked(ticket.pk)
        if was is not None and was != str(now.assignee_id or "") and now.assignee != assignee:
            conflict = Conflict("assignee", _("Assigned to"), str(now.assignee_id or ""), wanted,
                                str(now.assignee or _("nobody")), str(assignee or _("nobody")))  # fmt: skip
            return _ask(request, now, conflict)
        workflow.assign_ticket(ticket_id=ticket.pk, assignee=assignee, actor=actor)
    return changed(
        request, ticket, _("Assigned to %(name)s.") % {"name": assignee} if assignee else _("Assigned to nobody.")
    )


@require_POST
@page
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change one plain field (`field`, `value`). `version` and `was` are what the page showed.

    A change of something else meanwhile is no conflict; one of the same field is shown, with both values.
    """
    ticket, actor = ticket_to(request, key, Action.WORK_TICKET), signed_in(request)
    field, value, was = request.POST.get("field", ""), request.POST.get("value", ""), request.POST.get("was")
    wanted = _change(field, value)
    version = request.POST.get("version", "")
    try:
        workflow.edit_ticket(
            ticket_id=ticket.pk, actor=actor, seen_version=int(version) if version.isdecimal() else None, **wanted
        )
    except workflow.StaleVersion:
        now = Ticket.objects.defer("search").get(pk=ticket.pk)
        theirs = _as_text(now, field)
        if was != theirs and theirs != value.strip():
            shown = dict(Priority.choices) if field == "priority" else {}
            conflict = Conflict(
                field,
                str(_FIELDS[field]()),
                theirs,
                value,
                str(shown.get(theirs, theirs)),
                str(shown.get(value, value)),
            )
            return _ask(request, now, conflict)
        workflow.edit_ticket(ticket_id=ticket.pk, actor=actor, seen_version=now.version, **wanted)
    return changed(request, ticket, _("Saved."))


@require_POST
@page
def watch(request: HttpRequest, key: str) -> HttpResponse:
    """Add (`email`) or remove (`remove`) a watcher."""
    ticket, actor = ticket_to(request, key, Action.WORK_TICKET), signed_in(request)
    if leaving := request.POST.get("remove", ""):
        conversation.remove_watcher(ticket_id=ticket.pk, email=leaving, actor=actor)
        return changed(request, ticket, _("%(email)s does not watch any more.") % {"email": leaving})
    email = request.POST.get("email", "").strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidInput(_("This is no complete e-mail address.")) from error
    conversation.add_watcher(ticket_id=ticket.pk, email=email, actor=actor)
    return changed(request, ticket, _("%(email)s watches now.") % {"email": email})


@require_POST
@page
def retry(request: HttpRequest, key: str) -> HttpResponse:
    """Try the submission now. One that is in doubt is looked for first."""
    ticket = ticket_to(request, key, Action.RETRY_DELIVERY)
    submissions.retry_submission(ticket_id=ticket.pk, actor=signed_in(request))
    return changed(request, ticket, _("Trying again now."))


def _colleague(ticket: Ticket, wanted: str) -> User | None:
    if not wanted:
        return None
    is_id = wanted.isascii() and wanted.isdigit() and len(wanted) <= LONGEST_ID
    found = selectors.assignable_users(ticket).filter(pk=int(wanted)).first() if is_id else None
    if found is None:
        raise InvalidInput(_("This person may not work this ticket."))
    return found


def _change(field: str, value: str) -> dict[str, Any]:
    """Return the service's argument for one field of the form; raises InvalidInput in words."""
    if field == "priority" and value in Priority.values:
        return {"priority": value}
    if field == "title" and value.strip():
        return {"title": value}
    if field == "labels":
        labels = list(dict.fromkeys(part for part in (word.strip() for word in value.split(",")) if part))
        if len(labels) > MOST_LABELS or any(len(label) > LONGEST_LABEL or " " in label for label in labels):
            raise InvalidInput(_("Labels have no spaces and at most 100 characters; separate them by commas."))
        return {"labels": labels}
    if field == "title":
        raise InvalidInput(_("A ticket needs a title."))
    raise InvalidInput(_("This cannot be changed here."))


_FIELDS = {"priority": lambda: _("Priority"), "title": lambda: _("Title"), "labels": lambda: _("Labels")}

_FACTS = {
    "priority": TimelineKind.PRIORITY_CHANGED,
    "title": TimelineKind.TITLE_CHANGED,
    "labels": TimelineKind.LABELS_CHANGED,
    "assignee": TimelineKind.ASSIGNED,
}


def _as_text(ticket: Ticket, field: str) -> str:
    return ", ".join(ticket.labels) if field == "labels" else str(getattr(ticket, field))


def _ask(request: HttpRequest, now: Ticket, conflict: Conflict) -> HttpResponse:
    """409 with both values and the name of who was first; a dialog for a script, a page for a person."""
    latest = now.timeline.filter(kind=_FACTS[conflict.field]).select_related("actor").order_by("-pk").first()
    context = {
        "ticket": now,
        "conflict": conflict,
        "who": str(latest.actor) if latest and latest.actor else _("Somebody"),
    }
    template = "tickets/_conflict.html" if wants_fragment(request) else "tickets/conflict.html"
    return render(request, template, context, status=409)
