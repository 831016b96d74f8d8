"""Files through the API: sent, listed, read; exactly once; only for who may see the ticket."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.choices import Role
from accounts.models import AuditEntry, User
from tests.factories.accounts import OrganisationFactory, RoleGrantFactory, UserFactory
from tests.factories.files import PAGE, PDF, archive, picture
from tests.integration.attachments.conftest import Post, kept_files
from tickets.choices import MessageKind, TimelineKind
from tickets.models import Attachment, Board, Ticket

pytestmark = pytest.mark.django_db
LOG = b"2026-11-22 03:12 it stopped\n"


def files_of(api: APIClient, ticket: Ticket) -> list[dict[str, Any]]:
    return list(api.get(f"/api/v1/tickets/{ticket.key}/attachments/").json()["results"])


def read(api: APIClient, url: str) -> Any:
    """The answer, read to its end, which closes it; `bytes` on it holds the content."""
    answer: Any = api.get(url)
    answer.bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer


def test_a_ticket_opened_with_files_shows_them_with_its_first_message(
    api: APIClient, post: Post, board: Board, ben: User
) -> None:
    png = picture()
    answer = post("/api/v1/tickets/", ("error.png", png), ("bad-day.log", LOG), title="Printer", body="It smokes.",
                  labels=["a", "b"], watchers=["ada@contoso.example"])  # fmt: skip
    assert answer.status_code == 201, answer.json()
    ticket = Ticket.objects.get()
    assert ticket.labels == ["a", "b"]
    (message,) = api.get(f"/api/v1/tickets/{ticket.key}/messages/").json()["results"]
    shown, log = message["attachments"]
    assert (shown["name"], shown["media_type"], shown["size"]) == ("error.png", "image/png", len(png))
    assert shown["sha256"] == hashlib.sha256(png).hexdigest()
    assert shown["uploaded_by"]["email"] == ben.email
    assert (log["media_type"], log["submission_state"]) == ("text/plain", None)
    assert read(api, shown["url"]).bytes == png


def test_a_message_with_files_needs_no_words(api: APIClient, post: Post, ticket: Ticket) -> None:
    path = f"/api/v1/tickets/{ticket.key}/messages/"
    assert post(path, ("report.pdf", PDF), kind="public").status_code == 201
    assert post(path, kind="public").status_code == 400
    assert [one["name"] for one in files_of(api, ticket)] == ["report.pdf"]


def test_files_added_on_their_own_are_a_fact_of_the_timeline(api: APIClient, post: Post, ticket: Ticket) -> None:
    answer = post(f"/api/v1/tickets/{ticket.key}/attachments/", ("one.log", LOG), ("two.log", LOG))
    assert answer.status_code == 201
    assert [one["message"] for one in answer.json()] == [None, None]
    assert ticket.timeline.get(kind=TimelineKind.FILES_ADDED).data["names"] == ["one.log", "two.log"]
    before = ticket.version
    ticket.refresh_from_db()
    assert ticket.version > before


@pytest.mark.parametrize(
    "where", ["/api/v1/tickets/", "/api/v1/tickets/{key}/messages/", "/api/v1/tickets/{key}/attachments/"]
)
def test_the_same_request_twice_makes_one_of_each_file(
    api: APIClient, post: Post, ticket: Ticket, store: Any, where: str
) -> None:
    fields: dict[str, Any] = {}
    if "key" not in where:
        fields = {"title": "Printer", "body": "It smokes."}
    elif "messages" in where:
        fields = {"kind": "public", "body": "See file."}
    path, headers = where.format(key=ticket.key), {"Idempotency-Key": "k-1"}
    first = post(path, ("a.log", LOG), headers=headers, **fields)
    again = post(path, ("renamed.log", LOG), headers=headers, **fields)
    other = post(path, ("a.log", LOG + b"!"), headers=headers, **fields)
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert Attachment.objects.count() == 1
    assert len(kept_files(store)) == 1, "what nothing names is deleted at once"


def test_a_ticket_without_files_costs_no_query_more_than_before(
    api: APIClient, board: Board, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(60) as seen:
        assert api.post("/api/v1/tickets/", {"title": "Printer", "body": "It smokes."}).status_code == 201
    assert not [query for query in seen if "attachment" in query["sql"]]


class TestReading:
    def test_a_file_is_saved_and_never_run(self, api: APIClient, post: Post, ticket: Ticket) -> None:
        post(f"/api/v1/tickets/{ticket.key}/attachments/", ("bad-day.log", LOG + b"<script>alert(1)</script>"))
        answer = read(api, files_of(api, ticket)[0]["url"] + "?inline")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="bad-day.log"'
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert "Content-Encoding" not in answer.headers

    def test_pages_go_out_as_bytes_where_a_lead_allows_them(
        self, api: APIClient, post: Post, ticket: Ticket, limits: Callable[..., None]
    ) -> None:
        limits(kinds=frozenset({"web"}))
        post(f"/api/v1/tickets/{ticket.key}/attachments/", ("page.html", PAGE))
        answer = read(api, files_of(api, ticket)[0]["url"] + "?inline")
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")

    def test_a_safe_picture_is_shown_when_that_is_asked_for(self, api: APIClient, post: Post, ticket: Ticket) -> None:
        post(f"/api/v1/tickets/{ticket.key}/attachments/", ("größer.png", picture()))
        url = files_of(api, ticket)[0]["url"]
        assert read(api, url).headers["Content-Disposition"].startswith("attachment")
        shown = read(api, url + "?inline")
        assert shown.headers["Content-Disposition"] == "inline; filename*=utf-8''gr%C3%B6%C3%9Fer.png"
        assert shown.headers["Content-Type"] == "image/png"

    def test_a_picture_with_something_behind_its_end_is_only_saved(
        self, api: APIClient, post: Post, ticket: Ticket
    ) -> None:
        post(f"/api/v1/tickets/{ticket.key}/attachments/", ("both.png", picture() + archive(a_DOT_log="x")))
        answer = read(api, files_of(api, ticket)[0]["url"] + "?inline")
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert Attachment.objects.get().is_picture is False

    def test_every_read_is_in_the_audit_trail(self, api: APIClient, post: Post, ticket: Ticket, ben: User) -> None:
        post(f"/api/v1/tickets/{ticket.key}/attachments/", ("bad-day.log", LOG))
        url = files_of(api, ticket)[0]["url"]
        assert not AuditEntry.objects.filter(action="attachment.read").exists()
        read(api, url)
        entry = AuditEntry.objects.get(action="attachment.read")
        assert (entry.actor_id, entry.target_id) == (str(ben.pk), str(Attachment.objects.get().pk))

    def test_what_the_reader_has_already_is_not_sent_again(self, api: APIClient, post: Post, ticket: Ticket) -> None:
        post(f"/api/v1/tickets/{ticket.key}/attachments/", ("bad-day.log", LOG))
        url = files_of(api, ticket)[0]["url"]
        etag = read(api, url).headers["ETag"]
        assert api.get(url, headers={"If-None-Match": etag}).status_code == 304

    def test_a_file_that_the_store_has_lost_is_said_so(
        self, api: APIClient, post: Post, ticket: Ticket, store: Any
    ) -> None:
        post(f"/api/v1/tickets/{ticket.key}/attachments/", ("bad-day.log", LOG))
        url = files_of(api, ticket)[0]["url"]
        for path in kept_files(store):
            path.unlink()
        answer = read(api, url)
        assert answer.status_code == 404
        assert "operator" in answer.json()["detail"]


class TestPermission:
    @pytest.fixture
    def stranger(self) -> APIClient:
        """A technician of another organisation."""
        user = UserFactory.create()
        RoleGrantFactory.create(user=user, role=Role.TECHNICIAN, organisation=OrganisationFactory.create())
        client = APIClient(raise_request_exception=False)
        client.force_authenticate(user)
        return client

    def test_who_may_not_see_the_ticket_sees_no_file(
        self, post: Post, api: APIClient, stranger: APIClient, ticket: Ticket
    ) -> None:
        post(f"/api/v1/tickets/{ticket.key}/attachments/", ("bad-day.log", LOG))
        url = files_of(api, ticket)[0]["url"]
        assert stranger.get(url).status_code == 404
        assert stranger.get(f"/api/v1/tickets/{ticket.key}/attachments/").status_code == 404
        assert not AuditEntry.objects.filter(action="attachment.read").exists()

    def test_a_file_is_not_found_under_another_ticket(
        self, post: Post, api: APIClient, ticket: Ticket, board: Board
    ) -> None:
        post("/api/v1/tickets/", title="Mine", body="x")
        other = Ticket.objects.order_by("pk").last()
        assert other is not None
        post(f"/api/v1/tickets/{ticket.key}/attachments/", ("bad-day.log", LOG))
        url = files_of(api, ticket)[0]["url"].replace(ticket.key, other.key)
        assert read(api, url).status_code == 404

    def test_an_auditor_reads_and_adds_nothing(self, post: Post, api: APIClient, ticket: Ticket, store: Any) -> None:
        auditor = UserFactory.create()
        RoleGrantFactory.create(user=auditor, role=Role.AUDITOR)
        post(f"/api/v1/tickets/{ticket.key}/attachments/", ("bad-day.log", LOG))
        url = files_of(api, ticket)[0]["url"]
        api.force_authenticate(auditor)
        assert read(api, url).status_code == 200
        assert post(f"/api/v1/tickets/{ticket.key}/attachments/", ("more.log", LOG)).status_code == 403
        assert len(kept_files(store)) == 1

    def test_files_of_notes_stay_with_who_may_read_notes(self, post: Post, ticket: Ticket) -> None:
        for kind in (MessageKind.PUBLIC, MessageKind.INTERNAL):
            post(f"/api/v1/tickets/{ticket.key}/messages/", (f"{kind}.log", LOG), kind=kind, body="See file.")
        public = Attachment.objects.exclude(message__kind=MessageKind.INTERNAL)
        assert [row.name for row in public] == ["public.log"]
