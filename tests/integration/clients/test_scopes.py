"""What a client may do: its scopes, its organisation, and nothing else."""

from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

from accounts.api.access import ClientThrottle
from accounts.choices import ClientScope
from accounts.models import ApiClient, IdempotentRequest, Organisation
from tests.factories.accounts import RoleGrantFactory, technician
from tests.factories.tickets import TicketFactory
from tests.integration.clients.conftest import Calling, Making
from tickets.choices import MessageKind
from tickets.models import Board, Ticket
from tickets.services.conversation import add_message

pytestmark = pytest.mark.django_db
TICKETS = "/api/v1/tickets/"
NEW = {"title": "Printer", "body": "It is on, and nothing comes out."}
READ, WRITE, SUBMIT = ClientScope.TICKETS_READ, ClientScope.TICKETS_WRITE, ClientScope.TICKETS_SUBMIT


def refusal(answer: Any) -> tuple[int, str, list[str]]:
    body = answer.json()
    return answer.status_code, body.get("code", ""), body.get("errors", {}).get("scope", [])


@pytest.mark.parametrize(
    ("method", "path", "opened_by"),
    [
        ("get", "tickets/", {READ, WRITE, SUBMIT}),
        ("post", "tickets/", {WRITE, SUBMIT}),
        ("get", "tickets/{key}/", {READ, WRITE}),
        ("patch", "tickets/{key}/", {WRITE}),
        ("get", "tickets/{key}/messages/", {READ, WRITE}),
        ("post", "tickets/{key}/messages/", {WRITE}),
        ("get", "tickets/{key}/watchers/", {READ, WRITE}),
        ("post", "tickets/{key}/watchers/", {WRITE}),
        ("get", "tickets/{key}/transitions/", {READ, WRITE}),
        ("post", "tickets/{key}/transitions/", {WRITE}),
        ("get", "tickets/{key}/timeline/", {READ, WRITE}),
        ("get", "tickets/{key}/submission/", {READ, WRITE}),
        ("post", "tickets/{key}/submission/retry/", {WRITE}),
        ("get", "boards/", {READ, WRITE, SUBMIT}),
        ("get", "categories/", {READ, WRITE, SUBMIT}),
        ("get", "organisations/", {READ, WRITE, SUBMIT}),
        ("get", "people/", {WRITE}),
        ("get", "me/", set(ClientScope)),
        ("get", "api-clients/", set()),
        ("post", "api-clients/", set()),
    ],
)
def test_each_call_needs_its_scope_and_a_refusal_names_one(
    method: str, path: str, opened_by: set[ClientScope], *, make: Making, calling: Calling, board: Board
) -> None:
    """The ticket was opened by somebody else. Opened: whatever the call then thinks of an empty body."""
    path = f"/api/v1/{path.format(key=TicketFactory.create(board=board).key)}"
    for scope in ClientScope:
        _client, key = make(scope, name=scope.value)
        answer = getattr(calling(key), method)(path, {}, format="json")
        if scope in opened_by or scope is ClientScope.ADMIN:
            assert answer.status_code in {200, 201, 400, 409}, (scope, answer.content)
            continue
        if scope is SUBMIT and answer.status_code == 404:
            continue  # a call for one's own tickets, and this is none: it does not exist for this client
        status, code, wanted = refusal(answer)
        assert (status, code) == (403, "scope_missing"), scope
        assert set(wanted) & ({each.value for each in opened_by} or {"admin"}), (scope, wanted)


class Silent(APIView):
    """A view that forgot to say what clients may do."""

    def get(self, request: Request) -> Response:
        return Response({})


def test_a_call_that_says_nothing_about_clients_is_closed_to_them(make: Making, calling: Calling) -> None:
    _client, key = make(ClientScope.ADMIN)
    request = APIRequestFactory().get("/", headers={"authorization": f"Bearer {key}"})
    answer = Silent.as_view()(request)
    assert (answer.status_code, answer.data["code"]) == (403, "scope_missing")
    assert calling(key).delete("/api/v1/me/").status_code == 405, "what is there for nobody is not forbidden"


class TestSubmit:
    def test_it_opens_tickets_and_sees_those_and_no_others(self, make: Making, calling: Calling, board: Board) -> None:
        _client, key = make(SUBMIT)
        other = TicketFactory.create(board=board)
        caller = calling(key)
        made = caller.post(TICKETS, NEW, format="json")
        assert made.status_code == 201
        assert [ticket["key"] for ticket in caller.get(TICKETS).json()["results"]] == [made.json()["key"]]
        assert caller.get(made["Location"]).status_code == 200
        assert caller.get(f"{TICKETS}{other.key}/").status_code == 404

    def test_two_submitting_clients_do_not_see_each_others_tickets(
        self, make: Making, calling: Calling, board: Board
    ) -> None:
        first, second = make(SUBMIT, name="One")[1], make(SUBMIT, name="Two")[1]
        made = calling(first).post(TICKETS, NEW, format="json")
        assert calling(second).get(made["Location"]).status_code == 404

    def test_internal_notes_of_its_ticket_stay_inside(self, make: Making, calling: Calling, board: Board) -> None:
        _client, key = make(SUBMIT)
        caller = calling(key)
        made = caller.post(TICKETS, NEW, format="json")
        ticket = Ticket.objects.get()
        ben = technician(email="ben@hub.example")
        add_message(ticket_id=ticket.pk, kind=MessageKind.INTERNAL, body="They forgot to pay.", actor=ben)
        add_message(ticket_id=ticket.pk, kind=MessageKind.PUBLIC, body="We are on our way.", actor=ben)
        messages = caller.get(f"{made['Location']}messages/").json()["results"]
        assert [message["text"].strip() for message in messages] == [NEW["body"], "We are on our way."]
        kinds = {entry["kind"] for entry in caller.get(f"{made['Location']}timeline/").json()["results"]}
        assert "message.noted" not in kinds
        assert "message.replied" in kinds

    def test_it_does_not_work_its_own_ticket(self, make: Making, calling: Calling, board: Board) -> None:
        _client, key = make(SUBMIT)
        caller = calling(key)
        made = caller.post(TICKETS, NEW, format="json")
        answer = caller.patch(made["Location"], {"priority": "urgent"}, format="json")
        assert refusal(answer) == (403, "scope_missing", ["tickets:write"])


