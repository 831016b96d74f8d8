"""Which keys open the API, what a refusal tells, and what a key costs."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import ApiClient, ApiKey, User
from accounts.parsing import KeyText, parse_key
from accounts.services.clients import TooManyKeys, add_key, create_client, revoke_client, revoke_key
from supporthub.core.errors import InvalidInput
from tests.integration.clients.conftest import Calling, Making

pytestmark = pytest.mark.django_db
ME = "/api/v1/me/"


def test_a_key_opens_the_api_as_its_client(make: Making, calling: Calling) -> None:
    _client, key = make()
    answer = calling(key).get(ME)
    assert answer.status_code == 200
    assert (answer.json()["kind"], answer.json()["name"]) == ("client", "Monitoring")


def test_only_the_digest_of_a_key_is_stored(make: Making) -> None:
    client, key = make()
    row = client.keys.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(k)::text FROM accounts_apikey k WHERE id = %s", [row.pk])
        stored = cursor.fetchone()[0]
    assert parse_key(key).secret not in stored
    assert row.digest == parse_key(key).digest


@pytest.mark.parametrize("change", ["cut", "typo", "longer"])
def test_a_mistyped_key_is_told_from_a_wrong_one_without_a_query(
    change: str, make: Making, calling: Calling, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _client, key = make()
    other = "A" if key[20] != "A" else "B"
    broken = {"cut": key[:-1], "typo": key[:20] + other + key[21:], "longer": key + "x"}[change]
    with django_assert_num_queries(0):
        answer = calling(broken).get(ME)
    assert (answer.status_code, answer.json()["code"]) == (401, "key_malformed")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_an_unknown_key_and_a_wrong_secret_look_the_same(make: Making, calling: Calling) -> None:
    _client, key = make()
    known = parse_key(key)
    wrong_secret = str(KeyText(known.prefix, "0" * 43))
    nobody = str(KeyText("00000000", known.secret))
    answers = [calling(made_up).get(ME) for made_up in (wrong_secret, nobody)]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["code"] == "key_not_valid"


def test_each_way_of_ending_ends_the_key_at_once(make: Making, calling: Calling) -> None:
    past = timezone.now() - timedelta(seconds=1)
    client, key = make()
    assert calling(key).get(ME).status_code == 200
    ApiKey.objects.update(expires_at=past)
    assert calling(key).get(ME).json()["code"] == "key_expired"
    ApiKey.objects.update(expires_at=None)
    ApiClient.objects.update(expires_at=past)
    assert calling(key).get(ME).json()["code"] == "client_off"
    ApiClient.objects.update(expires_at=None, is_active=False)
    assert calling(key).get(ME).json()["code"] == "client_off"
    ApiClient.objects.update(is_active=True)
    revoke_key(key_id=client.keys.get().pk, actor=None)
    assert calling(key).get(ME).json()["code"] == "key_revoked"


def test_two_keys_work_side_by_side_and_a_third_is_refused(make: Making, calling: Calling) -> None:
    client, first = make()
    second = add_key(client_id=client.pk, actor=None)
    assert [calling(key).get(ME).status_code for key in (first, second)] == [200, 200]
    with pytest.raises(TooManyKeys):
        add_key(client_id=client.pk, actor=None)
    revoke_key(key_id=client.keys.order_by("pk")[0].pk, actor=None)
    third = add_key(client_id=client.pk, actor=None)
    assert [calling(key).get(ME).status_code for key in (first, second, third)] == [401, 200, 200]


def test_rotating_gives_the_old_key_time_and_never_more_than_it_had(make: Making, calling: Calling) -> None:
    client, first = make()
    soon = timezone.now() + timedelta(hours=1)
    ApiKey.objects.update(expires_at=soon)
    add_key(client_id=client.pk, actor=None, grace=timedelta(hours=24))
    assert client.keys.order_by("pk")[0].expires_at == soon
    assert calling(first).get(ME).status_code == 200


def test_rotating_without_grace_ends_the_old_keys_at_once(make: Making, calling: Calling) -> None:
    client, first = make()
    add_key(client_id=client.pk, actor=None)
    fresh = add_key(client_id=client.pk, actor=None, grace=timedelta(0))
    assert [calling(key).get(ME).status_code for key in (first, fresh)] == [401, 200]


def test_revoking_a_client_ends_all_its_keys(make: Making, calling: Calling) -> None:
    client, first = make()
    second = add_key(client_id=client.pk, actor=None)
    assert revoke_client(client_id=client.pk, actor=None) == 2
    assert [calling(key).get(ME).status_code for key in (first, second)] == [401, 401]


def test_a_key_costs_one_query_and_its_use_is_written_once_a_minute(
    make: Making, calling: Calling, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client, key = make()
    caller = calling(key)
    caller.get(ME)
    first = ApiClient.objects.get(pk=client.pk).last_used_at
    assert first is not None
    with django_assert_num_queries(1):
        caller.get(ME)
    assert ApiClient.objects.get(pk=client.pk).last_used_at == first
    ApiKey.objects.update(last_used_at=first - timedelta(minutes=2))
    ApiClient.objects.update(last_used_at=first - timedelta(minutes=2))
    with CaptureQueriesContext(connection) as queries:
        caller.get(ME)
    assert len([query for query in queries if query["sql"].startswith("UPDATE")]) == 2
    again = ApiClient.objects.get(pk=client.pk).last_used_at
    assert again is not None
    assert again > first - timedelta(minutes=1)


def test_the_row_that_acts_for_a_client_is_no_person(make: Making) -> None:
    client, _key = make()
    assert not User.objects.filter(pk=client.user_id).exists()
    actor = User.everybody.get(pk=client.user_id)
    assert not actor.has_usable_password()
    assert not actor.is_staff


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"name": "MONITORING"}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "New", "scopes": ["tickets:everything"]}, "scopes"),
        ({"name": "New", "scopes": []}, "scopes"),
        ({"name": "New", "expires_at": timezone.now() - timedelta(days=1)}, "expires_at"),
    ],
)
def test_a_client_that_makes_no_sense_is_refused_and_leaves_nothing(
    fields: dict[str, Any], fault: str, make: Making
) -> None:
    make()
    before = User.everybody.count()
    with pytest.raises(InvalidInput) as refusal:
        create_client(**{"scopes": ["tickets:read"], "actor": None, **fields})
    assert list(refusal.value.errors) == [fault]
    assert User.everybody.count() == before
