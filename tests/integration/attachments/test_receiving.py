"""Bodies on a real server: refused early, memory flat, nothing left on the disk."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest
from django.conf import settings as hub_settings
from django.db import connection

from supporthub.runtime.environment import ROOT
from supporthub.runtime.processes import wait_until
from supporthub.settings.files import MB
from tests.factories.accounts import PASSWORD, technician
from tests.factories.tickets import BoardFactory, TicketFactory
from tests.sandbox.client import free_port
from tickets.models import Attachment, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
GIGABYTE = 1024 * MB
BOUNDARY = "a-boundary-of-this-test"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
PART = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="attachments"; filename="big.log"\r\n'
    "Content-Type: text/plain\r\n\r\n"
).encode()
END = f"\r\n--{BOUNDARY}--\r\n".encode()
BLOCK = b"2026-11-22 03:12:00 it stopped, and nobody knows why\n" * 1236  # about 64 kB


class Server:
    """The hub's web process, alone, over this test's database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        base = os.environ["DATABASE_URL"]
        database = base.rpartition("/")[0] + "/" + str(connection.settings_dict["NAME"])
        environment = {**os.environ, "DATABASE_URL": database, "DATA_DIR": str(self.folder), "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, "-m", "uvicorn", "supporthub.asgi:application", "--port", str(self.port),
                   "--log-level", "warning", "--no-access-log", "--ws", "websockets-sansio"]  # fmt: skip
        with (self.folder / "web.log").open("wb") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        if not wait_until(self._answers, 60, every=0.1):
            raise RuntimeError((self.folder / "web.log").read_text()[-3000:])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2, trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def memory(self) -> int:
        """Resident bytes of the process."""
        assert self._process
        fields = Path(f"/proc/{self._process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def disk(self) -> int:
        """Bytes that its files take, those without a name included."""
        assert self._process
        sizes: dict[int, int] = {}
        for entry in Path(f"/proc/{self._process.pid}/fd").iterdir():
            try:
                if str(entry.readlink()).startswith((f"{self.folder}/spool", f"{self.folder}/media")):
                    about = entry.stat()
                    sizes[about.st_ino] = about.st_size
            except FileNotFoundError:
                continue
        return sum(sizes.values())

    @contextmanager
    def watched(self) -> Iterator[dict[str, int]]:
        """The growth of memory and the most disk used during the block."""
        before, seen, over = self.memory(), {"memory": 0, "disk": 0}, Event()

        def watch() -> None:
            while not over.wait(0.02):
                seen["memory"] = max(seen["memory"], self.memory() - before)
                seen["disk"] = max(seen["disk"], self.disk())

        watcher = Thread(target=watch)
        watcher.start()
        try:
            yield seen
        finally:
            over.set()
            watcher.join()


@pytest.fixture(scope="module")
def started(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("web"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def server(started: Server) -> Server:
    """The server, with nothing in its folders."""
    shutil.rmtree(started.folder / "media", ignore_errors=True)
    return started


@pytest.fixture
def ticket() -> Ticket:
    technician(email="ben@hub.example")
    ticket: Ticket = TicketFactory.create(board=BoardFactory.create(is_default=True))
    return ticket


@pytest.fixture
def client(server: Server, ticket: Ticket) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=120, trust_env=False) as client:
        login = {"email": "ben@hub.example", "password": PASSWORD}
        token = client.post("/api/v1/auth/token/", json=login).raise_for_status().json()["access"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def body_of(size: int) -> Iterator[bytes]:
    """A form with one file of this size, made while it is sent."""
    yield PART
    sent = 0
    while sent < size:
        block = BLOCK[: size - sent]
        sent += len(block)
        yield block
    yield END


def length_of(size: int) -> int:
    return len(PART) + size + len(END)


def left_on_disk(server: Server) -> list[str]:
    return [str(path) for name in ("spool", "media") for path in (server.folder / name).rglob("*") if path.is_file()]


def test_a_gigabyte_is_refused_by_its_length_before_a_byte_of_it_is_read(
    server: Server, client: httpx.Client, ticket: Ticket
) -> None:
    path = f"/api/v1/tickets/{ticket.key}/attachments/"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {client.headers['Authorization']}\r\n"
        f"Content-Type: {TYPE}\r\nContent-Length: {GIGABYTE}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(head.encode())
        started = time.monotonic()
        answer = b"".join(iter(lambda: raw.recv(65536), b"")).decode()
    assert answer.startswith("HTTP/1.1 413 "), answer
    assert "100 Continue" not in answer
    assert time.monotonic() - started < 5
    problem = json.loads(answer.partition("\r\n\r\n")[2])
    assert (problem["code"], problem["status"]) == ("too_large", 413)


@pytest.mark.parametrize("declared", [True, False])
def test_a_gigabyte_that_comes_anyway_is_413_with_flat_memory_and_nothing_kept(
    server: Server, client: httpx.Client, ticket: Ticket, *, declared: bool
) -> None:
    headers = {"Content-Type": TYPE, **({"Content-Length": str(length_of(GIGABYTE))} if declared else {})}
    with server.watched() as seen:
        answer = client.post(f"/api/v1/tickets/{ticket.key}/attachments/", content=body_of(GIGABYTE), headers=headers)
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "too_large"
    assert seen["memory"] < 40 * MB, seen
    assert seen["disk"] <= hub_settings.FILES.largest_request + MB, seen
    if declared:
        assert seen["disk"] == 0, "it is thrown away unread"
    assert left_on_disk(server) == []
    assert not Attachment.objects.exists()
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("declared", [True, False])
def test_the_largest_file_is_taken_with_flat_memory(
    server: Server, client: httpx.Client, ticket: Ticket, *, declared: bool
) -> None:
    size = hub_settings.FILES.max_bytes
    headers = {"Content-Type": TYPE, **({"Content-Length": str(length_of(size))} if declared else {})}
    path = f"/api/v1/tickets/{ticket.key}/attachments/"
    client.post(path, content=body_of(1000), headers={"Content-Type": TYPE}).raise_for_status()  # everything is loaded
    with server.watched() as seen:
        answer = client.post(path, content=body_of(size), headers=headers)
        assert answer.status_code == 201, answer.text
        kept = answer.json()[0]
        with client.stream("GET", kept["url"]) as content:
            read = sum(len(block) for block in content.iter_raw())
    assert (kept["size"], read) == (size, size)
    assert content.headers["Content-Length"] == str(size)
    assert seen["memory"] < 25 * MB, seen
    assert seen["disk"] < 2 * size + MB, seen
    assert len(left_on_disk(server)) == 2


def test_one_byte_more_than_a_file_may_have_is_413(server: Server, client: httpx.Client, ticket: Ticket) -> None:
    size = hub_settings.FILES.max_bytes + 1
    answer = client.post(
        f"/api/v1/tickets/{ticket.key}/attachments/", content=body_of(size), headers={"Content-Type": TYPE}
    )
    assert (answer.status_code, list(answer.json()["errors"])) == (413, ["attachments"])
    assert left_on_disk(server) == []


def test_a_body_that_is_no_form_keeps_the_small_limit(server: Server, client: httpx.Client) -> None:
    for path, kind in (("/api/v1/tickets/", "application/json"), ("/sign-in/", "application/x-www-form-urlencoded")):
        blocks = (b"x" * MB for _ in range(100))
        answer = client.post(path, content=blocks, headers={"Content-Type": kind})
        assert answer.status_code == 413, path


def test_a_json_body_in_chunks_is_read(server: Server, client: httpx.Client, ticket: Ticket) -> None:
    body = json.dumps({"kind": "public", "body": "Said in pieces."}).encode()
    answer = client.post(
        f"/api/v1/tickets/{ticket.key}/messages/",
        content=(body[i : i + 7] for i in range(0, len(body), 7)),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 201, answer.text


def test_a_client_that_goes_away_leaves_nothing(server: Server, client: httpx.Client, ticket: Ticket) -> None:
    head = (
        f"POST /api/v1/tickets/{ticket.key}/attachments/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: {client.headers['Authorization']}\r\nContent-Type: {TYPE}\r\n"
        f"Content-Length: {20 * MB}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(head.encode() + PART + BLOCK * 100)
    assert wait_until(lambda: server.disk() == 0, 20, every=0.05)
    assert left_on_disk(server) == []
    assert not Attachment.objects.exists()
