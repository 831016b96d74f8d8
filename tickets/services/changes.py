"""Changes to issues that exist already: each its own delivery, in order of urgency. Now: watchers."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from accounts.models import User
from supporthub.core import events
from supporthub.core.compiled import Select
from supporthub.core.deliveries import desk, rules
from supporthub.core.deliveries.holds import HoldKey
from supporthub.core.deliveries.registry import Claim, Kind, register
from supporthub.core.deliveries.states import DeliveryState
from tickets.choices import ChangeVerb, TimelineKind
from tickets.clients import tracker_client
from tickets.clients.jira_access import longest_attempt
from tickets.events import IssueChangeRequested
from tickets.models import IssueChange, IssueChangeAttempt, IssueLink, Watcher
from tickets.services.common import record

KIND_NAME = "issue_change"


@Select
def _watchers(ticket: int) -> QuerySet[Watcher, int]:
    return Watcher.objects.filter(ticket=ticket).values_list("person_id", flat=True)


def request_watchers(*, ticket_id: int) -> None:
    """Write one change for each watcher that the issue does not have yet; nothing while there is no issue.

    Called when the issue is made and when a watcher is added: whichever comes last finds both.
    """
    if not _watchers(ticket=ticket_id):
        return
    link = IssueLink.objects.filter(ticket=ticket_id).first()
    if link is None:
        return
    changes = IssueChange.objects.filter(ticket=ticket_id, verb=ChangeVerb.ADD_WATCHER)
    asked = {payload["person"] for payload in changes.values_list("payload", flat=True)}
    for person_id in (
        Watcher.objects.filter(ticket=ticket_id).exclude(person__in=asked).values_list("person", flat=True)
    ):
        change = IssueChange.objects.create(
            ticket_id=ticket_id, tracker_id=link.tracker_id, verb=ChangeVerb.ADD_WATCHER, payload={"person": person_id}
        )
        events.publish(IssueChangeRequested(change.pk))


def act(claim: Claim) -> rules.Outcome:
    """Add the watcher. Adding twice is adding once, so checking and acting are the same call."""
    change: IssueChange = claim.row
    watcher = Watcher.objects.select_related("person").filter(
        ticket=change.ticket_id, person=change.payload["person"]
    ).first()  # fmt: skip
    if watcher is None:
        return rules.Done(code="not_wanted", reason="This person does not watch any more.")
    issue_id = IssueLink.objects.values_list("issue_id", flat=True).get(ticket=change.ticket_id)
    known = tracker_client(change.tracker).add_watcher(issue_id=issue_id, email=watcher.person.email)
    if not known:
        return rules.Done(code="unknown_there", reason="The tracker knows nobody with this address.")
    return rules.Done()


def settled(claim: Claim, _outcome: rules.Outcome, change: rules.Change) -> None:
    """Tell the ticket's readers only of what needs a person."""
    if change.state == DeliveryState.PARKED:
        row: IssueChange = claim.row
        record(row.ticket, TimelineKind.SUBMISSION_PARKED, None, code=change.code, reason=change.reason, verb=row.verb)


def changed(_ids: Iterable[int]) -> None:
    """Nothing of a change is shown while it is under way."""


@transaction.atomic
def retry_change(*, change_id: int, actor: User | None) -> IssueChange:
    """Try a stopped or waiting change now. Raises Conflicted when there is nothing to retry."""
    change: IssueChange = desk.retry(KIND, change_id)
    record(change.ticket, TimelineKind.SUBMISSION_RETRIED, actor, verb=change.verb)
    events.publish(IssueChangeRequested(change.pk))
    return change


@transaction.atomic
def accept_change(*, change_id: int, actor: User | None) -> IssueChange:
    """A person looked: it is as it should be. Raises Conflicted when the change is not parked."""
    change: IssueChange = desk.accept(KIND, change_id)
    record(change.ticket, TimelineKind.SUBMISSION_ACCEPTED, actor, verb=change.verb)
    return change


@transaction.atomic
def cancel_change(*, change_id: int, actor: User | None) -> IssueChange:
    """Give the change up. Raises Conflicted while it runs, is in doubt or has ended."""
    change: IssueChange = desk.cancel(KIND, change_id)
    record(change.ticket, TimelineKind.SUBMISSION_CANCELLED, actor, verb=change.verb)
    return change


def hold_keys(change: IssueChange) -> list[HoldKey]:
    ticket = change.ticket
    return [
        ("kind", KIND_NAME), ("organisation", ticket.organisation.slug), ("board", ticket.board.slug),
        ("target", change.tracker.slug),
    ]  # fmt: skip


KIND = register(
    Kind(
        name=KIND_NAME,
        label=gettext_lazy("Change of an issue"),
        model=IssueChange,
        attempts=IssueChangeAttempt,
        act=act,
        reconcile=act,
        settled=settled,
        changed=changed,
        timeout=longest_attempt(),
        hold_keys=hold_keys,
        target_field="tracker",
        select_related=("ticket__organisation", "ticket__board", "tracker"),
    )
)
