"""A file as the one part of a form, read while it is sent: it is never in memory as a whole."""

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from supporthub.core.errors import Rejected, TransientError


@dataclass(frozen=True, slots=True)
class FilePart:
    """`size` bytes of `stream`, which must be at its beginning. `patience`: seconds that sending them may take."""

    form_field: str
    name: str
    media_type: str
    size: int
    stream: BinaryIO
    patience: float
    headers: Mapping[str, str] = field(default_factory=dict)

    def started(self) -> BinaryIO:
        """The stream as the HTTP library reads it; the clock runs from here."""
        return cast(BinaryIO, _Metered(self))


class _Metered(io.RawIOBase):
    """Ends the sending when it takes too long or the file is shorter than it was.

    Both happen before the declared length is reached, so the other side has no whole request and has done nothing.
    """

    def __init__(self, part: FilePart) -> None:
        super().__init__()
        self._part = part
        self._sent = 0
        self._until = time.monotonic() + part.patience

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Only to learn the length, and back to the beginning before anything is sent."""
        position = self._part.size + offset if whence == io.SEEK_END else offset
        if position == 0:
            self._part.stream.seek(0)
            self._sent = 0
        return position

    def tell(self) -> int:
        return self._sent

    def read(self, size: int = -1) -> bytes:
        left = self._part.size - self._sent
        data = self._part.stream.read(min(size, left) if size >= 0 else left)
        self._sent += len(data)
        if len(data) < left and not data:
            raise Rejected("The file in the hub's store is shorter than it was", code="file_damaged")
        if self._sent < self._part.size and time.monotonic() > self._until:
            raise TransientError("The connection is too slow for this file", code="too_slow")
        return data
