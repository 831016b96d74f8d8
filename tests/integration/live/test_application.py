"""The composed application: Django's sessions and the accounts' rights on a real socket."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from accounts.models import User
from supporthub import asgi
from supporthub.core.live.publish import control
from supporthub.core.live.tickets import issue_ticket
from supporthub.runtime.processes import wait_until
from tests.integration.live.stage import PATIENCE, Browser
from tests.testservers import servers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The application on the server and with the options that `up` uses."""
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


def _signed_in(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


def _open(port: int, path: str = "/ws/live/", *, session_key: str = "", **headers: Any) -> Browser:
    cookie = {"Cookie": f"other=1; {settings.SESSION_COOKIE_NAME}={session_key}"} if session_key else {}
    origin = Origin(f"http://127.0.0.1:{port}")
    connection = connect(
        f"ws://127.0.0.1:{port}{path}", origin=origin, additional_headers={**cookie, **headers}, legacy=True
    )
    return Browser(connection)


def _user(email: str = "ada@example.org") -> User:
    return User.objects.create_user(email=email, password="correct horse battery")


def test_session_cookie_opens_a_socket(port: int) -> None:
    browser = _open(port, session_key=_signed_in(_user()))
    browser.live()
    assert browser.subscribe("nothing:1")["reason"] == "no_such_topic"
    browser.close()


def test_no_session_or_an_unknown_one_is_told_to_sign_in(port: int) -> None:
    assert _open(port).close_code() == 4401
    assert _open(port, session_key="0" * 32).close_code() == 4401


def test_session_from_before_a_password_change_is_told_to_sign_in(port: int) -> None:
    user = _user()
    session_key = _signed_in(user)
    user.set_password("another horse battery")
    user.save()
    assert _open(port, session_key=session_key).close_code() == 4401
    assert SessionStore().exists(session_key)  # looking does not change sessions


def test_switched_off_account_loses_its_socket(port: int) -> None:
    user = _user()
    browser = _open(port, session_key=_signed_in(user))
    browser.live()
    User.objects.filter(pk=user.pk).update(is_active=False)
    control("access_changed", user.pk)
    assert browser.close_code() == 4408


def test_ended_session_loses_its_socket_and_the_other_one_stays(port: int) -> None:
    user = _user()
    ended, kept = _signed_in(user), _signed_in(user)
    leaving, staying = _open(port, session_key=ended), _open(port, session_key=kept)
    leaving.live()
    staying.live()
    SessionStore(ended).delete()
    control("access_changed", user.pk)
    assert leaving.close_code() == 4408
    assert staying.subscribe("nothing:1")["type"] == "refused"
    staying.close()


def test_ticket_opens_a_socket_without_a_session(port: int) -> None:
    browser = _open(port, f"/ws/live/?ticket={issue_ticket(f'session:{_signed_in(_user())}')}")
    browser.live()
    browser.close()
    assert _open(port, f"/ws/live/?ticket={issue_ticket('key:999999')}").close_code() == 4401


def test_other_paths_have_no_socket(port: int) -> None:
    with pytest.raises(InvalidStatus):
        _open(port, "/ws/other/")
