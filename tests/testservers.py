"""A pytest plugin that starts a throw-away PostgreSQL and Redis before Django's settings are read.

Loaded by `-p tests.testservers` (a `conftest.py` would come too late). `TEST_DATABASE_URL` and `TEST_REDIS_URL` name
servers to use instead. They die with the test run, also by kill -9; what that
leaves on disk, the next run removes.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from supporthub.runtime.environment import ENTRA_CREDENTIALS, JIRA_VARIABLES, SANDBOX_ACTIVE
from supporthub.runtime.homes import Home, servers_account
from supporthub.runtime.postgres import EmbeddedPostgres
from supporthub.runtime.processes import running_pid, write_pid_file
from supporthub.runtime.redis_server import EmbeddedRedis

_PREFIX = "supporthub-tests-"
# A container's /dev/shm is often 64 MB, which one test database fills.
_LEAST_MEMORY = 1024**3
_FOREIGN_VARIABLES = (
    *JIRA_VARIABLES, *ENTRA_CREDENTIALS, "ENTRA_AUTHORITY", "AUTH_MODE",
    "SUPPORTHUB_SANDBOX", SANDBOX_ACTIVE, "SUPPORTHUB_SANDBOX_PAGE",
)  # fmt: skip


class Servers:
    """The run's servers, for tests that stop, freeze or kill one (and start it again: the address stays)."""

    def __init__(self) -> None:
        self._postgres: EmbeddedPostgres | None = None
        self._redis: EmbeddedRedis | None = None
        self._folder: Path | None = None

    @property
    def postgres(self) -> EmbeddedPostgres:
        if self._postgres is None:
            raise RuntimeError("this run did not start PostgreSQL itself: unset TEST_DATABASE_URL, do not use xdist")
        return self._postgres

    @property
    def redis(self) -> EmbeddedRedis:
        if self._redis is None:
            raise RuntimeError("this run did not start Redis itself: unset TEST_REDIS_URL, do not use xdist")
        return self._redis

    def start(self) -> None:
        """Start what the environment does not name, and point the settings' variables at it."""
        parent = _parent_folder()
        _remove_old_folders(parent)
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._folder.chmod(0o711)  # the servers' user passes through; everything inside is private
        write_pid_file(self._folder / "pytest.pid", os.getpid())
        atexit.register(self.stop)
        logs = self._folder / "logs"
        logs.mkdir(mode=0o700)
        home = Home(place=self._folder, sockets=self._folder / "s", logs=logs, account=servers_account())
        database_url, redis_url = os.environ.get("TEST_DATABASE_URL"), os.environ.get("TEST_REDIS_URL")
        if not database_url:
            self._postgres = EmbeddedPostgres(home, durable=False)
            self._postgres.start()
            database_url = self._postgres.url
        if not redis_url:
            self._redis = EmbeddedRedis(home, durable=False)
            self._redis.start()
            redis_url = self._redis.url
        for name in _FOREIGN_VARIABLES:
            os.environ.pop(name, None)
        data_dir = self._folder / "data"
        data_dir.mkdir(mode=0o700)
        os.environ.update(DATABASE_URL=database_url, REDIS_URL=redis_url, DATA_DIR=str(data_dir))

    def stop(self) -> None:
        """End the servers and remove their data."""
        for server in (self._redis, self._postgres):
            if server is not None:
                server.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


servers = Servers()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None]:
    """Start the servers before pytest-django imports the settings; xdist's workers inherit the environment."""
    if "PYTEST_XDIST_WORKER" not in os.environ and not {"-h", "--help", "-V", "--version"} & set(sys.argv):
        servers.start()
    return (yield)


def _parent_folder() -> Path:
    memory = Path("/dev/shm")  # noqa: S108  (mkdtemp makes a private folder there)
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _LEAST_MEMORY:
        return memory
    return Path(tempfile.gettempdir())


def _remove_old_folders(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            mine = folder.stat().st_uid == os.geteuid()
        except FileNotFoundError:  # another run has just removed it
            continue
        if mine and (folder / "pytest.pid").exists() and running_pid(folder / "pytest.pid") is None:
            shutil.rmtree(folder, ignore_errors=True)


def main(command: list[str]) -> int:
    """`python -m tests.testservers COMMAND …`: run a command beside throw-away servers; return its exit code."""
    servers.start()
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
