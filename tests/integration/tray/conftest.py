"""A tray client against the hub, beside the played Entra and Jira."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from supporthub.core.deliveries import engine
from supporthub.core.deliveries.registry import Claim
from tests.factories.tickets import BoardFactory, TrackerFactory
from tests.integration.attachments.conftest import store  # noqa: F401  (a fixture)
from tests.integration.entra.conftest import Entra, entra, process  # noqa: F401  (fixtures)
from tickets.clients.jira_cache import memory
from tickets.models import Board, FileDelivery, Submission
from tickets.services import files_out, submissions


@dataclass
class Tray:
    """The client. Every call is one HTTP request."""

    entra: Entra
    http: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def token(self, **asked: object) -> str:
        return self.entra.token(**asked)

    def submit(
        self, token: str | None = None, *, image: Any = None, headers: dict[str, str] | None = None,
        path: str = "/api/tickets", title: str = "Printer", description: str = "It smokes.", **more: Any,
    ) -> Any:  # fmt: skip
        """Send a ticket; `image` is (name, content) or (name, content, type)."""
        fields = {"title": title, "description": description, **more}
        if image is not None:
            fields["image"] = SimpleUploadedFile(image[0], image[1], *(image[2:] or ("image/png",)))
        return self.http.post(path, fields, headers={**_bearer(token), **(headers or {})})

    def accepted(self, token: str | None = None, **more: Any) -> str:
        """As `submit`, and return the id."""
        answer = self.submit(token, **more)
        assert answer.status_code == 200, answer.content
        assert set(answer.json()) == {"instance_id"}
        return str(answer.json()["instance_id"])

    def ask(self, instance: str | None, token: str | None = None, *, headers: dict[str, str] | None = None) -> Any:
        query = {} if instance is None else {"instance_id": instance}
        return self.http.get("/api/checkstatus", query, headers={**_bearer(token), **(headers or {})})

    def status(self, instance: str, token: str | None = None, **more: Any) -> dict[str, str]:
        answer = self.ask(instance, token, **more)
        assert answer.status_code == 200, answer.content
        return dict(answer.json())


def _bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def refused(answer: Any, status: int) -> str:
    """The words of a refusal, which is plain text."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/plain; charset=utf-8"), answer.content
    assert answer.headers["Cache-Control"] == "no-store"
    words = str(answer.content.decode())
    assert words
    assert not words.startswith(("{", "<"))
    return words


def at_once(calls: list[Any]) -> list[Any]:
    """Do every call in a thread and with a connection of its own, all at the same moment."""
    barrier = Barrier(len(calls))

    def do(call: Any) -> Any:
        try:
            barrier.wait(20)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(do, calls))


@pytest.fixture
def tray(entra: Entra, settings: Settings, store: Path) -> Tray:  # noqa: F811  (the fixtures)
    settings.TRAY_API = True
    return Tray(entra)


@pytest.fixture
def helpdesk(db: None) -> Board:
    """The default board, worked in the hub alone."""
    board: Board = BoardFactory.create(slug="helpdesk", is_default=True)
    return board


@pytest.fixture
def jira_board(entra: Entra) -> Iterator[Board]:  # noqa: F811
    """The default board, whose tickets go to the played Jira."""
    jira = entra.process
    memory.forget(("attachment-meta", jira.jira_url))
    tracker = TrackerFactory.create(base_url=jira.jira_url, account=jira.jira_user, token=jira.jira_token)
    board: Board = BoardFactory.create(slug="helpdesk", is_default=True, tracker=tracker, project_key="HELP")
    yield board
    memory.forget(("attachment-meta", jira.jira_url))


def work(*, beyond_window: bool = False) -> None:
    """One step of every delivery that is due, as a worker does it; time is turned forward for what waits."""
    past = timezone.now() - timedelta(seconds=1)
    for kind, rows in ((submissions.KIND, Submission.objects), (files_out.KIND, FileDelivery.objects)):
        rows.update(not_before=past)
        if beyond_window:
            rows.filter(unknown_since__isnull=False).update(unknown_since=past - timedelta(hours=2))
        for row in rows.all():
            claim = engine.claim_row(kind, row.pk)
            if isinstance(claim, Claim):
                engine.settle(kind, claim, engine.perform(kind, claim))
