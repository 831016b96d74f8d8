"""What nobody should send: a clear answer, nothing kept, and nothing written outside of the store."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from supporthub.core.errors import InvalidInput, TooLarge
from tests.factories.files import PAGE, PDF, PROGRAM, SVG, archive, named, picture
from tests.integration.attachments.conftest import Post, kept_files
from tickets.models import Attachment, Message, Ticket
from tickets.services.attachments import discard, store_upload, tray_rule

pytestmark = pytest.mark.django_db


def refused(answer: Any, status: int = 400, field: str = "attachments") -> str:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    return " ".join(answer.json()["errors"][field])


@pytest.fixture
def send(post: Post, ticket: Ticket) -> Callable[..., Any]:
    """Send a message with these files."""
    path = f"/api/v1/tickets/{ticket.key}/messages/"
    return lambda *files, **more: post(path, *files, kind="public", body="See file.", **more)


@pytest.fixture
def nothing_kept(store: Path, tmp_path: Path, ticket: Ticket) -> Any:
    """Afterwards: no message, no row, no file; nothing in the spool, and nothing beside both."""
    before = Message.objects.count()
    yield
    assert Message.objects.count() == before
    assert not Attachment.objects.exists()
    assert kept_files(store) == []
    assert list((tmp_path / "spool").glob("*")) == []
    assert {path.name for path in tmp_path.iterdir()} <= {"media", "spool"}


@pytest.mark.usefixtures("nothing_kept")
class TestRefused:
    def test_an_empty_file(self, send: Callable[..., Any]) -> None:
        assert refused(send(("empty.log", b""))) == "This file is empty."

    @pytest.mark.parametrize("content", [SVG, PAGE, archive(a_DOT_log="x"), PDF, PROGRAM, b"GIF89a=1;alert(1)"])
    def test_something_else_as_a_picture(self, send: Callable[..., Any], content: bytes) -> None:
        words = refused(send(("error.png", content, "image/png")))
        assert words.startswith(("The name says that", "Programs and scripts", "This picture is damaged"))

    @pytest.mark.parametrize("name", ["page.html", "drawing.svg", "run.bat", "setup.exe", "invoice.pdf.exe", "a.lnk"])
    def test_what_browsers_or_systems_run(self, send: Callable[..., Any], name: str) -> None:
        refused(send((name, PAGE if "." in name[-5:] else b"x")))

    def test_one_bad_file_among_good_ones(self, send: Callable[..., Any]) -> None:
        refused(send(("one.log", b"words"), ("error.png", picture()), ("setup.exe", PROGRAM)))

    def test_a_file_over_the_limit_is_413_while_it_is_read(
        self, send: Callable[..., Any], limits: Callable[..., None]
    ) -> None:
        limits(max_bytes=100_000, tray_bytes=50_000)
        answer = send(("big.log", b"x" * 100_001))
        assert "larger than" in refused(answer, 413)
        assert answer.json()["code"] == "too_large"

    def test_more_files_than_a_message_takes(self, send: Callable[..., Any]) -> None:
        assert refused(send(*((f"{n}.log", b"x") for n in range(11)))) == "At most 10 files at once."

    def test_ten_thousand_parts(self, send: Callable[..., Any], api: APIClient, ticket: Ticket) -> None:
        refused(send(*((f"{n}.log", b"x") for n in range(10_000))))
        many = {f"f{number}": "x" for number in range(10_000)}
        answer = api.post(f"/api/v1/tickets/{ticket.key}/messages/", many, format="multipart")
        assert (answer.status_code, answer.json()["code"]) == (400, "too_many_parts")

    def test_a_decompression_bomb(self, limits: Callable[..., None]) -> None:
        limits(megapixels=1)
        with pytest.raises(InvalidInput, match="image"):
            store_upload(named(picture(size=(1500, 1000)), "screen.png"), rule=tray_rule())

    def test_a_text_where_a_file_belongs(self, api: APIClient, ticket: Ticket) -> None:
        data = {"kind": "public", "body": "See file.", "attachments": "not a file"}
        assert "send a file" in refused(api.post(f"/api/v1/tickets/{ticket.key}/messages/", data, format="multipart"))

    def test_a_file_where_a_text_belongs(self, send: Callable[..., Any]) -> None:
        refused(send(("title.log", b"x"), field="title"), field="title")

    def test_a_body_that_breaks_off_inside_a_file(self, api: APIClient, ticket: Ticket) -> None:
        body = b'--b\r\nContent-Disposition: form-data; name="attachments"; filename="a.log"\r\n\r\nhalf of it'
        answer = api.post(
            f"/api/v1/tickets/{ticket.key}/messages/", body, content_type="multipart/form-data; boundary=b"
        )
        assert "broke off" in refused(answer)

    def test_a_store_that_does_not_answer(self, send: Callable[..., Any], tmp_path: Path, store: Path) -> None:
        store.write_text("a file where the folder should be")
        answer = send(("bad-day.log", b"words"))
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        store.unlink()


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../../../etc/cron.d/evil", "evil"),
        ("..\\..\\windows\\system32\\evil.log", "evil.log"),
        ("/absolute/path.log", "path.log"),
        ("..", "file"),
        ("./", "file"),
        ("a\u202egol.exe.log", "agol.exe.log"),
        ("x" * 900 + ".log", "x" * 116 + ".log"),
    ],
)
def test_a_path_as_a_name_is_only_shown_and_leads_nowhere(
    api: APIClient, ticket: Ticket, store: Path, *, sent: str, shown: str
) -> None:
    part = "Content-Disposition: form-data; name="
    body = (
        f'--b\r\n{part}"kind"\r\n\r\npublic\r\n--b\r\n{part}"attachments"; filename="{sent}"\r\n\r\nwords\r\n--b--\r\n'
    ).encode()
    path = f"/api/v1/tickets/{ticket.key}/messages/"
    answer = api.post(path, body, content_type="multipart/form-data; boundary=b")
    assert answer.status_code == 201, answer.json()
    assert [one["name"] for one in answer.json()["attachments"]] == [shown]
    (kept,) = kept_files(store)
    row = Attachment.objects.get()
    assert kept == store / row.key
    assert len(kept.name) == 32
    assert set(kept.name) <= set("0123456789abcdef")
    assert {path.name for path in store.parent.iterdir()} <= {"media", "spool"}


class TestTray:
    """The stricter door: one picture, and nothing but a picture."""

    def test_a_picture_of_each_format_is_stored(self, store: Path) -> None:
        for kind in ("PNG", "JPEG", "GIF", "WEBP"):
            file = store_upload(named(picture(kind, (60, 40)), "screen"), rule=tray_rule())
            assert (file.is_picture, file.width, file.height) == (True, 60, 40)
        assert len(kept_files(store)) == 4

    @pytest.mark.parametrize("content", [SVG, PAGE, archive(a_DOT_log="x"), PDF, b"words", picture("BMP"), b""])
    def test_everything_else_is_refused_and_named(self, store: Path, content: bytes) -> None:
        with pytest.raises(InvalidInput) as refusal:
            store_upload(named(content, "screen.png"), rule=tray_rule())
        assert list(refusal.value.errors) == ["image"]
        assert kept_files(store) == []

    @pytest.mark.parametrize("tail", [archive(a_DOT_log="x"), PAGE, b"\x00"])
    def test_a_picture_that_is_something_else_as_well_is_refused(self, store: Path, tail: bytes) -> None:
        with pytest.raises(InvalidInput) as refusal:
            store_upload(named(picture() + tail, "screen.png"), rule=tray_rule())
        assert "hidden" in refusal.value.errors["image"][0]

    def test_its_size_is_its_own(self, limits: Callable[..., None]) -> None:
        limits(tray_bytes=1024)
        with pytest.raises(TooLarge):
            store_upload(named(picture(size=(900, 900)) + b"x" * 1024, "screen.png"), rule=tray_rule())

    def test_what_was_stored_can_be_dropped(self, store: Path) -> None:
        file = store_upload(named(picture(), "screen.png"), rule=tray_rule())
        discard([file])
        assert [path for path in store.rglob("*") if path.is_file()] == []