class TestOrganisation:
    def test_a_client_of_one_organisation_sees_and_opens_only_there(
        self, make: Making, calling: Calling, board: Board, contoso: Organisation, fabrikam: Organisation
    ) -> None:
        _client, key = make(WRITE, organisation=contoso)
        theirs = TicketFactory.create(organisation=fabrikam, board=board)
        caller = calling(key)
        assert caller.get(f"{TICKETS}{theirs.key}/").status_code == 404
        refused = caller.post(TICKETS, {**NEW, "organisation": "fabrikam"}, format="json")
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert [row["slug"] for row in caller.get("/api/v1/organisations/").json()["results"]] == ["contoso"]

    def test_its_tickets_are_of_its_organisation_without_saying_so(
        self, make: Making, calling: Calling, board: Board, contoso: Organisation
    ) -> None:
        _client, key = make(SUBMIT, organisation=contoso)
        made = calling(key).post(TICKETS, NEW, format="json")
        assert made.json()["organisation"] == "contoso"


class TestActor:
    def test_the_timeline_says_which_client_did_it(self, make: Making, calling: Calling, board: Board) -> None:
        _client, key = make(WRITE, name="Web form")
        caller = calling(key)
        made = caller.post(TICKETS, NEW, format="json")
        caller.post(f"{made['Location']}transitions/", {"verb": "start"}, format="json")
        caller.post(f"{made['Location']}messages/", {"kind": "internal", "body": "From the form."}, format="json")
        timeline = caller.get(f"{made['Location']}timeline/").json()["results"]
        assert {entry["actor"]["name"] for entry in timeline} == {"Web form"}
        assert caller.get(f"{made['Location']}messages/").json()["results"][-1]["author"]["name"] == "Web form"

    def test_an_idempotency_key_belongs_to_the_client_that_sent_it(
        self, make: Making, calling: Calling, board: Board
    ) -> None:
        (first, one), (second, two) = make(SUBMIT, name="One"), make(SUBMIT, name="Two")
        keys = [
            calling(key).post(TICKETS, NEW, format="json", HTTP_IDEMPOTENCY_KEY="order-7") for key in (one, one, two)
        ]
        assert [answer.headers.get("Idempotent-Replayed") for answer in keys] == [None, "true", None]
        assert Ticket.objects.count() == 2
        principals = set(IdempotentRequest.objects.values_list("principal", flat=True))
        assert principals == {f"client:{first.pk}", f"client:{second.pk}"}

    def test_a_client_cannot_be_given_a_ticket(self, make: Making, calling: Calling, board: Board) -> None:
        client, key = make(WRITE)
        ticket = TicketFactory.create(board=board)
        answer = calling(key).patch(f"{TICKETS}{ticket.key}/", {"assignee": client.user.email}, format="json")
        assert answer.status_code == 400


def test_clients_are_counted_and_each_on_its_own(
    make: Making, calling: Calling, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setitem(ClientThrottle.THROTTLE_RATES, "api_client", "3/min")
    one, two = make(READ, name="One")[1], make(READ, name="Two")[1]
    codes = [calling(one).get("/api/v1/me/").status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    assert calling(two).get("/api/v1/me/").status_code == 200


def test_people_are_not_counted_as_clients(monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setitem(ClientThrottle.THROTTLE_RATES, "api_client", "1/min")
    caller = APIClient()
    caller.force_authenticate(technician(email="ben@hub.example"))
    assert [caller.get("/api/v1/me/").status_code for _ in range(3)] == [200, 200, 200]


def test_what_a_client_is_changes_with_the_next_request(make: Making, calling: Calling, board: Board) -> None:
    client, key = make(WRITE)
    caller = calling(key)
    assert caller.post(TICKETS, NEW, format="json").status_code == 201
    ApiClient.objects.filter(pk=client.pk).update(scopes=[READ])
    assert refusal(caller.post(TICKETS, NEW, format="json"))[:2] == (403, "scope_missing")


def test_roles_given_to_the_row_behind_a_client_count_for_nothing(make: Making, calling: Calling, board: Board) -> None:
    client, key = make(READ)
    RoleGrantFactory.create(user=client.user, role="admin")
    assert refusal(calling(key).post(TICKETS, NEW, format="json"))[:2] == (403, "scope_missing")
