"""Redis frozen or dead: tickets are accepted all the same, nothing is lost, and nothing waits."""

import time
from collections.abc import Iterator

import pytest
from rest_framework.test import APIClient

from supporthub.core import hurry
from supporthub.core.deliveries.states import DeliveryState
from supporthub.core.deliveries.sweep import hurry_due
from supporthub.core.live.publish import _sender
from supporthub.runtime.processes import wait_until
from tests.factories.accounts import technician
from tests.factories.tickets import BoardFactory
from tests.testservers import servers
from tickets.models import Submission
from tickets.services import submissions

pytestmark = pytest.mark.django_db(transaction=True)
BODY = {"title": "Printer", "body": "No paper."}


@pytest.fixture(params=["dead", "frozen"])
def broken_redis(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "dead":
        servers.redis.kill()
    else:
        servers.redis.pause()
    yield str(request.param)
    if request.param == "dead":
        servers.redis.start()
    else:
        servers.redis.resume()
    publishing_again()


def publishing_again() -> None:
    """A publisher rests for a second after a failure; later tests count on every event being sent."""
    hurry.flush()
    assert wait_until(lambda: time.monotonic() >= _sender._resting_until, 5)


@pytest.fixture
def client() -> APIClient:
    BoardFactory.create(is_default=True, goes_out=True)
    client = APIClient()
    client.force_authenticate(technician())
    return client


def test_tickets_are_accepted_and_their_deliveries_wait(client: APIClient, broken_redis: str) -> None:
    answers = [client.post("/api/v1/tickets/", BODY).status_code for _ in range(5)]
    assert answers == [201] * 5
    assert hurry.flush(timeout=12.0), "the hurry thread is stuck on a broker that does not answer"
    assert Submission.objects.filter(state=DeliveryState.PENDING).count() == 5


def failing() -> None:
    raise ConnectionError


def test_the_request_never_waits_for_the_hurry(broken_redis: str) -> None:
    started = time.monotonic()
    hurry.soon(lambda: time.sleep(0.5))
    hurry.soon(failing)
    assert time.monotonic() - started < 0.4


def test_when_redis_is_back_the_sweep_enqueues_what_waited(client: APIClient) -> None:
    servers.redis.kill()
    try:
        client.post("/api/v1/tickets/", BODY)
        hurry.flush()
    finally:
        servers.redis.start()
        publishing_again()
    assert hurry_due(submissions.KIND) == 1
