"""The hub as `manage.py up` runs it, in a folder of its own, with what the benchmarks do to it from outside."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
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

from supporthub.runtime import plan
from supporthub.runtime.environment import NOTES_FILE, ROOT, read_config
from supporthub.runtime.processes import Command, running_pid, spawn, stop, tail, wait_until
from tests.sandbox.client import Control, free_port

ADMIN, PASSWORD = "load@example.org", "a-password-for-one-benchmark"
HUB_APPLICATION = "supporthub.asgi:application"
QUEUES = ("tracker", "celery")
_START_SECONDS = 120.0
_MOST_FILES = 20_000
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_RUNTIME_DIR", "VIRTUAL_ENV")
# Set and empty: nothing of the machine's own `.env` may lead a benchmark to a real system.
_NOT_FROM_ENV_FILE = ("ATLASSIAN_URL", "ATLASSIAN_USER", "ATLASSIAN_API_TOKEN", "DATABASE_URL", "REDIS_URL", "HOST")
# A run signs in more often than a person does.
_BENCHMARK_SETTINGS = {"THROTTLE_SIGN_IN": "6000/min"}


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
    """One hub with its sandbox. Everything ends with it, also when this process is killed."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.folder = Path(tempfile.mkdtemp(prefix="supporthub-load-"))
        self.folder.chmod(0o711)  # the servers' unprivileged user passes through; everything inside is private
        self.data_dir = self.folder / "data"
        self.port, self.sandbox_port = ports.take(), ports.take()
        self.url = f"http://127.0.0.1:{self.port}"
        self._up: tuple[subprocess.Popen[bytes], Command] | None = None
        self._beside: list[tuple[subprocess.Popen[bytes], Command]] = []
        self._control: Control | None = None

    def __enter__(self) -> Self:
        _allow_many_files()
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _start(self) -> None:
        log = self.folder / "up.log"
        # `spawn` starts everything private; the data folder must be one that the servers' user can enter.
        arguments = ["sh", "-c", 'umask 022; exec "$0" "$@"', sys.executable, "manage.py", "up"]
        command = Command("up", arguments, ROOT, env=self._outer(), log=log, grace=60.0)
        process = spawn(command)
        self._up = process, command
        ready = self.data_dir / "run" / "ready"
        wait_until(lambda: running_pid(ready) == process.pid or process.poll() is not None, _START_SECONDS)
        if running_pid(ready) != process.pid:
            raise RuntimeError("the hub did not start:\n" + "\n".join(tail(log, 20)))
        secret = parse_qs(urlsplit(self.environment["SUPPORTHUB_SANDBOX_PAGE"]).query)["secret"][0]
        self._control = Control(f"http://127.0.0.1:{self.sandbox_port}", secret)

    def _end(self) -> None:
        # What was frozen is woken, so that everything can end in order.
        for name in ("supervisor", "worker", "redis"):
            self._signal(name, signal.SIGCONT)
        for process, command in (*self._beside, *([self._up] if self._up else [])):
            stop(process, command)
        if self._control is not None:
            self._control.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- other processes

    @property
    def control(self) -> Control:
        """The sandbox's control calls."""
        if self._control is None:
            raise RuntimeError("the stack has not been started")
        return self._control

    @property
    def environment(self) -> dict[str, str]:
        """What a process beside the hub needs to reach the same database, Redis and sandbox."""
        notes = json.loads((self.data_dir / NOTES_FILE).read_text(encoding="utf-8"))
        return {**self._outer(), **notes["environment"]}

    def serve_beside(self, application: str, settings: str = "") -> int:
        """Start another ASGI application with exactly the server flags of the hub's web process; return its port."""
        port = self.ports.take()
        environment = {**self.environment, "PORT": str(port)}
        if settings:
            environment["DJANGO_SETTINGS_MODULE"] = settings
        made = plan.web(read_config(environment), environment)
        arguments = [application if word == HUB_APPLICATION else word for word in made.argv]
        log = self.folder / f"{application.partition(':')[0]}.log"
        command = Command(application, arguments, ROOT, env=environment, log=log)
        process = spawn(command)
        self._beside.append((process, command))
        if not wait_until(lambda: _listens(port), 20):
            raise RuntimeError(f"{application} did not start:\n" + "\n".join(tail(log, 20)))
        return port

    def talk_to(self, module: str, *arguments: str) -> "Companion":
        """Start `python -m module` with the hub's environment; it is spoken to by lines of JSON."""
        return Companion([sys.executable, "-m", module, *arguments], self.environment, self.folder / f"{module}.log")

    def inside(self, *arguments: str) -> Any:
        """Run one command of `tests.load.inside` with the hub's settings; return what it says."""
        command = [sys.executable, "-m", "tests.load.inside", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def pid(self, name: str) -> int:
        """The id of a running child of the supervisor; RuntimeError while it is down."""
        pid = running_pid(self.data_dir / "run" / f"{name}.pid")
        if pid is None:
            raise RuntimeError(f"{name} is not running")
        return pid

    def pid_of(self, application: str) -> int:
        """The process of an application that `serve_beside` started."""
        return next(process.pid for process, command in self._beside if command.name == application)

    # -- looking

    def token(self) -> str:
        """An access token of the admin."""
        answer = httpx.post(
            f"{self.url}/api/v1/auth/token/", json={"email": ADMIN, "password": PASSWORD}, timeout=10, trust_env=False
        )
        return str(answer.raise_for_status().json()["access"])

    def database(self) -> psycopg.Connection[Any]:
        """A new connection of our own, every statement for itself."""
        parts = urlsplit(self.environment["DATABASE_URL"])
        sockets, _, name = parts.path.removeprefix("/").rpartition("/")
        return psycopg.connect(host=sockets, dbname=name, user=parts.username, autocommit=True, connect_timeout=5)

    def redis(self) -> redis.Redis:
        """A new client of our own."""
        return redis.Redis.from_url(self.environment["REDIS_URL"], socket_timeout=2)

    # -- disturbing

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """Stop children (SIGSTOP) for a while, as a stalled machine does."""
        for name in names:
            self._signal(name, signal.SIGSTOP)
        try:
            yield
        finally:
            for name in names:
                self._signal(name, signal.SIGCONT)

    @contextmanager
    def without_redis(self) -> Iterator[None]:
        """Redis killed; the supervisor, which would start it again, is frozen meanwhile."""
        with self.frozen("supervisor"):
            self._signal("redis", signal.SIGKILL)
            yield
        self.wait_for_redis()

    def wait_for_redis(self) -> None:
        """Wait until Redis answers (again)."""
        if not wait_until(self._redis_answers, 30, every=0.1):
            raise RuntimeError("Redis does not answer")

    def settle(self) -> None:
        """Forget all outward work that is left over: an empty queue, nothing due, a fresh worker."""
        self.control.clear_faults()
        queues = self.redis()
        queues.delete(*QUEUES, "unacked", "unacked_index")
        with self.database() as database:
            database.execute(
                "UPDATE tickets_submission SET state = 'cancelled'"
                " WHERE state IN ('pending', 'running', 'unknown', 'parked', 'held')"
            )
            database.execute("UPDATE tickets_tracker SET resting_until = NULL, paused = false")
        worker = self.pid("worker")
        os.kill(worker, signal.SIGKILL)
        note = self.data_dir / "run" / "worker.pid"
        if not wait_until(lambda: running_pid(note) not in {None, worker}, 30):
            raise RuntimeError("the worker did not come back")

    def _redis_answers(self) -> bool:
        try:
            return bool(self.redis().ping())
        except redis.RedisError:
            return False

    def _signal(self, name: str, number: signal.Signals) -> None:
        pid = running_pid(self.data_dir / "run" / f"{name}.pid")
        if pid is not None:
            os.kill(pid, number)

    def _outer(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {
            **kept,
            **dict.fromkeys(_NOT_FROM_ENV_FILE, ""),
            **_BENCHMARK_SETTINGS,
            "DJANGO_SETTINGS_MODULE": "supporthub.settings.local",
            "DATA_DIR": str(self.data_dir),
            "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
            "SMTP_PORT": str(self.ports.take()),
            "SUPPORTHUB_SANDBOX": "auto",
            "SUPPORTHUB_ADMIN_EMAIL": ADMIN,
            "SUPPORTHUB_ADMIN_PASSWORD": PASSWORD,
        }


class Companion:
    """A helper process that answers each line of JSON with one; it dies with this process."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                argv, cwd=ROOT, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
            )
        self._log = log

    def ask(self, **question: Any) -> Any:
        """Say one thing and return the answer; RuntimeError with the end of its log when it has died."""
        self.say(**question)
        return self.hear()

    def say(self, **question: Any) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the companion has no input")
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout else b""
        if not line:
            raise RuntimeError("a helper process ended:\n" + "\n".join(tail(self._log, 20)))
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Its input ends, and so does it; kill it when it does not."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def memory_of(pid: int) -> float:
    """Resident memory of a process in MB."""
    shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(shown.stdout) / 1024


def _listens(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/", timeout=2, trust_env=False)
    except httpx.HTTPError:
        return False
    return True


def _allow_many_files() -> None:
    """Thousands of sockets need as many files, here and in the servers that inherit the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(_MOST_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
