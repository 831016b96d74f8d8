"""POST /api/v1/tickets/: accepted in one transaction, once, and refused clearly."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import IdempotentRequest, Organisation, User
from accounts.services import idempotency
from directory.models import Person
from supporthub.core.deliveries.states import DeliveryState
from tests.factories.accounts import OrganisationFactory, RoleGrantFactory, UserFactory, technician
from tests.factories.tickets import BoardFactory, CategoryFactory
from tickets.models import Board, Message, Submission, Ticket

pytestmark = pytest.mark.django_db

URL = "/api/v1/tickets/"
GOOD = {"title": "Printer at the door", "body": "It is <b>on</b> & nothing comes out."}


def post(api: APIClient, body: Any, **headers: str) -> Any:
    return api.post(URL, body, format="json", headers=headers)


def send(api: APIClient, raw: bytes, kind: str = "application/json") -> Any:
    return api.post(URL, raw, content_type=kind)


def test_a_ticket_is_accepted_with_its_submission(api: APIClient, board: Board) -> None:
    answer = post(api, GOOD | {"requester": "Ann.Baker@Contoso.example", "priority": "high"})
    assert answer.status_code == 201, answer.content
    ticket = Ticket.objects.get()
    assert answer["Location"] == f"/api/v1/tickets/{ticket.key}/"
    assert answer.json()["key"] == ticket.key
    assert answer.json()["submission_state"] == "pending"
    assert ticket.requester == Person.objects.get(email="ann.baker@contoso.example")
    assert Submission.objects.get(ticket=ticket).tag.startswith("ext-")
    assert Message.objects.get().html == "<p>It is &lt;b&gt;on&lt;/b&gt; &amp; nothing comes out.</p>"


def test_a_board_without_a_tracker_is_done_at_once(api: APIClient) -> None:
    BoardFactory.create(slug="office")
    answer = post(api, GOOD | {"board": "office"})
    assert answer.json()["submission_state"] == DeliveryState.DONE


def test_accepting_costs_a_constant_number_of_queries(
    api: APIClient, board: Board, django_assert_max_num_queries: Any
) -> None:
    post(api, GOOD | {"requester": "ann@contoso.example"})
    with django_assert_max_num_queries(20):
        post(api, GOOD | {"requester": "ann@contoso.example"})


def test_the_requesters_domain_places_the_ticket(api: APIClient, board: Board, contoso: Organisation) -> None:
    tenant = contoso.tenants.create(tenant_id="6f1f8e9a-4b5c-4d6e-8f70-000000000001")
    tenant.domains.create(name="contoso.example")
    assert post(api, GOOD | {"requester": "ann@CONTOSO.example"}).json()["organisation"] == "contoso"
    assert post(api, GOOD | {"requester": "ann@elsewhere.example"}).json()["organisation"] == "unknown"


BAD: list[tuple[str, Any, str]] = [
    ("no title", {"body": "x"}, "title"),
    ("no body", {"title": "x"}, "body"),
    ("blank title", GOOD | {"title": "   "}, "title"),
    ("long title", GOOD | {"title": "x" * 501}, "title"),
    ("long body", GOOD | {"body": "x" * 200_001}, "body"),
    ("title of another type", GOOD | {"title": {"a": 1}}, "title"),
    ("body of another type", GOOD | {"body": [1]}, "body"),
    ("null title", GOOD | {"title": None}, "title"),
    ("null byte", GOOD | {"title": "a\x00b"}, "title"),
    ("lone surrogate", GOOD | {"body": "a\ud800b"}, "body"),
    ("null byte in a list", GOOD | {"labels": ["a\x00"]}, "labels"),
    ("unknown board", GOOD | {"board": "nowhere"}, "board"),
    ("unknown category", GOOD | {"category": "nothing"}, "category"),
    ("unknown organisation", GOOD | {"organisation": "nobody"}, "organisation"),
    ("unknown priority", GOOD | {"priority": "asap"}, "priority"),
    ("priority of another type", GOOD | {"priority": ["high"]}, "priority"),
    ("requester without @", GOOD | {"requester": "ann"}, "requester"),
    ("label with a space", GOOD | {"labels": ["two words"]}, "labels[0]"),
    ("watchers no list", GOOD | {"watchers": "ann@contoso.example"}, "watchers"),
    ("too many watchers", GOOD | {"watchers": [f"p{n}@c.example" for n in range(51)]}, "watchers"),
    ("misspelt field", GOOD | {"titel": "x"}, "titel"),
    ("unknown format", GOOD | {"body_format": "rtf"}, "body_format"),
]


@pytest.mark.parametrize(("body", "field"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_input_is_refused_by_name(api: APIClient, board: Board, body: Any, field: str) -> None:
    answer = api.post(URL, json.dumps(body), content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert field in answer.json()["errors"]
    assert not Ticket.objects.exists()


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400), (b"{", 400), (b'{"title":', 400), (b"[]", 400), (b'"text"', 400), (b"null", 400), (b"12", 400),
        (b"\xff\xfe{", 400), (b'{"title": NaN, "body": "x"}', 400), (b"[" * 100_000, 400),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400),
    ],
)  # fmt: skip
def test_broken_json_is_a_clear_problem(api: APIClient, board: Board, raw: bytes, status: int) -> None:
    answer = send(api, raw)
    assert answer.status_code == status, answer.content
    assert answer.json()["code"] in {"parse_error", "invalid"}


def test_a_body_beyond_the_limit_is_413(api: APIClient, board: Board) -> None:
    raw = json.dumps(GOOD | {"body": "x" * 3_000_000}).encode()
    answer = send(api, raw)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_another_media_type_is_415(api: APIClient, board: Board, kind: str) -> None:
    answer = send(api, b"title=x", kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_405(api: APIClient, method: str) -> None:
    assert api.generic(method, URL).status_code == 405


def test_without_a_token_it_is_401_and_says_how() -> None:
    answer = APIClient().post(URL, GOOD, format="json")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_somebody_without_a_role_there_is_refused(board: Board, contoso: Organisation) -> None:
    user: User = UserFactory.create()
    RoleGrantFactory.create(user=user, organisation=OrganisationFactory.create())
    client = APIClient()
    client.force_authenticate(user)
    answer = client.post(URL, GOOD | {"organisation": "contoso"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert not Ticket.objects.exists()


def test_a_category_of_another_board_is_refused(api: APIClient, board: Board) -> None:
    CategoryFactory.create(slug="vpn", board=BoardFactory.create())
    assert "category" in post(api, GOOD | {"category": "vpn"}).json()["errors"]


class TestIdempotency:
    def test_the_same_key_and_body_get_the_same_answer(self, api: APIClient, board: Board) -> None:
        first = post(api, GOOD, **{"Idempotency-Key": "k1"})
        second = api.post(
            URL,
            json.dumps(dict(reversed(GOOD.items()))),
            content_type="application/json",
            headers={"Idempotency-Key": "k1"},
        )
        assert (second.status_code, second.json(), second["Location"]) == (201, first.json(), first["Location"])
        assert second["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first
        assert Ticket.objects.count() == 1

    def test_another_body_is_409(self, api: APIClient, board: Board) -> None:
        post(api, GOOD, **{"Idempotency-Key": "k1"})
        answer = post(api, GOOD | {"title": "Another"}, **{"Idempotency-Key": "k1"})
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_mismatch")

    def test_keys_of_different_people_are_different(self, api: APIClient, board: Board) -> None:
        post(api, GOOD, **{"Idempotency-Key": "k1"})
        other = APIClient()
        other.force_authenticate(technician())
        assert "Idempotent-Replayed" not in post(other, GOOD, **{"Idempotency-Key": "k1"})
        assert Ticket.objects.count() == 2

    def test_a_refused_request_does_not_use_its_key_up(self, api: APIClient, board: Board) -> None:
        assert post(api, {"title": "x"}, **{"Idempotency-Key": "k1"}).status_code == 400
        assert post(api, GOOD, **{"Idempotency-Key": "k1"}).status_code == 201

    def test_an_absurd_key_is_refused(self, api: APIClient, board: Board) -> None:
        assert "Idempotency-Key" in post(api, GOOD, **{"Idempotency-Key": "k" * 256}).json()["errors"]


@pytest.mark.django_db(transaction=True)
def test_twenty_equal_submissions_at_once_make_one_ticket(ben: User, board: Board) -> None:
    def submit(_n: int) -> tuple[int, str]:
        client = APIClient()
        client.force_authenticate(ben)
        try:
            answer = client.post(URL, GOOD, format="json", headers={"Idempotency-Key": "same"})
            return answer.status_code, answer.json()["key"]
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(submit, range(20)))
    assert answers == {(201, Ticket.objects.get().key)}


@pytest.mark.django_db(transaction=True)
def test_a_twin_that_takes_too_long_is_409_and_not_a_second_ticket(
    ben: User, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "LONGEST_WAIT_MS", 200)
    client = APIClient()
    client.force_authenticate(ben)
    scope = {"principal": f"user:{ben.pk}", "method": "POST", "path": URL, "key": "slow"}
    under_way, answered = threading.Event(), threading.Event()

    def first() -> None:
        try:
            with transaction.atomic():
                IdempotentRequest.objects.create(**scope, body_hash="x")
                under_way.set()
                answered.wait(20)
                transaction.set_rollback(True)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(first)
        under_way.wait(20)
        answer = post(client, GOOD, **{"Idempotency-Key": "slow"})
        answered.set()
        slow.result()
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_progress")
    assert post(client, GOOD, **{"Idempotency-Key": "slow"}).status_code == 201


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = ["title", "body", "board", "priority", "requester", "watchers", "labels", "organisation", "category"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(FIELDS), anything))
def test_no_json_makes_the_hub_fail(api: APIClient, board: Board, body: dict[str, Any]) -> None:
    answer = send(api, json.dumps(body).encode())
    assert answer.status_code in {201, 400}, answer.content
