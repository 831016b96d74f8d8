"""Files on their way into the played Jira: each exactly once, whatever happens to the answers."""

from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone
from pytest_django import Settings

from supporthub.core.deliveries import engine
from supporthub.core.deliveries.registry import Claim
from supporthub.core.deliveries.states import DeliveryState, Mode
from supporthub.core.errors import IntegrationError, OutcomeUnknown
from tests.factories.accounts import technician
from tests.factories.files import PDF, picture, stored
from tests.factories.tickets import TicketFactory
from tests.sandbox.client import SandboxProcess, rule
from tickets.choices import MessageKind, TimelineKind
from tickets.clients import tracker_client
from tickets.clients.jira_cache import memory
from tickets.models import Attachment, Board, FileDelivery, IssueLink, Submission, Ticket
from tickets.services import files_out, submissions
from tickets.services.attachments import add_files, attach, file_store
from tickets.services.conversation import add_message
from tickets.services.files_out import KIND

pytestmark = pytest.mark.django_db(transaction=True)
UPLOAD: dict[str, Any] = {"method": "POST", "path": "/attachments$"}
LONG_AGO = timedelta(hours=2)


@pytest.fixture(autouse=True)
def _store_of_its_own(tmp_path: Path, settings: Settings) -> None:
    place = {"BACKEND": "supporthub.core.storage.SyncedFolder", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "attachments": place}


@pytest.fixture(autouse=True)
def _jira_is_asked_anew(jira: SandboxProcess) -> None:
    memory.forget(("attachment-meta", jira.jira_url))


@pytest.fixture
def ticket(jira: SandboxProcess, board: Board) -> Ticket:
    """A ticket that stands in Jira."""
    ticket: Ticket = TicketFactory.create(board=board)
    submit(ticket)
    return ticket


def submit(ticket: Ticket) -> None:
    engine.deliver(submissions.KIND, Submission.objects.get(ticket=ticket).pk)


def add(ticket: Ticket, name: str = "bad-day.log", content: bytes = b"All day long.\n") -> FileDelivery:
    (attachment,) = add_files(ticket_id=ticket.pk, stored=[stored(content, name)], actor=technician())
    return FileDelivery.objects.get(attachment=attachment)


def step(delivery: FileDelivery, *, beyond_window: bool = False) -> FileDelivery:
    """Do one step now; with `beyond_window` the doubt is made an hour old first."""
    if beyond_window:
        FileDelivery.objects.filter(unknown_since__isnull=False).update(unknown_since=timezone.now() - LONG_AGO)
    FileDelivery.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    claim = engine.claim_row(KIND, delivery.pk)
    if isinstance(claim, Claim):
        engine.settle(KIND, claim, engine.perform(KIND, claim))
    delivery.refresh_from_db()
    return delivery


def in_jira(jira: SandboxProcess) -> list[tuple[str, int]]:
    return [(file["filename"], file["size"]) for issue in jira.control.issues() for file in issue["attachments"]]


def test_a_file_stands_on_the_issue_byte_by_byte_under_a_name_that_is_found_again(
    jira: SandboxProcess, ticket: Ticket
) -> None:
    png = picture(size=(300, 200))
    delivery = step(add(ticket, "Fehler – größer.png", png))
    assert delivery.state == DeliveryState.DONE
    assert in_jira(jira) == [(delivery.remote_name, len(png))]
    assert delivery.remote_name == f"Fehler – größer-{delivery.marker}.png"
    client = tracker_client(delivery.tracker)
    found = client.find_file(issue_id=IssueLink.objects.get().issue_id, marker=delivery.marker, size=len(png))
    assert found.ids == (delivery.remote_id,)  # type: ignore[union-attr]  # found


def test_files_of_a_new_ticket_follow_once_its_issue_is_there(jira: SandboxProcess, board: Board) -> None:
    ticket = TicketFactory.create(board=board)
    with transaction.atomic():
        for name in ("one.log", "two.log"):
            attach(ticket=ticket, message=ticket.messages.get(), stored=stored(name=name), actor=technician())
    assert not FileDelivery.objects.exists()
    submit(ticket)
    for delivery in FileDelivery.objects.all():
        assert step(delivery).state == DeliveryState.DONE
    assert len(in_jira(jira)) == 2


