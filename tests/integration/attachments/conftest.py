"""A store of its own for each test, and a client."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from tests.factories.accounts import technician
from tests.factories.tickets import BoardFactory, TicketFactory
from tickets.models import Board, Ticket

Post = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path, settings: Settings) -> Path:
    """The folder in which files lie; `spool` beside it takes what is being received."""
    folder = tmp_path / "media"
    place = {"BACKEND": "supporthub.core.storage.SyncedFolder", "OPTIONS": {"location": str(folder)}}
    settings.FILES = replace(settings.FILES, spool=tmp_path / "spool", storage=place)
    settings.STORAGES = {**settings.STORAGES, "attachments": place}
    return folder


@pytest.fixture
def limits(settings: Settings, store: Path) -> Callable[..., None]:
    """Change limits of files, for example `limits(max_bytes=1000)`."""

    def change(**values: Any) -> None:
        settings.FILES = replace(settings.FILES, **values)

    return change


@pytest.fixture
def ben(db: None) -> User:
    return technician(email="ben@hub.example", name="Ben Carter")


@pytest.fixture
def api(ben: User, store: Path) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(ben)
    return client


@pytest.fixture
def board(db: None) -> Board:
    board: Board = BoardFactory.create(slug="helpdesk", is_default=True)
    return board


@pytest.fixture
def ticket(board: Board) -> Ticket:
    ticket: Ticket = TicketFactory.create(board=board)
    return ticket


@pytest.fixture
def post(api: APIClient) -> Post:
    """Post a form with files: (name, content) or (name, content, type)."""

    def send(path: str, *files: Any, field: str = "attachments", headers: Any = None, **fields: Any) -> Any:
        uploads = [SimpleUploadedFile(file[0], file[1], *(file[2:] or ("application/octet-stream",))) for file in files]
        data = {**fields, **({field: uploads} if uploads else {})}
        return api.post(path, data, format="multipart", headers=headers)

    return send


def kept_files(store: Path) -> list[Path]:
    """Everything that lies in storage, small copies of pictures left out."""
    return sorted(path for path in store.rglob("*") if path.is_file() and path.suffix != ".thumbnail")
