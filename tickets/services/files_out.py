"""Files into the tracker, each exactly once: a delivery that is found again by the marker in the file's name there.

docs/adr/0009-attachments.md says why the name holds the marker, and which files go out.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import BinaryIO, cast

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from accounts.models import User
from supporthub.core import events
from supporthub.core.deliveries import desk, rules
from supporthub.core.deliveries.holds import HoldKey
from supporthub.core.deliveries.registry import Claim, Kind, register
from supporthub.core.deliveries.states import DeliveryState
from supporthub.core.errors import Rejected, TransientError
from supporthub.core.ids import marker as opaque
from tickets.choices import MessageKind, TimelineKind
from tickets.clients import tracker_client
from tickets.clients.jira_access import longest_upload
from tickets.events import FileDeliveryRequested
from tickets.models import Attachment, FileAttempt, FileDelivery, IssueLink, Ticket
from tickets.parsing.names import with_marker
from tickets.ports import FileFound, FileMissing, OutgoingFile
from tickets.services.attachments import file_store
from tickets.services.common import record, show_again

KIND_NAME = "attachment"
_MARKER = slice(4, 14)  # ten letters of a marker: fifty random bits, short enough to stand in a file's name
AFTER_TICKETS = 110  # urgency: issues and watchers first


def request_file(*, ticket_id: int, attachment_id: int) -> None:
    """A file was attached: write its delivery if the ticket's issue exists. Under the ticket's lock."""
    link = IssueLink.objects.filter(ticket=ticket_id).first()
    if link is not None:
        _write(link, [Attachment.objects.get(pk=attachment_id)])


def request_waiting_files(*, ticket_id: int) -> None:
    """The issue is there: write the deliveries of the files that came before it.

    The ticket's lock is taken first: a file that is just being attached either is seen here or sees the issue.
    """
    Ticket.objects.select_for_update(no_key=True).only("pk").get(pk=ticket_id)
    waiting = Attachment.objects.filter(ticket=ticket_id, delivery__isnull=True).exclude(_stays_here()).order_by("pk")
    found = list(waiting)
    if found:
        _write(IssueLink.objects.get(ticket=ticket_id), found)


def _stays_here() -> Q:
    """What came with an internal note: in the tracker everybody who sees the issue would see it."""
    return Q(message__kind=MessageKind.INTERNAL)


def _write(link: IssueLink, attachments: Iterable[Attachment]) -> None:
    for attachment in attachments:
        marker = opaque("attachment", attachment.public_id.hex)[_MARKER]
        delivery = FileDelivery.objects.create(
            attachment=attachment, ticket_id=link.ticket_id, tracker_id=link.tracker_id, marker=marker,
            remote_name=with_marker(attachment.name, marker), urgency=AFTER_TICKETS,
        )  # fmt: skip
        events.publish(FileDeliveryRequested(delivery.pk))


def act(claim: Claim) -> rules.Outcome:
    """Upload the file once."""
    delivery: FileDelivery = claim.row
    issue_id = _issue_of(delivery)
    leased = FileDelivery.objects.filter(
        pk=delivery.pk, fence=claim.fence, state=DeliveryState.RUNNING, lease_until__gt=Now()
    )
    if not leased.exists():
        # A worker that was paused wakes up here: its file may have been proven absent and sent by another since.
        raise TransientError("The worker came too late to send this", code="lease_lost")
    return rules.Done(tracker_client(delivery.tracker).add_file(issue_id=issue_id, file=_outgoing(delivery)))


def reconcile(claim: Claim) -> rules.Outcome:
    """Find out whether an earlier attempt put the file there."""
    delivery: FileDelivery = claim.row
    finding = tracker_client(delivery.tracker).find_file(
        issue_id=_issue_of(delivery), marker=delivery.marker, size=delivery.attachment.size
    )
    match finding:
        case FileFound(ids=ids) if len(ids) > 1:
            twice = f"“{delivery.remote_name}” stands {len(ids)} times on the issue; delete all but one there."
            return rules.Park("file_twice", twice, ids[0])
        case FileFound(is_whole=False, ids=ids):
            cut = f"“{delivery.remote_name}” stands on the issue with another size; look at it there."
            return rules.Park("file_differs", cut, ids[0])
        case FileFound(ids=ids):
            return rules.Done(ids[0])
        case FileMissing(conclusive=True, reason=reason):
            return rules.Absent(reason=reason)
        case FileMissing(reason=reason):
            return rules.Undecided("not_found_yet", reason)


def settled(claim: Claim, outcome: rules.Outcome, change: rules.Change) -> None:
    """Inside the saving transaction: where it is, and who must be told."""
    delivery: FileDelivery = claim.row
    if isinstance(outcome, rules.Done | rules.Park) and outcome.result is not None:
        FileDelivery.objects.filter(pk=delivery.pk).update(remote_id=outcome.result)
    if change.state == DeliveryState.PARKED:
        record(
            delivery.ticket, TimelineKind.FILE_PARKED, None, code=change.code, reason=change.reason,
            attachment=delivery.attachment_id, name=delivery.attachment.name,
        )  # fmt: skip
    if change.state in (DeliveryState.PARKED, DeliveryState.DONE):
        show_again(delivery.ticket_id, "attachment")


def changed(_ids: Iterable[int]) -> None:
    """Nothing of a file's way is shown while it is under way."""


