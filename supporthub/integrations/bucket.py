"""An S3-compatible store as Django storage; its failures are OSError, as a folder's are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

from boto3.exceptions import Boto3Error  # type: ignore[import-untyped]
from boto3.s3.transfer import TransferConfig  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from storages.backends.s3 import S3Storage  # type: ignore[import-untyped]

MB = 1024 * 1024
# Parts of one file go one after the other: with parallel parts a file of 25 MB would be in memory as a whole.
_TRANSFER = TransferConfig(multipart_threshold=8 * MB, multipart_chunksize=8 * MB, use_threads=False)


class StoreDownError(OSError):
    """The object store refused, or did not answer."""


class Bucket(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """django-storages' backend with bounded waits and memory. Objects carry no type that came from a client."""

    def get_default_settings(self) -> dict[str, Any]:
        """Return django-storages' defaults, with the hub's own on top."""
        return {
            **super().get_default_settings(),
            "object_parameters": {"ContentType": "application/octet-stream"},
            "client_config": Config(
                connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 3, "mode": "standard"},
                # Stores that only speak S3's older checksums refuse the newer default.
                request_checksum_calculation="when_required", response_checksum_validation="when_required",
            ),
            "max_memory_size": MB,  # what is read is kept on disk beyond this
            "transfer_config": _TRANSFER,
        }  # fmt: skip

    def _save(self, name: str, content: Any) -> str:
        with _failures_as_os_errors():
            return str(super()._save(name, content))

    def _open(self, name: str, mode: str = "rb") -> IO[bytes]:
        with _failures_as_os_errors():
            file = super()._open(name, mode)
            file.open()  # fetches it to disk: later reads cannot fail
            return file  # type: ignore[no-any-return]  # django-storages has no types

    def exists(self, name: str) -> bool:
        with _failures_as_os_errors():
            return bool(super().exists(name))

    def delete(self, name: str) -> None:
        with _failures_as_os_errors():
            super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with _failures_as_os_errors():
            folders, files = super().listdir(path)
            return list(folders), list(files)

    def get_modified_time(self, name: str) -> datetime:
        with _failures_as_os_errors():
            return super().get_modified_time(name)  # type: ignore[no-any-return]  # as above


@contextmanager
def _failures_as_os_errors() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, Boto3Error, ClientError) as error:
        raise StoreDownError(f"the object store failed: {type(error).__name__}") from error
