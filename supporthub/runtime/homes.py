"""Where the embedded servers keep their data and sockets, and as which user they run.

PostgreSQL refuses to run as root. Started by root, both servers run as an unprivileged user, so their folders must be
places that this user can enter. The permissions of folders that others made are never changed.
"""

import hashlib
import itertools
import os
import pwd
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from supporthub.runtime.errors import StartError
from supporthub.runtime.processes import Account

STATE_ROOT = Path("/var/lib/supporthub")
# sun_path holds 108 bytes on Linux and 104 on macOS; PostgreSQL adds "/.s.PGSQL.5432".
LONGEST_SOCKET_PATH = 99
_SOCKET_NAME = "/.s.PGSQL.5432"
_NOBODY = 65534
_PRIVATE = 0o700
_PASSABLE = 0o711


@dataclass(frozen=True)
class Home:
    """`place` holds the folders `postgres` and `redis`; `sockets` is private to the servers' user."""

    place: Path
    sockets: Path
    logs: Path
    account: Account | None


def servers_account(existing_data: Path | None = None) -> Account | None:
    """Return the user to switch to: None for an ordinary user; for root the data's owner, else `nobody`."""
    if os.geteuid() != 0:
        return None
    if existing_data is not None and existing_data.exists():
        owner = existing_data.stat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(_NOBODY, _NOBODY)
    return Account(entry.pw_uid, entry.pw_gid)


def may_enter(path: Path, account: Account) -> bool:
    """Whether `account` (no further groups) can enter `path` and every folder above it."""
    folders = [path.resolve(), *path.resolve().parents]
    return all(_has_search_bit(folder.stat(), account) for folder in folders)


def _has_search_bit(entry: os.stat_result, account: Account) -> bool:
    if entry.st_uid == account.uid:
        return bool(entry.st_mode & stat.S_IXUSR)
    if entry.st_gid == account.gid:
        return bool(entry.st_mode & stat.S_IXGRP)
    return bool(entry.st_mode & stat.S_IXOTH)


def make_home(data_dir: Path, recorded: str | None, environ: Mapping[str, str], state_root: Path = STATE_ROOT) -> Home:
    """Make the folders below and around `data_dir` (which exists); `recorded` as in `choose_place`.

    Raises StartError when the recorded database is gone or is another checkout's, or a folder cannot be made.
    """
    account = servers_account(data_dir / (recorded or "") / "postgres")
    place = choose_place(data_dir, account, recorded, state_root)
    if recorded is not None and not (place / "postgres").is_dir():
        raise StartError(
            f"the database {place / 'postgres'} is gone: bring it back, or remove {data_dir} to start anew"
        )
    try:
        if place != data_dir:
            make_passable(place)
            _claim_place(place, data_dir)
            if account is not None and not may_enter(place, account):
                raise StartError(f"{_closed_to(place, account)} cannot be entered by the servers' user: chmod o+x it")
        logs = data_dir / "logs"
        logs.mkdir(mode=_PRIVATE, exist_ok=True)
    except OSError as error:
        raise StartError(f"{error.filename or place} cannot be made: {error.strerror}") from error
    return Home(place, make_socket_folder(data_dir, account, environ), logs, account)


def make_passable(folder: Path) -> None:
    """Make `folder` and what is missing above it so that every user may pass through, whatever the umask says.

    What is there already keeps its permissions.
    """
    if folder.is_dir():
        return
    make_passable(folder.parent)
    folder.mkdir(mode=_PASSABLE)
    folder.chmod(_PASSABLE)  # mkdir leaves out what the umask forbids


def _closed_to(folder: Path, account: Account) -> Path:
    """The outermost folder on the way that keeps the account out."""
    way = [*reversed(folder.resolve().parents), folder.resolve()]
    return next(one for one in way if not _has_search_bit(one.stat(), account))


def put_aside_data_without_notes(home: Home) -> list[Path]:
    """Rename data folders for which DATA_DIR has no note (any more); return their new names.

    Without the note the keys are gone, so the data can serve no new hub; it is the operator's to remove.
    """
    moved = []
    for folder in (home.place / "postgres", home.place / "redis"):
        if folder.exists():
            names = (folder.with_name(f"{folder.name}.{number}") for number in itertools.count(1))
            moved.append(folder.rename(next(name for name in names if not name.exists())))
    return moved


def _claim_place(place: Path, data_dir: Path) -> None:
    # A copied DATA_DIR brings the note of its original along; two hubs must not run on one database.
    owner_file = place / "data_dir"
    if owner_file.exists():
        owner = Path(owner_file.read_text(encoding="utf-8").strip())
        if owner != data_dir.resolve() and (owner / "embedded.json").exists():
            raise StartError(f"the database {place} belongs to {owner}: remove {data_dir / 'embedded.json'}")
    owner_file.write_text(f"{data_dir.resolve()}\n", encoding="utf-8")


def short_name(data_dir: Path) -> str:
    """Return a name for `data_dir` that fits into a path and differs between checkouts."""
    return hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]


def choose_place(data_dir: Path, account: Account | None, recorded: str | None, state_root: Path = STATE_ROOT) -> Path:
    """Return the folder for the servers' data.

    `recorded` is the choice of an earlier start (relative to `data_dir`, or absolute) and wins, so that a database is
    never silently begun anew because a permission changed.
    """
    if recorded is not None:
        return data_dir / recorded
    if account is None or may_enter(data_dir, account):
        return data_dir
    return state_root / short_name(data_dir)


def socket_folder_candidates(environ: Mapping[str, str], *, as_root: bool) -> list[Path]:
    """Return the places that are tried for sockets: private to this boot, short, and on a file system that has them."""
    runtime_dir = environ.get("XDG_RUNTIME_DIR")
    first = [Path("/run")] if as_root else [Path(runtime_dir)] if runtime_dir else []
    return [*first, Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108  (own folder, owner and mode checked)


def make_socket_folder(data_dir: Path, account: Account | None, environ: Mapping[str, str]) -> Path:
    """Make and return the folder for sockets; StartError when no place is short enough and writable."""
    owner = account.uid if account else os.geteuid()
    name = f"supporthub-{owner}-{short_name(data_dir)}"
    for parent in socket_folder_candidates(environ, as_root=os.geteuid() == 0):
        folder = parent / name
        if len(os.fsencode(folder)) + len(_SOCKET_NAME) > LONGEST_SOCKET_PATH or not parent.is_dir():
            continue
        try:
            make_private(folder, account)
        except OSError:
            continue
        return folder
    raise StartError("no place for the servers' sockets: /run and /tmp cannot be written, set TMPDIR to a short path")


def remove_socket_folder(home: Home) -> None:
    """Remove the folder for sockets once both servers have stopped; what is in use stays."""
    try:
        home.sockets.rmdir()
    except OSError:
        pass  # a server that had to be killed left a file; the next start clears it


def make_private(folder: Path, account: Account | None) -> None:
    """Make `folder` with mode 0700 for the servers' user. PermissionError when a stranger's folder or link is there."""
    try:
        folder.mkdir(mode=_PRIVATE)
        if account is not None:
            os.chown(folder, account.uid, account.gid)
    except FileExistsError:
        pass
    found = folder.lstat()
    expected = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {expected, os.geteuid()}:
        raise PermissionError(f"{folder} belongs to somebody else")
    if account is not None and found.st_uid != expected:
        os.chown(folder, account.uid, account.gid)
    if stat.S_IMODE(found.st_mode) != _PRIVATE:
        folder.chmod(_PRIVATE)
