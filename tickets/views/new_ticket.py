"""Phone intake: a ticket in ten seconds, and exactly one of it however often the button is pressed."""

import uuid
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.choices import Action
from accounts.models import Organisation
from accounts.permissions import Principal, principal_for
from accounts.services.idempotency import Answer, once
from directory.selectors import find_people, visible_people
from supporthub.core.errors import HubError, NotAllowed
from supporthub.core.web import page
from tickets import selectors
from tickets.choices import Priority, Source
from tickets.models import Category
from tickets.services import attachments
from tickets.services.attachments import StoredFile
from tickets.services.intake import NewTicket, open_ticket
from tickets.views.acting import signed_in, staged_ids, upload_limits

LONGEST_BODY = 200_000


def priority_choices() -> list[tuple[str, str]]:
    """The priorities as they begin a choice, in the active language."""
    return [(value, capfirst(str(label))) for value, label in Priority.choices]


class NewTicketForm(forms.Form):
    """Fields of the page. Choices hold only places where this person may open tickets."""

    requester = forms.EmailField(label=_("Requester"), max_length=254, required=False)
    requester_name = forms.CharField(label=_("Name"), max_length=200, required=False)
    organisation = forms.ChoiceField(label=_("Organisation"), required=False)
    title = forms.CharField(label=_("Title"), max_length=500)
    body = forms.CharField(label=_("What is it about?"), max_length=LONGEST_BODY, required=False)
    board = forms.ChoiceField(label=_("Board"))
    category = forms.ChoiceField(label=_("Category"), required=False)
    priority = forms.ChoiceField(label=_("Priority"), choices=priority_choices)
    source = forms.ChoiceField(
        label=_("How did it come in?"), choices=[(Source.PHONE, _("By phone")), (Source.WEB, _("Written here"))]
    )
    once = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any, *, principal: Principal, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        boards = selectors.visible_boards(principal, Action.OPEN_TICKET).filter(is_active=True)
        scope = principal.scope(Action.OPEN_TICKET)
        organisations = Organisation.objects.filter(is_active=True, is_unknown=False)
        if not (scope.everywhere or scope.boards):
            organisations = organisations.filter(pk__in=scope.organisations)
        self._choose("board", [(board.slug, board.name) for board in boards])
        self._choose("organisation", [("", _("By the address")), *organisations.values_list("slug", "name")])
        categories = Category.objects.filter(is_active=True).select_related("board")
        self.categories = [(item.slug, item.name, item.board.slug if item.board else "") for item in categories]
        self._choose("category", [("", _("None")), *((slug, name) for slug, name, _board in self.categories)])

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (declared above)
        field.choices = choices


@require_http_methods(["GET", "POST"])
@page
def new_ticket(request: HttpRequest) -> HttpResponseBase:
    """The form; on success the ticket's page."""
    principal = principal_for(request)
    if not principal.may_anywhere(Action.OPEN_TICKET):
        raise NotAllowed(gettext("Your roles do not allow this here. A lead can change that in the admin."))
    if request.method == "POST":
        form = NewTicketForm(request.POST, principal=principal)
        if form.is_valid():
            try:
                return redirect(_create_with_files(request, principal, form.cleaned_data).location)
            except HubError as error:
                _explain(form, error)
        return _page(request, form, status=422)
    board = selectors.default_board()
    initial = {
        "priority": Priority.NORMAL,
        "source": Source.PHONE,
        "board": board.slug if board else "",
        "once": uuid.uuid4(),
    }
    initial |= {name: request.GET[name] for name in ("requester", "title", "board") if name in request.GET}
    return _page(request, NewTicketForm(None, principal=principal, initial=initial))


@require_GET
@page
def people(request: HttpRequest) -> HttpResponse:
    """The look-up's list: people whose name or address starts with what was typed."""
    principal = principal_for(request)
    demand_any(principal)
    found = find_people(principal.scope(Action.OPEN_TICKET), request.GET.get("q", "")[:200])
    still_open = selectors.open_tickets_of(found)
    context = {"people": [{"person": person, "open": still_open.get(person.pk, 0)} for person in found]}
    return render(request, "tickets/_people.html", context)


def demand_any(principal: Principal) -> None:
    """Raise NotAllowed for somebody who may open tickets nowhere."""
    if not principal.may_anywhere(Action.OPEN_TICKET):
        raise NotAllowed(gettext("Your roles do not allow this here. A lead can change that in the admin."))


def _create_with_files(request: HttpRequest, principal: Principal, data: dict[str, Any]) -> Answer:
    staged = staged_ids(request)
    stored = attachments.store_uploads(request.FILES.getlist("files"), rule=attachments.message_rule("files"))
    with attachments.dropped_when_refused(stored):
        answer = _create(request, principal, data, stored, staged)
    if answer.replayed:
        attachments.discard(stored)
    return answer


def _create(
    request: HttpRequest, principal: Principal, data: dict[str, Any], stored: Sequence[StoredFile],
    staged: Sequence[UUID],
) -> Answer:  # fmt: skip
    actor = signed_in(request)
    new = NewTicket(
        title=data["title"], body=data["body"], board=data["board"], category=data["category"],
        priority=data["priority"], requester=data["requester"], requester_name=data["requester_name"],
        organisation=data["organisation"], source=data["source"],
    )  # fmt: skip

    def create() -> Answer:
        ticket = open_ticket(new=new, actor=actor, principal=principal)
        attachments.attach_to_new(ticket=ticket, stored=stored, staged=staged, actor=actor)
        return Answer(302, {"key": ticket.key}, reverse("ticket", args=[ticket.key]))

    key = str(data.pop("once"))
    if stored or staged:
        data["files"] = [*(file.sha256 for file in stored), *(str(public_id) for public_id in staged)]
    return once(principal=f"user:{actor.pk}", method="POST", path=request.path, key=key, data=data, create=create)


def _explain(form: NewTicketForm, error: HubError) -> None:
    known = {name: faults for name, faults in error.errors.items() if name in form.fields}
    for name, faults in known.items():
        form.add_error(name, [ValidationError(fault) for fault in faults])
    if not known:
        form.add_error(None, error.detail)


def _page(request: HttpRequest, form: NewTicketForm, status: int = 200) -> HttpResponse:
    address = form["requester"].value() or ""
    known = visible_people(principal_for(request).scope(Action.OPEN_TICKET))
    person = known.filter(email=address.lower()).first() if address else None
    kept = attachments.staged_of(actor=signed_in(request), ids=staged_ids(request)) if request.method == "POST" else []
    context = {"form": form, "person": person, "upload": upload_limits(), "kept": kept}
    return render(request, "tickets/new.html", context, status=status)
