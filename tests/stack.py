"""The whole hub as `manage.py up` runs it, in a folder of its own, for tests that look at it from outside.

Everything ends with the process that started it, also by kill -9; what that leaves on disk, the next start removes.
Start it on the main thread: the kernel ties the hub's life to the thread that started it.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import redis
from celery import Celery

from supporthub.runtime.environment import ENTRA_CREDENTIALS, JIRA_VARIABLES, NOTES_FILE, ROOT
from supporthub.runtime.processes import Command, running_pid, spawn, stop, tail, wait_until, write_pid_file
from tests.sandbox.client import Control, free_port

CHILDREN = ("web", "worker", "beat", "redis", "postgres", "sandbox")
ADMIN, PASSWORD = "first.admin@hub.example", "a-password-for-one-test-run"
UP = (sys.executable, "manage.py", "up")
_PREFIX = "supporthub-stack-"
_OWNER = "owner.pid"
_START_SECONDS = 180.0
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_RUNTIME_DIR", "PYTHONPATH", "VIRTUAL_ENV")
# Set and empty: nothing of the machine's own `.env` may lead a test to a real system.
_NOT_FROM_ENV_FILE = (*JIRA_VARIABLES, "ENTRA_AUTHORITY", *ENTRA_CREDENTIALS, "DATABASE_URL", "REDIS_URL", "HOST")
# One client does here what hundreds of people do.
_GENEROUS = {
    "THROTTLE_SIGN_IN": "6000/min", "THROTTLE_INTAKE": "1000000/min", "THROTTLE_API_CLIENT": "1000000/min",
    "PASSWORD_SIGN_IN": "always",  # beside the played Entra
}  # fmt: skip


@dataclass
class Ports:
    """Free ports of loopback; from `first` on when it is given."""

    first: int | None = None
    _numbers: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        self._numbers = count(self.first or 0)

    def take(self) -> int:
        return next(self._numbers) if self.first else free_port()


class Stack:
    """One hub with its sandbox.

    `settings` are added to the hub's environment; `command` starts it (by default `manage.py up`). With `keep`, or when
    the `with` block fails, the folder with all logs stays after the end.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        *,
        command: Sequence[str] = UP,
        ports: Ports | None = None,
        admin: str = ADMIN,
        password: str = PASSWORD,
    ) -> None:
        _remove_old_folders()
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self.folder.chmod(0o711)  # the servers' unprivileged user passes through; everything inside is private
        write_pid_file(self.folder / _OWNER, os.getpid())
        self.data_dir = self.folder / "data"
        self.data_dir.mkdir(mode=0o711)
        self.data_dir.chmod(0o711)
        self.log = self.folder / "up.log"
        self.ports = ports or Ports()
        self.port, self.sandbox_port = self.ports.take(), self.ports.take()
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin, self.password = admin, password
        self.keep = False
        self._settings = {**_GENEROUS, **(settings or {})}
        self._command = tuple(command)
        self._up: tuple[subprocess.Popen[bytes], Command] | None = None
        self._control: Control | None = None

    # -- starting and ending

    def start(self) -> Self:
        """Start everything and wait until it is ready; RuntimeError with the end of the log when it does not come up.

        After `stop` or `crash` it may be started again, with the same data.
        """
        command = Command("up", self._command, ROOT, env=self.outer_environment(), log=self.log, grace=60.0)
        process = spawn(command)
        self._up = process, command
        ready = self.data_dir / "run" / "ready"
        wait_until(lambda: running_pid(ready) == process.pid or process.poll() is not None, _START_SECONDS, every=0.05)
        if running_pid(ready) != process.pid:
            raise RuntimeError("the hub did not start:\n" + self.last_words(40))
        self._close_control()
        secret = parse_qs(urlsplit(self.environment["SUPPORTHUB_SANDBOX_PAGE"]).query)["secret"][0]
        self._control = Control(f"http://127.0.0.1:{self.sandbox_port}", secret)
        return self

    def stop(self) -> None:
        """End everything in order. What was frozen is woken first."""
        self.signal(signal.SIGCONT, "supervisor", *CHILDREN)
        if self._up is not None:
            stop(*self._up)
            self._up = None
        self._close_control()

    def crash(self) -> None:
        """kill -9 of the supervisor and of every process that it started, at once."""
        if self._up is None:
            return
        process, _command = self._up
        pids = [pid for name in CHILDREN if (pid := self.pid(name)) is not None]
        process.kill()
        for pid in pids:
            _send(pid, signal.SIGKILL)
        process.wait()
        self._up = None

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.crash()
            self._remove()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is None and not self.keep:
            self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _close_control(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None

    # -- disturbing

    def pid(self, name: str) -> int | None:
        """The id of a running child, or of the `supervisor`; None while it is down."""
        return running_pid(self.data_dir / "run" / f"{name}.pid")

    def pid_of(self, name: str) -> int:
        """As `pid`; RuntimeError while it is down."""
        pid = self.pid(name)
        if pid is None:
            raise RuntimeError(f"{name} is not running")
        return pid

    def signal(self, number: signal.Signals, *names: str) -> bool:
        """Send a signal to those of the children that run; whether all of them did."""
        pids = [self.pid(name) for name in names]
        sent = [pid is not None and _send(pid, number) for pid in pids]
        return all(sent)

    def kill(self, name: str) -> bool:
        """kill -9 of one child, which the supervisor starts again; False when it is down at the moment."""
        return self.signal(signal.SIGKILL, name)

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """Stop children (SIGSTOP) for the time of the block, as a stalled disk or a paused machine does."""
        self.signal(signal.SIGSTOP, *names)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT, *names)

    def freeze(self, name: str, seconds: float) -> bool:
        """Stop one child for a number of seconds; False when it is down."""
        if self.pid(name) is None:
            return False
        with self.frozen(name):
            time.sleep(seconds)
        return True

    @contextmanager
    def without_redis(self) -> Iterator[None]:
        """Redis killed; the supervisor, which would start it again, is frozen meanwhile."""
        with self.frozen("supervisor"):
            self.kill("redis")
            yield
        self.wait_for_redis()

    def wait_for_redis(self) -> None:
        """Wait until Redis answers (again)."""
        if not wait_until(self._redis_answers, 60, every=0.1):
            raise RuntimeError("Redis does not answer")

    # -- looking

    @property
    def control(self) -> Control:
        """The sandbox's control calls."""
        if self._control is None:
            raise RuntimeError("the stack has not been started")
        return self._control

    @property
    def jira_url(self) -> str:
        """The address under which the hub knows its Jira."""
        return f"http://127.0.0.1:{self.sandbox_port}/jira"

    @property
    def environment(self) -> dict[str, str]:
        """What a process beside the hub needs to reach the same database, Redis and sandbox."""
        notes = json.loads((self.data_dir / NOTES_FILE).read_text(encoding="utf-8"))
        return {**self.outer_environment(), **notes["environment"]}

    @property
    def conninfo(self) -> str:
        """What psycopg connects to."""
        parts = urlsplit(self.environment["DATABASE_URL"])
        sockets, _, name = parts.path.removeprefix("/").rpartition("/")
        return f"host={sockets} dbname={name} user={parts.username} connect_timeout=5"

    def connect(self) -> psycopg.Connection[Any]:
        """A new connection to the database, every statement for itself."""
        return psycopg.connect(self.conninfo, autocommit=True)

    def redis(self) -> redis.Redis:
        """A new client of the hub's Redis."""
        return redis.Redis.from_url(self.environment["REDIS_URL"], socket_timeout=2)

    def token(self, email: str = "", password: str = "") -> str:
        """An access token of the API, by default the admin's."""
        login = {"email": email or self.admin, "password": password or self.password}
        answer = httpx.post(f"{self.url}/api/v1/auth/token/", json=login, timeout=30, trust_env=False)
        return str(answer.raise_for_status().json()["access"])

    def ready(self) -> bool:
        """Whether web answers that it is ready and the sandbox that it listens."""
        try:
            web = httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False)
            self.control.state()
        except httpx.HTTPError:
            return False
        return web.status_code == httpx.codes.OK

    def wait_ready(self, seconds: float = 90.0) -> None:
        """Wait until every child runs and the hub answers; RuntimeError with the end of the log when it does not."""
        self.wait_for(lambda: all(self.pid(name) is not None for name in CHILDREN) and self.ready(), seconds)

    def wait_for(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until `condition` holds; RuntimeError with the end of the log when it does not."""
        if not wait_until(condition, seconds, every=0.1):
            raise RuntimeError(f"not so after {seconds:.0f} s:\n" + self.last_words(20))

    def last_words(self, lines: int = 20) -> str:
        """The end of the supervisor's log."""
        return "\n".join(tail(self.log, lines))

    # -- acting from inside

    def manage(self, *arguments: str) -> str:
        """Run a management command beside the hub and return what it printed; RuntimeError when it fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{arguments[0]}: {done.stderr[-2000:]}")
        return done.stdout

    def shell(self, code: str) -> Any:
        """Run Python with the hub's settings; return what its last printed line says as JSON, None without one."""
        lines = self.manage("shell", "--no-imports", "-c", code).splitlines()
        return json.loads(lines[-1]) if lines else None

    def send_task(self, name: str) -> None:
        """Put a task into the queue, as beat does at its time. Raises when Redis does not answer."""
        broker = self.environment["REDIS_URL"].replace("unix://", "redis+socket://", 1)
        with Celery(broker=broker, set_as_current=False) as producer:
            producer.send_task(name, queue="celery", ignore_result=True)

    def outer_environment(self) -> dict[str, str]:
        """The environment in which `up` is started."""
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {
            **kept,
            **dict.fromkeys(_NOT_FROM_ENV_FILE, ""),
            "DJANGO_SETTINGS_MODULE": "supporthub.settings.local",
            "DATA_DIR": str(self.data_dir),
            "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
            "SUPPORTHUB_SANDBOX": "auto",
            "SUPPORTHUB_ADMIN_EMAIL": self.admin,
            "SUPPORTHUB_ADMIN_PASSWORD": self.password,
            **self._settings,
        }

    def _redis_answers(self) -> bool:
        try:
            with self.redis() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def _send(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _remove_old_folders() -> None:
    """What stacks left behind whose owner was killed: their folders, and the servers' folders for sockets."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder / _OWNER
        try:
            is_old = folder.stat().st_uid == os.geteuid() and owner.exists() and running_pid(owner) is None
        except FileNotFoundError:  # another run has just removed it
            continue
        if is_old:
            _remove_sockets(folder / "data" / NOTES_FILE)
            shutil.rmtree(folder, ignore_errors=True)


def _remove_sockets(notes: Path) -> None:
    try:
        address = json.loads(notes.read_text(encoding="utf-8"))["environment"]["REDIS_URL"]
    except (OSError, ValueError, KeyError):  # it died before its servers started
        return
    folder = Path(urlsplit(address).path).parent
    if folder.name.startswith("supporthub-"):
        shutil.rmtree(folder, ignore_errors=True)
