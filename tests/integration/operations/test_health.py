"""/healthz, /readyz, /metrics, and what a failing request says."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from supporthub.core.deliveries.states import DeliveryState
from tests.factories.tickets import BoardFactory, TicketFactory
from tests.testservers import servers
from tickets.models import Submission

OUTSIDE: dict[str, Any] = {"REMOTE_ADDR": "203.0.113.7"}


@pytest.fixture
def dead_redis() -> Iterator[None]:
    servers.redis.kill()
    yield
    servers.redis.start()


def test_alive_needs_no_database() -> None:
    assert Client().get("/healthz").json() == {"status": "alive"}


@pytest.mark.django_db(transaction=True)
def test_a_dead_redis_is_degraded_and_still_ready(dead_redis: None) -> None:
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert "Redis does not answer" in answer.json()["degraded"][0]
    assert "degraded" not in {*Client().get("/readyz", **OUTSIDE).json()} - {"status"}


@pytest.mark.django_db
def test_figures_are_for_known_networks_or_the_token(settings: Any) -> None:
    assert Client().get("/metrics", **OUTSIDE).status_code == 403
    settings.METRICS_TOKEN = "for-prometheus"
    allowed = Client().get("/metrics", headers={"Authorization": "Bearer for-prometheus"}, **OUTSIDE)
    refused = Client().get("/metrics", headers={"Authorization": "Bearer another"}, **OUTSIDE)
    assert (allowed.status_code, refused.status_code) == (200, 403)


@pytest.mark.django_db
def test_figures_count_what_waits_and_what_stopped() -> None:
    TicketFactory(board=BoardFactory(goes_out=True, slug="helpdesk"))
    TicketFactory(board=BoardFactory(goes_out=True))
    Submission.objects.filter(pk=Submission.objects.latest("pk").pk).update(state=DeliveryState.PARKED)
    text = Client().get("/metrics").content.decode()
    assert 'hub_deliveries{kind="submission",state="pending"} 1.0' in text
    assert 'hub_deliveries{kind="submission",state="parked"} 1.0' in text
    assert 'hub_tickets_open{board="helpdesk"} 1.0' in text


@pytest.mark.django_db
def test_every_answer_names_its_request_and_a_callers_harmless_id_is_kept() -> None:
    assert Client().get("/healthz", headers={"X-Request-Id": "abc-12345678"})["X-Request-Id"] == "abc-12345678"
    made_up = Client().get("/healthz", headers={"X-Request-Id": "bad id\t<script>"})["X-Request-Id"]
    assert made_up.isalnum()


@pytest.mark.django_db
def test_the_description_of_the_api_is_complete_and_its_page_loads_nothing_from_elsewhere() -> None:
    schema = Client().get("/api/schema/")
    assert schema.status_code == 200
    page = Client().get("/api/docs/").content.decode()
    assert "http://" not in page.replace("http://testserver", "")
    assert "cdn" not in page
