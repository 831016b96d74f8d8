"""Where files lie: a folder whose files survive a power cut, or a bucket."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from supporthub.core.doctor import Verdict
from supporthub.core.errors import Unavailable
from supporthub.core.storage import SyncedFolder
from supporthub.settings.env import Env, SettingsError
from supporthub.settings.files import MB, read_files
from tests.factories.accounts import technician
from tests.factories.files import picture, stored
from tests.integration.attachments import bucket as played
from tickets.models import Attachment, Ticket
from tickets.services.attachments import add_files, file_store
from tickets.services.orphans import sweep_files
from tickets.services.reading import open_file
from tickets.services.storage_check import storage_findings

NOWHERE = Path("/nowhere")


def test_a_saved_file_and_every_name_that_leads_to_it_are_synced(tmp_path: Path) -> None:
    synced: list[str] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        sync(descriptor)

    folder = SyncedFolder(location=tmp_path / "media", file_permissions_mode=0o600, directory_permissions_mode=0o700)
    with patch("supporthub.core.storage.os.fsync", noted):
        folder.save("attachments/2026/11/22/abc", ContentFile(b"words"))
    below = tmp_path / "media/attachments/2026/11/22"
    assert [Path(path) for path in synced] == [below / "abc", below, *list(below.parents)[:5]]
    assert stat.S_IMODE((below / "abc").stat().st_mode) == 0o600
    assert stat.S_IMODE(below.stat().st_mode) == 0o700


class TestSettings:
    @staticmethod
    def faults(**variables: str) -> list[str]:
        env = Env(variables)
        read_files(env, data_dir=NOWHERE, media_root=NOWHERE)
        try:
            env.finish()
        except SettingsError as error:
            return error.faults
        return []

    def test_the_defaults_are_a_folder(self) -> None:
        files = read_files(Env({}), data_dir=NOWHERE, media_root=NOWHERE / "media")
        assert files.storage["BACKEND"] == "supporthub.core.storage.SyncedFolder"
        assert (files.max_bytes, files.tray_bytes, files.per_message) == (25 * MB, 10 * MB, 10)
        assert files.largest_request == 252 * MB
        assert files.spool == NOWHERE / "spool"

    @pytest.mark.parametrize(
        ("variables", "fault"),
        [
            ({"ATTACHMENT_KINDS": "picture,exe"}, "ATTACHMENT_KINDS has 'exe': use some of picture, document,"),
            ({"ATTACHMENT_MAX_MB": "0"}, "ATTACHMENT_MAX_MB is '0': use a whole number of at least 1"),
            ({"ATTACHMENTS_S3_ENDPOINT": "https://s3.example"}, "ATTACHMENTS_S3_BUCKET is missing: needed because"),
            (
                {"ATTACHMENTS_S3_BUCKET": "b", "ATTACHMENTS_S3_KEY": "k"},
                "ATTACHMENTS_S3_SECRET is missing: needed because",
            ),
            (
                {"ATTACHMENTS_S3_BUCKET": "b", "ATTACHMENTS_S3_ENDPOINT": "http://s3.example"},
                "ATTACHMENTS_S3_ENDPOINT is 'http://s3.example': plain http is accepted on loopback only",
            ),
        ],
    )
    def test_a_fault_is_one_line_that_names_the_variable(self, variables: dict[str, str], fault: str) -> None:
        (said,) = self.faults(**variables)
        assert said.startswith(fault)

    def test_a_secret_never_stands_in_the_representation(self) -> None:
        variables = {"ATTACHMENTS_S3_BUCKET": "b", "ATTACHMENTS_S3_KEY": "k", "ATTACHMENTS_S3_SECRET": "very-secret"}
        assert "very-secret" not in repr(read_files(Env(variables), data_dir=NOWHERE, media_root=NOWHERE))


@pytest.fixture
def bucket(tmp_path: Path, settings: Settings) -> Iterator[played.Store]:
    """A played bucket that the settings name, as an operator would."""
    folder = tmp_path / "bucket"
    folder.mkdir()
    with played.running(folder) as store:
        variables = {"ATTACHMENTS_S3_BUCKET": "files", "ATTACHMENTS_S3_ENDPOINT": store.url,
                     "ATTACHMENTS_S3_REGION": "eu-west-1", "ATTACHMENTS_S3_KEY": "key",
                     "ATTACHMENTS_S3_SECRET": "secret", "ATTACHMENTS_S3_PREFIX": "hub"}  # fmt: skip
        files = read_files(Env(variables), data_dir=tmp_path, media_root=tmp_path)
        settings.FILES = files
        settings.STORAGES = {**settings.STORAGES, "attachments": files.storage}
        yield store


@pytest.mark.django_db
class TestBucket:
    def test_a_file_goes_there_under_its_random_key_and_comes_back(self, bucket: played.Store, ticket: Ticket) -> None:
        png = picture(size=(300, 200))
        add_files(ticket_id=ticket.pk, stored=[stored(png, "error.png")], actor=technician())
        row = Attachment.objects.get()
        assert bucket.names() == [f"hub/{row.key}", f"hub/{row.key}.thumbnail"]
        assert set(bucket.types.values()) == {"application/octet-stream"}, "it could never be served as what it is"
        with open_file(attachment=row, actor=technician()) as file:
            assert file.read() == png

    def test_a_large_file_goes_in_parts(self, bucket: played.Store) -> None:
        content = b"2026-11-22 it stopped\n" * (20 * MB // 22)
        file = stored(content)
        assert any("partNumber=3" in call for call in bucket.calls)
        with file_store().open(file.key) as back:
            assert back.read() == content

    def test_orphans_are_swept_there_too(self, bucket: played.Store, ticket: Ticket) -> None:
        add_files(ticket_id=ticket.pk, stored=[stored()], actor=technician())
        stored(picture(), "nobody-names-it.png")
        assert len(bucket.names()) == 3
        assert sweep_files() == 0
        for path in bucket.folder.iterdir():
            os.utime(path, (0, 0))
        assert sweep_files() == 1
        assert bucket.names() == [f"hub/{Attachment.objects.get().key}"]
        stored(name="old.log")
        for path in bucket.folder.iterdir():
            os.utime(path, (0, 0))
        assert sweep_files(everything=True) == 1

    def test_a_store_that_refuses_is_a_clear_answer(self, bucket: played.Store, ticket: Ticket) -> None:
        add_files(ticket_id=ticket.pk, stored=[stored()], actor=technician())
        bucket.broken = True
        with pytest.raises(Unavailable):
            stored()
        with pytest.raises(Unavailable):
            open_file(attachment=Attachment.objects.get(), actor=technician())
        assert sweep_files() == 0


class TestDoctor:
    def test_a_store_that_works_is_said_to_and_nothing_stays(self, store: Path) -> None:
        (store.parent / "spool").mkdir()
        assert [finding.verdict for finding in storage_findings()] == [Verdict.GOOD]
        assert [path for path in store.rglob("*") if path.is_file()] == []

    def test_a_missing_spool_and_a_store_that_refuses_name_their_fix(self, store: Path) -> None:
        store.write_text("a file where the folder should be")
        findings = list(storage_findings())
        assert [finding.verdict for finding in findings] == [Verdict.BAD, Verdict.BAD]
        assert "UPLOAD_SPOOL_DIR" in findings[0].fix
        assert "MEDIA_ROOT" in findings[1].fix
