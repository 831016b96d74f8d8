"""Files of Jira issues: putting one there once, and finding it again by the marker in its name."""

from collections.abc import Sequence
from typing import Any

from supporthub.core.errors import Rejected
from supporthub.integrations.file_part import FilePart
from supporthub.integrations.jira.client import JiraClient
from supporthub.integrations.jira.schemas import AttachmentMeta
from tickets.clients.jira_cache import Memory
from tickets.ports import FileFinding, FileFound, FileMissing, OutgoingFile

_META_KNOWN_FOR = 15 * 60.0
_MB = 1024 * 1024


class Files:
    """For one call of the port; `patience` is how long, in seconds, the sending of one file may take."""

    def __init__(self, client: JiraClient, remembered: Memory, *, patience: float) -> None:
        self._client = client
        self._memory = remembered
        self._patience = patience

    def demand_fit(self, file: OutgoingFile) -> None:
        """Raise Rejected when the site takes no attachments, or none of this size. Nothing old refuses a file."""
        meta: AttachmentMeta = self._memory.recall(self._meta_key, self._ask_meta)
        if not meta["enabled"] or file.size > meta["uploadLimit"]:
            self._memory.forget(self._meta_key)
            meta = self._memory.recall(self._meta_key, self._ask_meta)
        if not meta["enabled"]:
            raise Rejected(
                "Jira takes no attachments: a Jira admin can switch them on (System, Attachments).",
                code="attachments_off",
            )
        if file.size > meta["uploadLimit"]:
            raise self._too_large(file, meta["uploadLimit"])

    def add(self, issue_id: str, file: OutgoingFile) -> str:
        """Upload once. Raises OutcomeUnknown when it may have happened, otherwise what Jira's refusal means."""
        with file.open() as stream:
            part = FilePart("file", file.name, file.media_type, file.size, stream, self._patience)
            try:
                return self._client.add_attachment(issue_id, part)
            except Rejected as refusal:
                self._memory.forget(self._meta_key)
                raise self._explained(refusal, file) from refusal

    def find(self, issue_id: str, *, marker: str, size: int) -> FileFinding:
        """Read the issue from Jira's database and look at its files' names."""
        issue = self._client.get_issue(issue_id, fields=["attachment"])
        listed: Any = (issue.get("fields") or {}).get("attachment")
        if not isinstance(listed, list):
            return FileMissing(conclusive=False, reason="Jira did not list the issue's attachments.")
        ours = [item for item in listed if isinstance(item, dict) and marker in str(item.get("filename", ""))]
        if not ours:
            return FileMissing(conclusive=True, reason=f"The issue has {len(listed)} attachments, and not this one.")
        return FileFound(_ids(ours), is_whole=all(item.get("size") == size for item in ours))

    @property
    def _meta_key(self) -> tuple[str, ...]:
        return ("attachment-meta", self._client.base_url)

    def _ask_meta(self) -> tuple[AttachmentMeta, float]:
        return self._client.attachment_meta(), _META_KNOWN_FOR

    def _explained(self, refusal: Rejected, file: OutgoingFile) -> Rejected:
        if refusal.code == "too_large":
            return self._too_large(file, None, refusal)
        if refusal.code == "forbidden":
            lacking = "Our Jira account lacks the permission 'Create attachments' in this project"
            text = f"{lacking}; a Jira admin can grant it."
            return Rejected(text, code="forbidden", detail=refusal.detail, status=refusal.status)
        return refusal

    @staticmethod
    def _too_large(file: OutgoingFile, limit: int | None, refusal: Rejected | None = None) -> Rejected:
        most = f"; it takes at most {_readable(limit)}" if limit is not None else ", or the issue is full"
        return Rejected(
            f"“{file.name}” ({_readable(file.size)}) is too large for Jira{most}. A Jira admin can raise the limit "
            "(System, Attachments); accepting leaves the file in the hub only.",
            code="too_large", detail=refusal.detail if refusal else "", status=refusal.status if refusal else None,
        )  # fmt: skip


def _readable(size: int) -> str:
    return f"{size / _MB:.1f} MB" if size >= _MB else f"{size / 1024:.1f} kB"


def _ids(attachments: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Oldest first: ids are numbers that grow."""
    numbers = [str(item.get("id", "")) for item in attachments]
    return tuple(sorted(numbers, key=lambda number: (len(number), number)))