def test_a_file_of_an_internal_note_stays_in_the_hub(jira: SandboxProcess, ticket: Ticket) -> None:
    for kind in (MessageKind.INTERNAL, MessageKind.PUBLIC):
        files = [stored(name=f"{kind}.log")]
        add_message(ticket_id=ticket.pk, kind=kind, body="See file.", actor=technician(), files=files)
    assert [delivery.attachment.name for delivery in FileDelivery.objects.all()] == ["public.log"]
    other = TicketFactory.create(board=ticket.board)
    add_message(ticket_id=other.pk, kind=MessageKind.INTERNAL, body="See file.", actor=technician(), files=[stored()])
    submit(other)
    assert not FileDelivery.objects.filter(ticket=other).exists()


@pytest.mark.parametrize("fault", [rule("drop_after", count=1, **UPLOAD), rule("broken_json", count=1, **UPLOAD),
                                   rule("status_after_effect", count=1, status=502, **UPLOAD)])  # fmt: skip
def test_an_answer_that_is_lost_after_the_effect_leaves_one_file(
    jira: SandboxProcess, ticket: Ticket, fault: Any
) -> None:
    jira.control.faults(fault)
    delivery = step(add(ticket))
    assert delivery.state == DeliveryState.UNKNOWN
    assert step(delivery).state == DeliveryState.DONE
    assert in_jira(jira) == [(delivery.remote_name, delivery.attachment.size)]
    assert delivery.remote_id


def test_simply_trying_again_would_put_the_file_there_twice(jira: SandboxProcess, ticket: Ticket) -> None:
    """What the delivery is careful about: the same loss, answered by a repetition. This is the defect, shown."""
    jira.control.faults(rule("drop_after", count=1, **UPLOAD))
    delivery = add(ticket)
    client, issue_id = tracker_client(delivery.tracker), IssueLink.objects.get().issue_id
    for _ in range(2):
        try:
            client.add_file(issue_id=issue_id, file=files_out._outgoing(delivery))
            break
        except (OutcomeUnknown, IntegrationError):
            continue
    assert len(in_jira(jira)) == 2


def test_a_request_that_never_arrived_is_sent_again_only_after_the_window(jira: SandboxProcess, ticket: Ticket) -> None:
    jira.control.faults(rule("drop_before", count=1, **UPLOAD))
    delivery = step(add(ticket))
    assert delivery.state == DeliveryState.UNKNOWN
    assert step(delivery).state == DeliveryState.UNKNOWN
    assert in_jira(jira) == []
    assert step(delivery, beyond_window=True).state == DeliveryState.PENDING
    assert step(delivery).state == DeliveryState.DONE
    assert len(in_jira(jira)) == 1


def test_a_worker_that_wakes_after_its_file_was_sent_by_another_sends_nothing(
    jira: SandboxProcess, ticket: Ticket
) -> None:
    delivery = add(ticket)
    sleeper = engine.claim_row(KIND, delivery.pk)
    assert isinstance(sleeper, Claim)
    FileDelivery.objects.update(state=DeliveryState.UNKNOWN, lease_until=None, unknown_since=timezone.now() - LONG_AGO)
    assert step(delivery).state == DeliveryState.PENDING
    assert step(delivery).state == DeliveryState.DONE
    assert not engine.settle(KIND, sleeper, engine.perform(KIND, sleeper))
    assert len(in_jira(jira)) == 1


def test_the_same_file_added_twice_is_two_files(jira: SandboxProcess, ticket: Ticket) -> None:
    for _ in range(2):
        step(add(ticket))
    names = [name for name, _size in in_jira(jira)]
    assert len(set(names)) == 2


def test_a_file_that_stands_there_twice_is_parked_and_accepted(jira: SandboxProcess, ticket: Ticket) -> None:
    delivery = add(ticket)
    client, issue_id = tracker_client(delivery.tracker), IssueLink.objects.get().issue_id
    for _ in range(2):
        client.add_file(issue_id=issue_id, file=files_out._outgoing(delivery))
    FileDelivery.objects.update(state=DeliveryState.UNKNOWN, unknown_since=timezone.now())
    parked = step(delivery)
    assert (parked.state, parked.reason_code, parked.mode) == (DeliveryState.PARKED, "file_twice", Mode.RECONCILE)
    assert ticket.timeline.filter(kind=TimelineKind.FILE_PARKED).exists()
    files_out.accept_file(delivery_id=delivery.pk, actor=technician())
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.DONE


