"""A folder as storage in which a saved file survives a power cut."""

import os
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage


class SyncedFolder(FileSystemStorage):
    """Django's folder storage; `save` returns only when the file and the names that lead to it are on the disk."""

    def _save(self, name: str, content: Any) -> str:
        known = self._deepest_folder(name)
        saved = str(super()._save(name, content))  # type: ignore[misc]  # Django's own hook, which the stubs leave out
        path = Path(self.path(saved))
        _sync(path)
        folder = path.parent
        _sync(folder)
        while folder != known:  # folders that were made on the way have names that must last too
            folder = folder.parent
            _sync(folder)
        return saved

    def _deepest_folder(self, name: str) -> Path:
        """The folder nearest to the file that is there already, at most the storage's own root's parent."""
        folder = Path(self.path(name)).parent
        while not folder.exists():
            folder = folder.parent
        return folder


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