@transaction.atomic
def retry_file(*, delivery_id: int, actor: User | None) -> FileDelivery:
    """Try a stopped or waiting file now. Raises Conflicted when there is nothing to retry."""
    delivery: FileDelivery = desk.retry(KIND, delivery_id)
    _record(delivery, TimelineKind.SUBMISSION_RETRIED, actor)
    events.publish(FileDeliveryRequested(delivery.pk))
    return delivery


@transaction.atomic
def accept_file(*, delivery_id: int, actor: User | None) -> FileDelivery:
    """A person looked: it is as it should be. Raises Conflicted when it is not parked."""
    delivery: FileDelivery = desk.accept(KIND, delivery_id)
    _record(delivery, TimelineKind.SUBMISSION_ACCEPTED, actor)
    return delivery


@transaction.atomic
def cancel_file(*, delivery_id: int, actor: User | None) -> FileDelivery:
    """Leave the file in the hub only. Raises Conflicted while it runs, is in doubt or has ended."""
    delivery: FileDelivery = desk.cancel(KIND, delivery_id)
    _record(delivery, TimelineKind.SUBMISSION_CANCELLED, actor)
    return delivery


def _record(delivery: FileDelivery, kind: TimelineKind, actor: User | None) -> None:
    record(delivery.ticket, kind, actor, verb="attachment")
    show_again(delivery.ticket_id, "attachment")


def _issue_of(delivery: FileDelivery) -> str:
    issue_id = IssueLink.objects.filter(ticket=delivery.ticket_id).values_list("issue_id", flat=True).first()
    if issue_id is None:
        raise Rejected("The ticket has no issue any more that could take the file.", code="no_issue")
    return issue_id


def _outgoing(delivery: FileDelivery) -> OutgoingFile:
    attachment = delivery.attachment

    def opened() -> BinaryIO:
        try:
            return cast(BinaryIO, file_store().open(attachment.key))
        except FileNotFoundError as error:
            lost = "The file is not in the hub's store any more; a backup may have it."
            raise Rejected(lost, code="file_lost") from error
        except OSError as error:
            raise TransientError("The hub's store of files does not answer", code="store_down") from error

    return OutgoingFile(delivery.remote_name, delivery.marker, attachment.media_type, attachment.size, opened)


def hold_keys(delivery: FileDelivery) -> list[HoldKey]:
    ticket = delivery.ticket
    return [
        ("kind", KIND_NAME), ("organisation", ticket.organisation.slug), ("board", ticket.board.slug),
        ("target", delivery.tracker.slug),
    ]  # fmt: skip


KIND = register(
    Kind(
        name=KIND_NAME,
        label=gettext_lazy("File for the tracker"),
        model=FileDelivery,
        attempts=FileAttempt,
        act=act,
        reconcile=reconcile,
        settled=settled,
        changed=changed,
        timeout=longest_upload() + timedelta(seconds=settings.JIRA_READ_TIMEOUT),
        hold_keys=hold_keys,
        target_field="tracker",
        select_related=("ticket__organisation", "ticket__board", "tracker", "attachment"),
    )
)
