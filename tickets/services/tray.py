"""Submissions of tray clients: accepting one, and saying what became of it.

docs/adr/0010-tray-calls.md has the flow, and what a kill after each step leaves behind.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.audit_actions import register_actions
from accounts.callers import TrayCaller
from accounts.choices import ActorKind
from accounts.models import TokenUse
from accounts.models.entra import REFUSED
from accounts.permissions import principal_of_requester
from accounts.services import audit
from accounts.services.token_uses import Outcome, Use, find_use, submission_hash, use_token
from directory.models import Person
from directory.services.identities import identify_person
from supporthub.core.errors import NotThere
from supporthub.integrations.entra.errors import TokenRefused
from tickets.choices import Source
from tickets.models import Ticket, TraySubmission
from tickets.models.tickets import TITLE_LENGTH
from tickets.services.attachments import StoredFile, attach, discard, dropped_when_refused
from tickets.services.intake import NewTicket, open_ticket

logger = structlog.get_logger(__name__)

register_actions(
    {
        "tray.submitted": _("ticket submitted by a tray client"),
        "tray.exchanged": _("submission refused: the token was used before"),
        "tray.refused": _("submission refused: nobody was proven to send it"),
    }
)


@dataclass(frozen=True, slots=True)
class Status:
    """What became of a submission. Without a ticket it stands for a refusal: its token had been used before.

    `state` is that of the ticket's way into its tracker, `tries` how often that was begun.
    """

    instance_id: uuid.UUID
    created_at: datetime
    updated_at: datetime
    ticket_key: str = ""
    state: str = ""
    tries: int = 0


def submit(*, caller: TrayCaller, title: str, description: str, picture: StoredFile | None = None) -> Use:
    """Exchange the caller's token for a ticket. What `Use` says is final when this returns.

    The same content with the same token is the same submission; other content with a used token is a refusal that has
    an id of its own. The picture lies in the store already; it is deleted when no ticket takes it.

    Raises InvalidInput or NotAllowed when no ticket can be opened (the token is not used up), OperationalError when
    another submission of the same person holds the guard for more than ten seconds.
    """
    stored = [picture] if picture else []
    content = submission_hash(title=title, description=description, picture=picture.sha256 if picture else "")
    with dropped_when_refused(stored), transaction.atomic():
        use = use_token(caller=caller, content_hash=content)
        if use.outcome is Outcome.FIRST:
            _open(use, caller, title, description, picture)
        elif use.outcome is Outcome.EXCHANGED:
            _note_exchanged(use, caller)
    if use.outcome is not Outcome.FIRST:
        discard(stored)
    logger.info("tray.submission", instance=str(use.instance_id), outcome=use.outcome.value)
    return use


def _open(use: Use, caller: TrayCaller, title: str, description: str, picture: StoredFile | None) -> None:
    person = identify_person(
        tenant_id=caller.tenant_id, object_id=caller.object_id, upn=caller.upn, name=caller.name,
        organisation=caller.organisation,
    )  # fmt: skip
    home = caller.organisation or person.organisation
    ticket = open_ticket(
        new=NewTicket(title=title, body=_body(title, description), source=Source.TRAY),
        actor=None, principal=principal_of_requester(home), requester=person, organisation=home,
    )  # fmt: skip
    if picture is not None:
        attach(ticket=ticket, message=ticket.messages.get(), stored=picture, actor=person)
    TraySubmission.objects.create(
        instance_id=use.instance_id, ticket=ticket, person=person, scope_key=caller.scope_key
    )  # fmt: skip
    _note_submitted(use, person, ticket)


def _body(title: str, description: str) -> str:
    """The description; a title that is longer than a ticket's may be stands before it in full."""
    return description if len(" ".join(title.split())) <= TITLE_LENGTH else f"{title}\n\n{description}"


def status_of(*, caller: TrayCaller, instance_id: uuid.UUID) -> Status:
    """Return what became of a submission, to whoever made it: any valid token of that person, or the very token.

    A token that has ended opens nothing but what it submitted itself. Raises NotThere for an unknown id (a refusal is
    known for a day after its token's end), TokenRefused for somebody else's.
    """
    found = TraySubmission.objects.select_related("ticket__submission", "person").filter(instance_id=instance_id)
    submission = found.first()
    if submission is not None:
        _demand_submitter(caller, submission.scope_key, submission.person)
        return _status(submission)
    use = find_use(instance_id)
    if use is not None and use.ordinal == REFUSED:
        _demand_submitter(caller, use.scope_key, use)
        return Status(use.instance_id, use.created_at, use.created_at)
    if caller.has_expired:
        raise _ended()
    raise NotThere(gettext("There is no submission with this instance_id."))


def _status(submission: TraySubmission) -> Status:
    delivery = submission.ticket.submission
    return Status(
        instance_id=submission.instance_id, created_at=submission.created_at,
        updated_at=max(submission.created_at, delivery.updated_at), ticket_key=submission.ticket.key,
        state=delivery.state, tries=delivery.tries,
    )  # fmt: skip


def _demand_submitter(caller: TrayCaller, scope_key: str, submitter: Person | TokenUse) -> None:
    if caller.scope_key == scope_key:
        return
    if caller.has_expired:
        raise _ended()
    if not _is_same(caller, submitter):
        raise TokenRefused("This token is not of the person who submitted this.", code="not_the_submitter")


def _is_same(caller: TrayCaller, known: Person | TokenUse) -> bool:
    """By the object id where both sides know one, else by today's name in the tenant, as people are identified."""
    if str(known.tenant_id) != caller.tenant_id:
        return False
    if caller.object_id and known.object_id:
        return str(known.object_id) == caller.object_id
    return known.upn == caller.upn


def _ended() -> TokenRefused:
    return TokenRefused("The token has expired.", code="token_expired")


# --- The audit trail --------------------------------------------------------------------------------------------------


def _note_submitted(use: Use, person: Person, ticket: Ticket) -> None:
    audit.record(
        actor=audit.Actor(ActorKind.PERSON, str(person.pk)), action="tray.submitted", target_type="ticket",
        target_id=ticket.pk, organisation_id=ticket.organisation_id, data={"instance": str(use.instance_id)},
    )  # fmt: skip


def _note_exchanged(use: Use, caller: TrayCaller) -> None:
    """The caller is proven; the person's row may not be there, so the trail names them beside its sealed part."""
    audit.record(
        actor=audit.SYSTEM, action="tray.exchanged", target_type="traysubmission", target_id=use.instance_id,
        organisation_id=caller.organisation.pk if caller.organisation else None, personal={"name": caller.upn},
    )  # fmt: skip


@transaction.atomic
def note_refused(*, code: str, address: str) -> None:
    """Record a submission whose sender was not proven. Callers bound how often: anybody can cause one."""
    audit.record(
        actor=audit.SYSTEM, action="tray.refused", target_type="traysubmission", target_id="", organisation_id=None,
        data={"code": code}, personal={"address": address},
    )  # fmt: skip
