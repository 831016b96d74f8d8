"""What the API says of itself, and the answers that it had to learn for that."""

import base64
import io
from typing import Any

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts.choices import ClientScope
from accounts.services.clients import create_client
from supporthub.core.api.problems import exception_handler
from supporthub.core.errors import Unavailable
from tests.factories.accounts import OrganisationFactory, admin
from tests.factories.tickets import TicketFactory


@pytest.fixture(scope="module")
def operations() -> dict[tuple[str, str], Any]:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]  # type: ignore[no-untyped-call]
    return {(method, path): found for path, methods in paths.items() for method, found in methods.items()}


@pytest.fixture
def program(db: None) -> APIClient:
    """An API client that may read tickets."""
    _client, key = create_client(name="Wall", scopes=[ClientScope.TICKETS_READ], actor=None)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def test_the_description_is_made_without_a_warning() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=io.StringIO())


@pytest.mark.parametrize(
    ("method", "path", "refusals"),
    [
        ("get", "tickets/", {"400", "401", "403", "429", "503"}),
        ("post", "tickets/", {"400", "401", "403", "409", "413", "415", "429", "503"}),
        ("get", "tickets/{key}/", {"401", "403", "404", "429", "503"}),
        ("patch", "tickets/{key}/", {"400", "401", "403", "404", "409", "413", "415", "429", "503"}),
        ("post", "tickets/{key}/submission/retry/", {"401", "403", "404", "409", "429", "503"}),
        ("get", "me/", {"401", "429", "503"}),
        ("post", "auth/token/", {"400", "401", "413", "415", "429", "503"}),
    ],
)
def test_each_call_names_the_refusals_that_it_can_give_and_no_other(
    operations: dict[tuple[str, str], Any], method: str, path: str, refusals: set[str]
) -> None:
    described = operations[method, f"/api/v1/{path}"]["responses"]
    assert {status for status in described if status >= "400"} == refusals


def test_every_creating_call_takes_a_key_and_says_where_the_new_thing_is(
    operations: dict[tuple[str, str], Any],
) -> None:
    for (method, path), operation in operations.items():
        if method != "post" or "201" not in operation["responses"] or path == "/api/v1/live/ticket/":
            continue
        assert "Idempotency-Key" in [parameter.get("name") for parameter in operation["parameters"]], path
        assert {"Location", "Idempotent-Replayed"} <= set(operation["responses"]["201"]["headers"]), path


def test_only_calls_that_are_open_to_clients_name_their_keys(operations: dict[tuple[str, str], Any]) -> None:
    schemes = {path: operation.get("security") for (_method, path), operation in operations.items()}
    assert schemes["/api/v1/me/"] == [{"apiKey": []}, {"token": []}]
    assert schemes["/api/v1/auth/token/"] in (None, [{}])


@pytest.mark.parametrize("cursor", ["p=x", "p=\x00", "o=many"])
def test_a_cursor_of_nowhere_is_400_and_named(api: APIClient, cursor: str) -> None:
    answer = api.get("/api/v1/tickets/", {"cursor": base64.b64encode(cursor.encode()).decode()})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["cursor"])


@pytest.mark.parametrize(
    ("since", "status"),
    [("3695-11-24T06:27:51-19:37", 200), ("0001-01-01T00:00:00+23:59", 400), ("9999-12-31T23:59:59-23:59", 400)],
)
def test_moments_that_postgresql_cannot_read_are_no_failure(db: None, since: str, status: int) -> None:
    api = APIClient(raise_request_exception=False)
    api.force_authenticate(admin())
    assert api.get("/api/v1/audit/", {"since": since}).status_code == status


def test_a_method_that_does_not_exist_is_405_for_a_client_too(program: APIClient) -> None:
    answer = program.put("/api/v1/tickets/", {}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("accept", ["image/png", "text/html", "application/problem+json"])
def test_an_answer_has_its_form_whatever_is_asked_for(api: APIClient, accept: str) -> None:
    answer = api.get("/api/v1/me/", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert api.get("/api/v1/me/?format=xml").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("messages/", {"kind": "public", "body": "Hello", "body_fromat": "html"}),
        ("watchers/", {"email": "zoe@contoso.example", "mail": "x"}),
        ("transitions/", {"verb": "start", "verbs": "x"}),
    ],
)
def test_a_misspelt_field_is_refused_everywhere(api: APIClient, path: str, body: dict[str, str]) -> None:
    ticket = TicketFactory.create()
    answer = api.post(f"/api/v1/tickets/{ticket.key}/{path}", body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"].values()) == [["There is no such field."]]


def test_a_watcher_is_removed_by_the_address_in_the_query(api: APIClient) -> None:
    url = f"/api/v1/tickets/{TicketFactory.create().key}/watchers/"
    assert api.post(url, {"email": "zoe@contoso.example"}).headers["Location"] == url
    assert api.delete(f"{url}?email=zoe@contoso.example").status_code == 204
    assert api.get(url).json()["results"] == []


def test_a_repeated_watcher_is_replayed(api: APIClient) -> None:
    url = f"/api/v1/tickets/{TicketFactory.create().key}/watchers/"
    answers = [
        api.post(url, {"email": "zoe@contoso.example"}, headers={"Idempotency-Key": "7f0c"}) for _twice in range(2)
    ]
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers] == [None, "true"]
    assert answers[0].json() == answers[1].json()


def test_a_repeated_call_for_a_key_makes_no_second_one(db: None) -> None:
    ada = admin()
    client, _key = create_client(name="Wall", scopes=[ClientScope.TICKETS_READ], actor=ada)
    api = APIClient()
    api.force_authenticate(ada)
    url = f"/api/v1/api-clients/{client.pk}/keys/"
    first, again = (api.post(url, {}, headers={"Idempotency-Key": "7f0c"}) for _twice in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["key"].startswith("shk_")
    assert (again.json()["key"], again.headers["Idempotent-Replayed"]) == ("", "true")
    assert client.keys.count() == 2


def test_organisations_are_listed_by_name_over_pages(db: None) -> None:
    for name in ("Fabrikam", "Adatum", "Contoso"):
        OrganisationFactory.create(name=name)
    api = APIClient()
    api.force_authenticate(admin())
    first = api.get("/api/v1/organisations/?limit=2").json()
    second = api.get(first["next"]).json()
    names = [row["name"] for row in first["results"] + second["results"]]
    assert names == sorted(names)
    assert {"Adatum", "Contoso", "Fabrikam"} <= set(names)


def test_what_is_unavailable_says_when_to_come_back() -> None:
    answer = exception_handler(Unavailable("The store does not answer."), {})
    assert answer is not None
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
