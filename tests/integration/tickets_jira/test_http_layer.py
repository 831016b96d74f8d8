"""The thin HTTP layer against sockets that misbehave: what was surely never sent, and what cannot be known."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from supporthub.core.errors import OutcomeUnknown, Rejected, TransientError
from supporthub.integrations.http import Endpoint, OutsideHttp
from tests.sandbox.client import free_port

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
Serve = Callable[[socket.socket, bytes], None]


class Serving(Protocol):
    """Starts a server; with `peek` it leaves the request's bytes to be read by the test."""

    def __call__(self, serve: Serve, *, peek: bool = False) -> "Server": ...


class Server:
    """Accepts connections, reads one request from each and does with it what the test says."""

    def __init__(self, serve: Serve, *, peek: bool) -> None:
        self._serve = serve
        self._flags = socket.MSG_PEEK if peek else 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        self.done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # closing the listening socket ends the loop
            while True:
                connection, _ = self._socket.accept()
                with connection, contextlib.suppress(OSError):
                    request = connection.recv(65_536, self._flags)
                    self.requests.append(request)
                    self._serve(connection, request)

    def close(self) -> None:
        if self.done.is_set():
            return
        self.done.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def serving() -> Iterator[Serving]:
    servers: list[Server] = []

    def start(serve: Serve, *, peek: bool = False) -> Server:
        servers.append(Server(serve, peek=peek))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for localhost that it signed itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "own.pem"
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path


def endpoint(url: str) -> Endpoint:
    return Endpoint("Jira", url, (("authorization", "Basic c2VjcmV0"),), connect_timeout=1.0, read_timeout=0.4)


def answer(body: bytes, head: bytes = OK) -> Serve:
    return lambda connection, _: connection.sendall(head + b"content-length: %d\r\n\r\n" % len(body) + body)


def send(url: str, *, effect: bool = True) -> object:
    return OutsideHttp(endpoint(url)).send("POST", "x", effect=effect, body={"a": 1})


def never_sent(url: str) -> TransientError:
    with pytest.raises(TransientError) as caught:
        send(url)
    assert caught.value.code == "unreachable"
    return caught.value


def test_a_closed_port_was_never_sent_to() -> None:
    never_sent(f"http://127.0.0.1:{free_port()}")


def test_a_name_that_does_not_resolve_was_never_sent_to() -> None:
    never_sent("http://no-such-host.invalid")


def test_a_server_that_speaks_no_tls_was_never_sent_to(serving: Serving) -> None:
    server = serving(answer(b"{}"))
    never_sent(server.url.replace("http://", "https://"))
    assert b"secret" not in b"".join(server.requests)
    assert b"Basic" not in b"".join(server.requests)


def test_a_certificate_that_nobody_vouches_for_ends_before_sending(serving: Serving, own_certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate)
    read: list[bytes] = []

    def speak_tls(connection: socket.socket, _: bytes) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            read.append(secured.recv(1000))

    server = serving(speak_tls, peek=True)
    never_sent(server.url.replace("http://127.0.0.1", "https://localhost"))
    server.close()
    assert read == []


def test_a_host_that_does_not_take_connections_was_never_sent_to() -> None:
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        for _ in range(3):  # fills the queue of connections that nobody accepts
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(address)
        error = never_sent(f"http://127.0.0.1:{address[1]}")
    assert "in time" in error.reason


def test_a_pool_without_room_sends_nothing(serving: Serving) -> None:
    release, inside = threading.Event(), threading.Event()

    def hold(connection: socket.socket, _: bytes) -> None:
        inside.set()
        release.wait(10)
        connection.sendall(OK + b"content-length: 2\r\n\r\n{}")

    server = serving(hold)
    small = replace(endpoint(server.url), connections=1, connect_timeout=0.2, read_timeout=8.0)
    first = threading.Thread(target=lambda: OutsideHttp(small).send("GET", "x", effect=False))
    first.start()
    assert inside.wait(5)
    with pytest.raises(TransientError) as caught:
        OutsideHttp(small).send("POST", "x", effect=True)
    assert caught.value.code == "unreachable"
    release.set()
    first.join(5)
    assert len(server.requests) == 1


