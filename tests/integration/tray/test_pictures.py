"""The one picture: refused when it is anything else, and in the tracker exactly once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import TokenUse
from tests.factories.files import PAGE, PDF, PROGRAM, SVG, archive, office, picture
from tests.integration.attachments.conftest import kept_files, limits  # noqa: F401  (a fixture)
from tests.integration.tray.conftest import Tray, refused, work
from tests.sandbox.client import rule
from tickets.models import Attachment, Board, FileDelivery, Submission, Ticket

pytestmark = pytest.mark.django_db
UPLOAD: dict[str, Any] = {"method": "POST", "path": "/attachments$"}
CREATE: dict[str, Any] = {"method": "POST", "path": "/issue$"}
PNG = picture()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_picture_of_each_kind_is_kept_with_its_ticket(tray: Tray, helpdesk: Board, store: Path, kind: str) -> None:
    name, media_type = f"a.{kind.lower()}", f"image/{kind.lower()}"
    content = picture(kind)
    tray.accepted(tray.token(), image=(name, content, media_type))
    kept = Attachment.objects.get()
    ticket = Ticket.objects.get()
    assert (kept.ticket, kept.message, kept.media_type, kept.size) == (
        ticket, ticket.messages.get(), media_type, len(content),
    )  # fmt: skip
    assert (kept.uploaded_by, kept.uploaded_by_person, kept.name) == (None, ticket.requester, name)
    assert (store / kept.key).read_bytes() == content


HOSTILE: dict[str, tuple[str, bytes, str]] = {
    "an SVG": ("a.svg", SVG, "image/svg+xml"),
    "an SVG that is called a PNG": ("a.png", SVG, "image/png"),
    "a page": ("a.png", PAGE, "image/png"),
    "an archive": ("a.png", archive(a="x"), "image/png"),
    "a document": ("a.png", office(), "image/png"),
    "a PDF": ("a.pdf", PDF, "application/pdf"),
    "a program": ("a.png", PROGRAM, "image/png"),
    "a picture that is called a program": ("a.exe", PNG, "image/png"),
    "a picture that is called a script": ("a.png.bat", PNG, "image/png"),
    "a picture with an archive behind it": ("a.png", PNG + archive(a="x"), "image/png"),
    "a picture with a page behind it": ("a.gif", picture("GIF") + PAGE, "image/gif"),
    "half a picture": ("a.png", PNG[: len(PNG) // 2], "image/png"),
    "a picture's first bytes": ("a.png", PNG[:8], "image/png"),
    "a BMP": ("a.bmp", picture("BMP"), "image/bmp"),
    "text": ("a.png", b"I am a picture", "image/png"),
    "nothing": ("a.png", b"", "image/png"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_anything_else_refuses_the_request_and_uses_up_no_token(
    tray: Tray, helpdesk: Board, store: Path, what: str
) -> None:
    token = tray.token()
    assert refused(tray.submit(token, image=HOSTILE[what]), 400).startswith("image: ")
    assert not Ticket.objects.exists()
    assert not TokenUse.objects.exists()
    assert kept_files(store) == []
    tray.accepted(token, image=("a.png", PNG))


NAMES = [
    "../../../etc/passwd.png", "/etc/cron.d/x", "..\\..\\x.png", "C:\\Users\\Ann\\x.png", "a\x00.png", "..", "/",
    "x" * 500, "\u202egnp.exe.png", "CON", "a;b.png", "a\tb.png", "%2e%2e%2fx.png",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_name_that_is_a_path_goes_nowhere(tray: Tray, helpdesk: Board, store: Path, name: str) -> None:
    answer = tray.http.generic(
        "POST", "/api/tickets", _form(name), content_type="multipart/form-data; boundary=b",
        headers={"Authorization": f"Bearer {tray.token()}"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.content
    (path,) = kept_files(store)
    assert path.read_bytes() == PNG
    kept = Attachment.objects.get()
    assert path == store / kept.key
    assert not {"/", "\\", "\x00", "\u202e", "\t"} & set(kept.name)
    assert 0 < len(kept.name) <= 120
    assert kept.name not in {".", ".."}


def test_part_without_a_file_name_is_no_picture(tray: Tray, helpdesk: Board) -> None:
    """What browsers send when no file was chosen."""
    headers = {"Authorization": f"Bearer {tray.token()}"}
    kind = "multipart/form-data; boundary=b"
    assert (
        tray.http.generic("POST", "/api/tickets", _form("", b""), content_type=kind, headers=headers).status_code == 200
    )
    assert not Attachment.objects.exists()


def _form(file_name: str, content: bytes = PNG) -> bytes:
    """As a program that does not care: the name exactly as it is."""
    texts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("title", "Printer"), ("description", "It smokes."))
    )
    head = f'--b\r\nContent-Disposition: form-data; name="image"; filename="{file_name}"\r\n'
    head += "Content-Type: image/png\r\n\r\n"
    return (texts + head).encode() + content + b"\r\n--b--\r\n"


def test_picture_beyond_the_limit_is_too_large(
    tray: Tray,
    helpdesk: Board,
    store: Path,
    limits: Callable[..., None],  # noqa: F811  (the fixture)
) -> None:
    limits(tray_bytes=len(PNG) - 1)
    token = tray.token()
    refused(tray.submit(token, image=("a.png", PNG)), 413)
    limits(tray_bytes=len(PNG) - 1, max_bytes=len(PNG) - 1)  # stopped while it is read
    refused(tray.submit(token, image=("a.png", PNG)), 413)
    assert not TokenUse.objects.exists()
    limits(tray_bytes=len(PNG), max_bytes=1)
    tray.accepted(token, image=("a.png", PNG))


def test_picture_with_too_many_pixels_is_refused(
    tray: Tray,
    helpdesk: Board,
    limits: Callable[..., None],  # noqa: F811  (the fixture)
) -> None:
    limits(megapixels=0)
    assert "megapixels" in refused(tray.submit(tray.token(), image=("a.png", PNG)), 400)


def test_files_under_other_names_are_not_lost_in_silence(tray: Tray, helpdesk: Board) -> None:
    token = tray.token()
    from_client = tray.http.post(
        "/api/tickets", {"title": "a", "description": "b", "picture": _upload(), "image": _upload()},
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert refused(from_client, 400).startswith("picture: ")
    two = tray.http.post(
        "/api/tickets", {"title": "a", "description": "b", "image": [_upload(), _upload()]},
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert refused(two, 400).startswith("image: ")
    assert refused(tray.submit(token, more=_upload()), 400).startswith("more: ")
    assert not TokenUse.objects.exists()


def _upload() -> SimpleUploadedFile:
    return SimpleUploadedFile("a.png", PNG, "image/png")


def test_store_that_does_not_answer_loses_nothing(tray: Tray, helpdesk: Board, store: Path) -> None:
    token = tray.token()
    store.parent.mkdir(exist_ok=True)
    store.write_bytes(b"a file in the place of the folder")
    answer = tray.submit(token, image=("a.png", PNG))
    refused(answer, 503)
    assert answer.headers["Retry-After"]
    assert not TokenUse.objects.exists()
    store.unlink()
    tray.accepted(token, image=("a.png", PNG))


def test_picture_of_a_submission_that_is_refused_later_is_dropped(tray: Tray, store: Path) -> None:
    assert refused(tray.submit(tray.token(), image=("a.png", PNG)), 400).startswith("board: ")
    assert kept_files(store) == []


class TestIntoTheTracker:
    @pytest.mark.parametrize(
        "faults",
        [
            [],
            [rule("drop_after", count=1, **UPLOAD)],
            [rule("status_after_effect", count=1, status=502, **UPLOAD)],
            [rule("drop_before", count=1, **UPLOAD)],
            [rule("drop_after", count=1, **CREATE), rule("drop_after", count=1, **UPLOAD)],
        ],
        ids=["well", "upload lost after", "upload 502 after", "upload lost before", "both lost after"],
    )
    def test_picture_stands_on_the_issue_once_whatever_is_lost(
        self, tray: Tray, jira_board: Board, faults: list[Any]
    ) -> None:
        token = tray.token()
        tray.entra.control.faults(*faults)
        instance = tray.accepted(token, image=("screen.png", PNG))
        tray.accepted(token, image=("again.png", PNG))
        for _ in range(6):
            work(beyond_window=True)
        (issue,) = tray.entra.control.issues()
        assert [(file["size"], file["filename"].startswith("screen-")) for file in issue["attachments"]] == [
            (len(PNG), True)
        ]
        assert FileDelivery.objects.get().state == Submission.objects.get().state == "done"
        assert tray.status(instance, token)["status"] == "success"

    def test_picture_that_the_tracker_refuses_does_not_hide_that_the_ticket_is_there(
        self, tray: Tray, jira_board: Board
    ) -> None:
        token = tray.token()
        tray.entra.control.faults(rule("no_permission", permission="CREATE_ATTACHMENTS"))
        instance = tray.accepted(token, image=("screen.png", PNG))
        for _ in range(2):
            work()
        assert FileDelivery.objects.get().state == "parked"
        assert tray.status(instance, token)["status"] == "success"
