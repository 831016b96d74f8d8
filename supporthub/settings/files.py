"""Files that people send: where they lie and how large they may be; every fault of the settings is one line."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supporthub.settings.env import Env

MB = 1024 * 1024
KINDS = ("picture", "document", "text", "archive", "recording", "diagnostic", "macros", "web")
"""What may be allowed; `tickets.parsing.kinds` says what belongs to each. Programs are in none of them."""
DEFAULT_KINDS = "picture,document,text,archive,recording,diagnostic"
_FORM_ROOM = 2 * MB  # the texts of a form that brings files
_BUCKET = "ATTACHMENTS_S3_BUCKET"
_OF_A_BUCKET = (
    "ATTACHMENTS_S3_ENDPOINT", "ATTACHMENTS_S3_REGION", "ATTACHMENTS_S3_KEY", "ATTACHMENTS_S3_SECRET",
    "ATTACHMENTS_S3_PREFIX",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Files:
    """Limits in bytes, and the storage as an entry of STORAGES."""

    max_bytes: int
    tray_bytes: int
    per_message: int
    per_ticket: int
    megapixels: int
    kinds: frozenset[str]
    spool: Path
    storage: dict[str, Any] = field(repr=False)

    @property
    def largest_file(self) -> int:
        return max(self.max_bytes, self.tray_bytes)

    @property
    def largest_request(self) -> int:
        """All files that one message may bring, at their largest, and the form around them."""
        return max(self.per_message * self.max_bytes, self.tray_bytes) + _FORM_ROOM


def read_files(env: Env, *, data_dir: Path, media_root: Path) -> Files:
    """Read the ATTACHMENT…, TRAY_IMAGE… and UPLOAD… variables; faults are noted in `env`."""
    kinds = env.words("ATTACHMENT_KINDS", DEFAULT_KINDS)
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        env.faults.append(f"ATTACHMENT_KINDS has {unknown[0]!r}: use some of {', '.join(KINDS)}")
    return Files(
        max_bytes=env.integer("ATTACHMENT_MAX_MB", 25, least=1) * MB,
        tray_bytes=env.integer("TRAY_IMAGE_MAX_MB", 10, least=1) * MB,
        per_message=env.integer("ATTACHMENTS_PER_MESSAGE", 10, least=1),
        per_ticket=env.integer("ATTACHMENTS_PER_TICKET", 200, least=1),
        megapixels=env.integer("ATTACHMENT_MAX_MEGAPIXELS", 50, least=1),
        kinds=frozenset(kinds),
        spool=Path(env.text("UPLOAD_SPOOL_DIR", str(data_dir / "spool"))),
        storage=_storage(env, media_root),
    )


def _storage(env: Env, media_root: Path) -> dict[str, Any]:
    """A folder below MEDIA_ROOT, or, with ATTACHMENTS_S3_BUCKET, a bucket of an S3-compatible store."""
    bucket = env.text(_BUCKET, "")
    given = [name for name in _OF_A_BUCKET if env.text(name, "")]
    if given and not bucket:
        env.faults.append(f"{_BUCKET} is missing: needed because {given[0]} is set")
    env.all_or_none("ATTACHMENTS_S3_KEY", "ATTACHMENTS_S3_SECRET")
    endpoint = env.url("ATTACHMENTS_S3_ENDPOINT", "")
    if not bucket:
        private = {"location": str(media_root), "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
        return {"BACKEND": "supporthub.core.storage.SyncedFolder", "OPTIONS": private}
    options = {
        "bucket_name": bucket,
        "endpoint_url": endpoint or None,
        "region_name": env.text("ATTACHMENTS_S3_REGION", "") or None,
        "access_key": env.text("ATTACHMENTS_S3_KEY", "") or None,
        "secret_key": env.text("ATTACHMENTS_S3_SECRET", "") or None,
        "location": env.text("ATTACHMENTS_S3_PREFIX", ""),
    }
    return {"BACKEND": "supporthub.integrations.bucket.Bucket", "OPTIONS": options}
