"""What the hub needs of a tracker, in our words. Adapters live in tickets/clients."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class IssueDraft:
    """An issue to be made. `tag` marks it so that it can be found again; `html` is sanitised; `link` leads back."""

    tag: str
    project_key: str
    issue_type: str
    title: str
    html: str
    text: str
    priority: str
    labels: tuple[str, ...]
    reporter_email: str
    reporter_name: str
    ticket_key: str
    link: str


@dataclass(frozen=True, slots=True)
class IssueRef:
    """Where an issue is. `number` is the key's numeric part; `url` is for people."""

    issue_id: str
    key: str
    number: int
    url: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A field that the tracker refused and that the issue was made without."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Created:
    ref: IssueRef
    adjustments: tuple[Adjustment, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The issue with the tag; `duplicates` are further ones with the same tag, which must not be."""

    ref: IssueRef
    duplicates: tuple[IssueRef, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Missing:
    """No issue with the tag was seen.

    `conclusive` only when the look itself was proven to work: our identity was accepted and a known issue was seen
    by the same means. `reason` says, for a person, what the look was worth.
    """

    conclusive: bool
    reason: str


Finding = Found | Missing


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file to be put on an issue. `name` holds the marker by which it is found again; `open` gives its bytes."""

    name: str
    marker: str
    media_type: str
    size: int
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class FileFound:
    """The files on the issue with the marker, by id, oldest first; more than one must not be."""

    ids: tuple[str, ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class FileMissing:
    """No file with the marker. `conclusive` when the issue's files were really listed."""

    conclusive: bool
    reason: str


FileFinding = FileFound | FileMissing


class IssueTracker(Protocol):
    """A tracker's adapter. Calls raise errors of supporthub.core.errors and retry nothing themselves."""

    def create_issue(self, draft: IssueDraft) -> Created:
        """Create once. Raises OutcomeUnknown when it may have happened, IntegrationError when it did not."""

    def find_issue(
        self, *, tag: str, project_key: str, watermark: int, control_key: str, since: date | None = None
    ) -> Finding:
        """Look for the issue with `tag`, by search and by reading keys above `watermark`.

        `control_key` is an issue known to exist (or empty): seeing it proves that reading works. `since` is a day on
        which the issue cannot have been there yet: without a watermark, the older issues tell where to begin.
        """

    def newest_number(self, *, project_key: str) -> int:
        """The number of a recent issue of the project, 0 when it shows none; may lag, never runs ahead."""

    def find_tagged(self, *, project_key: str, tags: Sequence[str]) -> Mapping[str, tuple[IssueRef, ...]]:
        """The issues that carry each of `tags` (at most fifty), oldest first; by the search index, so it may lag."""

    def add_watcher(self, *, issue_id: str, email: str) -> bool:
        """Add a watcher; idempotent. False when the tracker knows nobody with this address."""

    def mark_duplicates(self, ref: IssueRef, duplicates: tuple[IssueRef, ...]) -> None:
        """Mark further issues with the same tag as duplicates of `ref`; idempotent."""

    def add_file(self, *, issue_id: str, file: OutgoingFile) -> str:
        """Put the file on the issue, once; its id there. Raises as `create_issue` does.

        Rejected says in words for a person what to mend: a switched-off feature, a limit, a missing permission.
        """

    def find_file(self, *, issue_id: str, marker: str, size: int) -> FileFinding:
        """Look at the issue's files for the marker. Reads the issue itself and no index, so it does not lag."""
