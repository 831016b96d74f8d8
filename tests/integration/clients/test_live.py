"""A client's live socket: opened by a one-time ticket, with the client's rights, ended with its key."""

import threading
from collections.abc import Iterator

import pytest
import uvicorn
from rest_framework.test import APIClient
from websockets.sync.client import connect
from websockets.typing import Origin

from accounts.choices import ClientScope
from accounts.services.clients import add_key, create_client, revoke_key
from supporthub import asgi
from supporthub.runtime.processes import wait_until
from tests.factories.tickets import BoardFactory
from tests.integration.live.stage import PATIENCE, Browser
from tests.testservers import servers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    servers.redis.start()
    config = uvicorn.Config(
        asgi.application, port=0, ws="websockets-sansio", ws_per_message_deflate=False, log_level="warning"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert wait_until(lambda: server.started, PATIENCE)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(PATIENCE)
    assert not thread.is_alive()


def ask_ticket(key: str) -> tuple[int, str]:
    caller = APIClient()
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    answer = caller.post("/api/v1/live/ticket/")
    return answer.status_code, answer.json().get("ticket", "")


def open_socket(port: int, ticket: str) -> Browser:
    address = f"ws://127.0.0.1:{port}/ws/live/?ticket={ticket}"
    return Browser(connect(address, origin=Origin("https://elsewhere.example"), legacy=True))


def test_a_client_listens_until_its_key_is_revoked(port: int) -> None:
    board = BoardFactory.create()
    client, key = create_client(name="Wall", scopes=[ClientScope.TICKETS_READ], actor=None)
    status, ticket = ask_ticket(key)
    assert status == 201
    socket = open_socket(port, ticket)
    socket.live()
    assert socket.subscribe(f"queue:{board.pk}")["type"] != "refused"
    assert open_socket(port, ticket).close_code() == 4401  # a ticket works once
    revoke_key(key_id=client.keys.get().pk, actor=None)
    assert socket.close_code() == 4408


def test_a_client_that_may_not_read_tickets_gets_no_ticket_for_a_socket() -> None:
    _client, key = create_client(name="Form", scopes=[ClientScope.TICKETS_SUBMIT], actor=None)
    assert ask_ticket(key) == (403, "")


def test_another_key_of_the_client_keeps_its_own_socket(port: int) -> None:
    client, _first = create_client(name="Wall", scopes=[ClientScope.TICKETS_READ], actor=None)
    second = add_key(client_id=client.pk, actor=None)
    socket = open_socket(port, ask_ticket(second)[1])
    socket.live()
    revoke_key(key_id=client.keys.order_by("pk")[0].pk, actor=None)
    assert socket.subscribe("nothing:1")["reason"] == "no_such_topic"
    socket.close()