class TestParked:
    """What a person must mend, said in words, and a retry that goes through."""

    def test_a_missing_permission(self, jira: SandboxProcess, ticket: Ticket) -> None:
        jira.control.faults(rule("no_permission", permission="CREATE_ATTACHMENTS"))
        delivery = step(add(ticket))
        assert (delivery.state, delivery.reason_code) == (DeliveryState.PARKED, "forbidden")
        assert "'Create attachments'" in delivery.reason
        jira.control.clear_faults()
        files_out.retry_file(delivery_id=delivery.pk, actor=technician())
        assert step(delivery).state == DeliveryState.DONE
        assert len(in_jira(jira)) == 1

    def test_a_file_beyond_jiras_limit_is_not_even_sent(self, jira: SandboxProcess, ticket: Ticket) -> None:
        jira.control.set_upload_limit(1000)
        delivery = step(add(ticket, "report.pdf", PDF + b"x" * 2000))
        assert (delivery.state, delivery.reason_code) == (DeliveryState.PARKED, "too_large")
        assert "Jira admin" in delivery.reason
        jira.control.set_upload_limit(100_000)
        files_out.retry_file(delivery_id=delivery.pk, actor=technician())
        assert step(delivery).state == DeliveryState.DONE, "a raised limit counts at once"

    def test_a_file_beyond_the_limit_costs_no_upload(self, jira: SandboxProcess, ticket: Ticket) -> None:
        jira.control.set_upload_limit(1000)
        step(add(ticket, "report.pdf", PDF + b"x" * 2000))
        assert jira.control.journal(method="POST", path="/attachments") == []

    def test_a_limit_that_was_lowered_since_it_was_learnt(self, jira: SandboxProcess, ticket: Ticket) -> None:
        step(add(ticket))
        jira.control.set_upload_limit(1000)
        delivery = step(add(ticket, "report.pdf", PDF + b"x" * 2000))
        assert (delivery.state, delivery.reason_code) == (DeliveryState.PARKED, "too_large")

    def test_a_deleted_issue(self, jira: SandboxProcess, ticket: Ticket) -> None:
        delivery = add(ticket)
        jira.control.delete_issue(IssueLink.objects.get().key)
        assert (step(delivery).state, delivery.reason_code) == (DeliveryState.PARKED, "not_found")

    def test_a_file_that_the_store_has_lost(self, jira: SandboxProcess, ticket: Ticket) -> None:
        delivery = add(ticket)
        file_store().delete(delivery.attachment.key)
        assert (step(delivery).state, delivery.reason_code) == (DeliveryState.PARKED, "file_lost")

    def test_a_file_that_is_shorter_than_it_was(self, jira: SandboxProcess, ticket: Ticket) -> None:
        delivery = add(ticket)
        Attachment.objects.update(size=10_000)
        assert (step(delivery).state, delivery.reason_code) == (DeliveryState.PARKED, "file_damaged")
        assert in_jira(jira) == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (rule("429", count=1, retry_after=1, **UPLOAD), "rate_limited"),
        (rule("status", count=1, status=503, path="/attachment/meta"), "http_503"),
        (rule("expired_auth", count=1, path="/attachment"), "credentials_refused"),
    ],
)
def test_what_certainly_did_nothing_is_simply_tried_again(
    jira: SandboxProcess, ticket: Ticket, fault: Any, code: str
) -> None:
    jira.control.faults(fault)
    delivery = step(add(ticket))
    assert (delivery.state, delivery.reason_code) == (DeliveryState.PENDING, code)
    ticket.board.tracker.__class__.objects.update(resting_until=None)  # type: ignore[union-attr]  # it has one
    jira.control.clear_faults()
    assert step(delivery).state == DeliveryState.DONE
    assert len(in_jira(jira)) == 1


def test_a_moved_issue_still_gets_its_files(jira: SandboxProcess, ticket: Ticket) -> None:
    jira.control.create_project("ELSE")
    delivery = add(ticket)
    jira.control.move_issue(IssueLink.objects.get().key, "ELSE")
    assert step(delivery).state == DeliveryState.DONE
    assert len(in_jira(jira)) == 1


def test_a_file_attached_while_the_issue_is_being_recorded_is_not_forgotten(jira: SandboxProcess, board: Board) -> None:
    """Both transactions run at once, each blind to what the other has not committed; the ticket's lock orders them."""
    ticket = TicketFactory.create(board=board)
    submission = Submission.objects.get(ticket=ticket)
    claim = engine.claim_row(submissions.KIND, submission.pk)
    assert isinstance(claim, Claim)
    outcome = engine.perform(submissions.KIND, claim)

    def settle() -> None:
        engine.settle(submissions.KIND, claim, outcome)
        connections.close_all()

    settling = Thread(target=settle)
    with transaction.atomic():
        add_files(ticket_id=ticket.pk, stored=[stored()], actor=technician())
        settling.start()
        settling.join(timeout=1.0)
        assert settling.is_alive(), "it waits for the ticket"
    settling.join(timeout=20)
    assert FileDelivery.objects.count() == 1
