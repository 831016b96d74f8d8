"""Reading and working tickets through the native API: permission, parts, pages, queries."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from supporthub.core.deliveries.states import DeliveryState
from tests.factories.accounts import OrganisationFactory, RoleGrantFactory, UserFactory, technician
from tests.factories.tickets import BoardFactory, IssueLinkFactory, TicketFactory
from tickets.choices import TicketStatus
from tickets.models import BoardGrant, Submission, Ticket

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


def test_the_list_pages_by_cursor_without_gap_or_overlap(api: APIClient) -> None:
    made = [TicketFactory.create().key for _ in range(7)]
    seen: list[str] = []
    url: str | None = "/api/v1/tickets/?limit=3"
    while url:
        page = api.get(url).json()
        seen += [ticket["key"] for ticket in page["results"]]
        url = page["next"]
    assert seen == made[::-1]
    assert (page["count"], page["count_is_capped"]) == (7, False)


@pytest.mark.parametrize("number", [1, 30])
def test_a_page_costs_the_same_queries_however_many_rows(
    api: APIClient, number: int, django_assert_max_num_queries: Any
) -> None:
    for _ in range(number):
        TicketFactory.create(board=BoardFactory.create(goes_out=True))
    with django_assert_max_num_queries(5):
        assert api.get("/api/v1/tickets/").json()["count"] == number


def test_filters_are_combined_and_repeated_ones_mean_either(api: APIClient) -> None:
    one, two = BoardFactory.create(slug="one"), BoardFactory.create(slug="two")
    TicketFactory.create(board=one, priority="high")
    wanted = [TicketFactory.create(board=one).key, TicketFactory.create(board=two).key]
    TicketFactory.create(priority="normal")
    page = api.get("/api/v1/tickets/?board=one&board=two&priority=normal").json()
    assert {ticket["key"] for ticket in page["results"]} == set(wanted)


@pytest.mark.parametrize(
    "query", ["status=odd", "priority=odd", "board=a%00b", "cursor=%00", "cursor=bm9wZQ", "limit=x"]
)
def test_odd_queries_are_answered_and_never_fail(api: APIClient, query: str) -> None:
    assert api.get(f"/api/v1/tickets/?{query}").status_code in {200, 400, 404}


def test_a_ticket_is_found_by_the_hubs_key_and_the_trackers_in_any_case(api: APIClient) -> None:
    link = IssueLinkFactory.create()
    for key in (link.ticket.key, link.ticket.key.lower(), link.key, link.key.lower()):
        answer = api.get(f"/api/v1/tickets/{key}/").json()
        assert (answer["key"], answer["external_key"]) == (link.ticket.key, link.key)


@pytest.mark.parametrize(
    "key", ["HUB-999999", "HUB-0", "HUB-", "HUB-99999999999999999999", "NOPE-1", "%00", "a%2Fb", "-"]
)
def test_an_unknown_key_is_a_404_problem(api: APIClient, key: str) -> None:
    answer = api.get(f"/api/v1/tickets/{key}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


class TestPermission:
    def test_a_technician_of_one_organisation_sees_only_its_tickets(self) -> None:
        home = OrganisationFactory.create()
        mine, other = TicketFactory.create(organisation=home), TicketFactory.create()
        user = UserFactory.create()
        RoleGrantFactory.create(user=user, organisation=home)
        client = signed_in(user)
        assert [row["key"] for row in client.get("/api/v1/tickets/").json()["results"]] == [mine.key]
        assert client.get(f"/api/v1/tickets/{other.key}/").status_code == 404
        assert client.get(f"/api/v1/tickets/{other.key}/messages/").status_code == 404
        assert client.post(f"/api/v1/tickets/{other.key}/transitions/", {"verb": "start"}).status_code == 404

    def test_a_technician_of_one_board_sees_the_tickets_there(self) -> None:
        mine, other = TicketFactory.create(), TicketFactory.create()
        user = UserFactory.create()
        BoardGrant.objects.create(user=user, board=mine.board, role="technician")
        client = signed_in(user)
        assert [row["key"] for row in client.get("/api/v1/tickets/").json()["results"]] == [mine.key]
        assert client.get(f"/api/v1/tickets/{other.key}/").status_code == 404

    def test_an_auditor_reads_and_does_not_work(self) -> None:
        user = UserFactory.create()
        RoleGrantFactory.create(user=user, role="auditor")
        ticket = TicketFactory.create()
        client = signed_in(user)
        assert client.get(f"/api/v1/tickets/{ticket.key}/").status_code == 200
        assert client.post(f"/api/v1/tickets/{ticket.key}/transitions/", {"verb": "start"}).status_code == 403
        assert (
            client.post(f"/api/v1/tickets/{ticket.key}/messages/", {"kind": "public", "body": "x"}).status_code == 403
        )

    def test_somebody_without_a_role_sees_nothing(self) -> None:
        TicketFactory.create()
        page = signed_in(UserFactory.create()).get("/api/v1/tickets/").json()
        assert page["results"] == []


class TestWork:
    def test_transitions_follow_the_table(self, api: APIClient) -> None:
        ticket = TicketFactory.create()
        offered = api.get(f"/api/v1/tickets/{ticket.key}/transitions/").json()
        assert [step["verb"] for step in offered] == ["start", "wait", "hold", "resolve"]
        answer = api.post(f"/api/v1/tickets/{ticket.key}/transitions/", {"verb": "resolve"}).json()
        assert answer["status"] == TicketStatus.RESOLVED
        assert answer["resolved_at"] is not None
        refused = api.post(f"/api/v1/tickets/{ticket.key}/transitions/", {"verb": "start"})
        assert (refused.status_code, refused.json()["code"]) == (409, "transition_not_allowed")
        assert api.post(f"/api/v1/tickets/{ticket.key}/transitions/", {"verb": "reopen"}).json()["resolved_at"] is None

    def test_a_reply_and_a_note_are_different_and_both_on_the_timeline(self, api: APIClient, ben: User) -> None:
        ticket = TicketFactory.create()
        for kind in ("public", "internal"):
            body = {"kind": kind, "body": "**Done**", "body_format": "markdown"}
            answer = api.post(f"/api/v1/tickets/{ticket.key}/messages/", body)
            assert answer.status_code == 201, answer.content
        messages = api.get(f"/api/v1/tickets/{ticket.key}/messages/").json()["results"]
        assert [message["kind"] for message in messages] == ["public", "public", "internal"]
        assert messages[1]["html"].strip() == "<p><strong>Done</strong></p>"
        assert messages[1]["author"] == {"email": ben.email, "name": ben.name}
        kinds = [row["kind"] for row in api.get(f"/api/v1/tickets/{ticket.key}/timeline/").json()["results"]]
        assert kinds == ["message.replied", "message.noted"]

    def test_html_is_sanitised_before_it_is_stored(self, api: APIClient) -> None:
        ticket = TicketFactory.create()
        body = {"kind": "public", "body": "<p onclick=x()>Hi<script>alert(1)</script></p>", "body_format": "html"}
        assert api.post(f"/api/v1/tickets/{ticket.key}/messages/", body).json()["html"] == "<p>Hi</p>"

    def test_a_change_on_an_old_version_is_refused(self, api: APIClient) -> None:
        ticket = TicketFactory.create()
        seen = api.get(f"/api/v1/tickets/{ticket.key}/").json()["version"]
        assert api.patch(f"/api/v1/tickets/{ticket.key}/", {"priority": "high", "version": seen}).status_code == 200
        refused = api.patch(f"/api/v1/tickets/{ticket.key}/", {"title": "Mine", "version": seen})
        assert (refused.status_code, refused.json()["code"]) == (409, "stale_version")

    def test_every_change_raises_the_version(self, api: APIClient, ben: User) -> None:
        ticket = TicketFactory.create()
        url = f"/api/v1/tickets/{ticket.key}/"
        versions = [api.get(url).json()["version"]]
        api.patch(url, {"assignee": ben.email})
        versions.append(api.get(url).json()["version"])
        api.post(f"{url}transitions/", {"verb": "start"})
        versions.append(api.get(url).json()["version"])
        api.post(f"{url}watchers/", {"email": "zoe@contoso.example"})
        versions.append(api.get(url).json()["version"])
        assert versions == sorted(set(versions))

    def test_only_somebody_who_may_work_it_can_be_assigned(self, api: APIClient) -> None:
        ticket = TicketFactory.create()
        outsider = UserFactory.create()
        assert "assignee" in api.patch(f"/api/v1/tickets/{ticket.key}/", {"assignee": outsider.email}).json()["errors"]
        assert (
            "assignee" in api.patch(f"/api/v1/tickets/{ticket.key}/", {"assignee": "no@body.example"}).json()["errors"]
        )
        assert api.patch(f"/api/v1/tickets/{ticket.key}/", {"assignee": None}).status_code == 200

    def test_watchers_come_and_go_and_twice_is_once(self, api: APIClient) -> None:
        ticket = TicketFactory.create()
        url = f"/api/v1/tickets/{ticket.key}/watchers/"
        for _ in range(2):
            assert api.post(url, {"email": "Zoe@contoso.example"}).status_code == 201
        assert [person["email"] for person in api.get(url).json()["results"]] == ["zoe@contoso.example"]
        assert api.delete(url, {"email": "zoe@contoso.example"}).status_code == 204
        assert api.get(url).json()["results"] == []


class TestSubmission:
    def test_a_parked_submission_is_retried_and_the_timeline_says_by_whom(self, api: APIClient, ben: User) -> None:
        ticket = TicketFactory.create(board=BoardFactory.create(goes_out=True))
        Submission.objects.update(state=DeliveryState.PARKED, reason="Jira refused it.")
        assert api.get(f"/api/v1/tickets/{ticket.key}/submission/").json()["reason"] == "Jira refused it."
        answer = api.post(f"/api/v1/tickets/{ticket.key}/submission/retry/")
        assert (answer.status_code, answer.json()["state"]) == (200, "pending")
        entry = ticket.timeline.get()
        assert (entry.kind, entry.actor) == ("submission.retried", ben)

    def test_retrying_what_is_done_is_409(self, api: APIClient) -> None:
        ticket = TicketFactory.create()
        answer = api.post(f"/api/v1/tickets/{ticket.key}/submission/retry/")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_retryable")


def test_lookups_show_what_may_be_named(api: APIClient) -> None:
    ticket = TicketFactory.create()
    assert ticket.board.slug in {row["slug"] for row in api.get("/api/v1/boards/").json()["results"]}
    assert ticket.organisation.slug in {row["slug"] for row in api.get("/api/v1/organisations/").json()["results"]}
    assert ticket.requester is not None
    assert ticket.requester.email in {row["email"] for row in api.get("/api/v1/people/").json()["results"]}
    assert api.get("/api/v1/categories/").json()["results"] == []


def test_me_says_what_may_be_done(api: APIClient, ben: User) -> None:
    answer = api.get("/api/v1/me/").json()
    assert answer["email"] == ben.email
    assert "work_ticket" in answer["may"]
    assert "change_people" not in answer["may"]


def test_an_unknown_address_below_api_is_a_problem_answer() -> None:
    answer = signed_in(technician()).get("/api/v1/nothing/here/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not Ticket.objects.exists()