DOUBTS: dict[str, Serve] = {
    "closed without an answer": lambda _connection, _request: None,
    "cut within the head": lambda connection, _: connection.sendall(b"HTTP/1.1 201 Crea"),
    "cut within the body": lambda connection, _: connection.sendall(OK + b'content-length: 90\r\n\r\n{"id"'),
    "no HTTP at all": lambda connection, _: connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n"),
    "no JSON": answer(b"<html>sign in</html>"),
    "not even text": answer(b"\xff\xfe\xff"),
    "nested without end": answer(b"[" * 200_000),
    "wrongly compressed": answer(b"not gzip", OK + b"content-encoding: gzip\r\n"),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_doubt_is_unknown_for_an_effect_and_transient_for_a_read(serving: Serving, name: str) -> None:
    server = serving(DOUBTS[name])
    with pytest.raises(OutcomeUnknown) as doubtful:
        send(server.url)
    assert len(server.requests) == 1, "nothing is repeated"
    with pytest.raises(TransientError):
        send(server.url, effect=False)
    assert "Jira" in doubtful.value.reason


def test_a_silent_server_is_left_after_the_read_time_out(serving: Serving) -> None:
    over = threading.Event()

    def say_nothing(_connection: socket.socket, _request: bytes) -> None:
        over.wait(10)

    server = serving(say_nothing)
    with pytest.raises(OutcomeUnknown, match=r"did not answer within 0\.4 s"):
        send(server.url)
    over.set()


def test_an_answer_that_drips_is_left_in_time(serving: Serving) -> None:
    holder: list[Server] = []

    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(OK + b"content-length: 1000000\r\n\r\n")
        while not holder[0].done.wait(0.05):
            connection.sendall(b" ")

    holder.append(serving(drip))
    with pytest.raises(OutcomeUnknown, match="too slow"):
        send(holder[0].url)


def test_an_answer_larger_than_allowed_is_not_read_to_its_end(serving: Serving) -> None:
    server = serving(answer(b'"' + b"a" * 50_000 + b'"'))
    small = replace(endpoint(server.url), max_response_bytes=10_000)
    with pytest.raises(OutcomeUnknown, match="too long"):
        OutsideHttp(small).send("POST", "x", effect=True)


def test_a_redirect_is_not_followed(serving: Serving) -> None:
    elsewhere = serving(answer(b"{}"))
    moved = b"HTTP/1.1 307 Moved\r\nlocation: " + elsewhere.url.encode() + b"/\r\n"
    server = serving(answer(b"", moved))
    with pytest.raises(OutcomeUnknown, match="another address"):
        send(server.url)
    assert elsewhere.requests == []


def test_cookies_are_not_kept(serving: Serving) -> None:
    server = serving(answer(b"{}", OK + b"connection: close\r\nset-cookie: session=abc; Path=/\r\n"))
    for _ in range(2):
        assert send(server.url) == {}
    assert len(server.requests) == 2
    assert b"cookie" not in server.requests[1].lower()


def test_each_request_has_an_id_of_its_own_and_our_credentials(serving: Serving) -> None:
    server = serving(answer(b'"done"', OK + b"connection: close\r\n"))
    assert send(server.url) == "done"
    send(server.url)
    ids = [
        line
        for request in server.requests
        for line in request.lower().split(b"\r\n")
        if line.startswith(b"x-request-id: ")
    ]
    assert len(set(ids)) == 2
    assert all(b"Basic c2VjcmV0" in request for request in server.requests)


def test_an_empty_success_is_nothing(serving: Serving) -> None:
    server = serving(lambda connection, _: connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n"))
    assert send(server.url) is None


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://127.0.0.1:port", "jira"])
def test_an_address_that_cannot_be_used_is_said_to_be_one(url: str) -> None:
    with pytest.raises(Rejected, match="address in the settings"):
        send(url)


def test_credentials_do_not_show_when_an_endpoint_is_printed() -> None:
    assert "c2VjcmV0" not in repr(endpoint("http://127.0.0.1"))
