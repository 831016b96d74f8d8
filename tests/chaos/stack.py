"""The whole hub as an operator starts it, in a folder of its own, with everything that a campaign does to it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

import httpx
from celery import Celery

from supporthub.runtime.environment import NOTES_FILE, ROOT
from supporthub.runtime.processes import running_pid, tail, wait_until
from tests.chaos.orders import Orders
from tests.sandbox.client import Control, free_port

CHILDREN = ("web", "worker", "beat", "redis", "postgres", "sandbox")
ADMIN, PASSWORD = "chaos@example.org", "a-password-for-one-campaign"
CAREFUL, NAIVE = "tests.chaos.entry", "tests.chaos.entry_naive"
# Of 1 in production: time-outs of 0.6 s, a lease of 1.6 s, a reconcile window of 6 s, a sweep every 0.1 s.
TIME_SCALE = 0.01
WINDOW = 600 * TIME_SCALE
_START_SECONDS = 180.0  # a second or two of work each; the rest is for a machine that has much else to do
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_RUNTIME_DIR", "PYTHONPATH", "VIRTUAL_ENV")
# Set and empty: nothing of the machine's own `.env` may lead a campaign to a real system.
_NOT_FROM_ENV_FILE = ("ATLASSIAN_URL", "ATLASSIAN_USER", "ATLASSIAN_API_TOKEN", "DATABASE_URL", "REDIS_URL", "HOST")


class Stack:
    """One hub and its sandbox. `worker` is the worker's application: careful or naive."""

    def __init__(self, worker: str = CAREFUL) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="supporthub-chaos-"))
        self.folder.chmod(0o711)  # the servers' unprivileged user passes through; everything inside is private
        self.data_dir = self.folder / "data"
        self.orders = Orders(self.folder / "orders")
        self.port, self.sandbox_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.keep = False  # the folder, after the end
        self._worker = worker
        self._process: subprocess.Popen[bytes] | None = None
        self._control: Control | None = None

    # -- starting and ending

    def start(self) -> Self:
        """Start everything and wait until it is ready. AssertionError with the log when it does not come up."""
        with (self.folder / "up.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.chaos.up"]
            process = self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        ready = self.data_dir / "run" / "ready"
        wait_until(lambda: running_pid(ready) == process.pid or process.poll() is not None, _START_SECONDS)
        assert running_pid(ready) == process.pid, "\n".join(tail(self.folder / "up.log", 40))
        if self._control is not None:
            self._control.close()
        secret = parse_qs(urlsplit(self._notes()["SUPPORTHUB_SANDBOX_PAGE"]).query)["secret"][0]
        self._control = Control(f"http://127.0.0.1:{self.sandbox_port}", secret)
        return self

    def stop(self) -> None:
        """End everything in order."""
        process = self._process
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            self.crash()
        self._process = None

    def crash(self) -> None:
        """kill -9 of the supervisor and of every process that it started, at once."""
        process = self._process
        if process is None:
            return
        pids = [self.pid(name) for name in CHILDREN]
        process.kill()
        for pid in pids:
            if pid is not None:
                _send(pid, signal.SIGKILL)
        process.wait()
        self._process = None

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.crash()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._control is not None:
            self._control.close()
        if error is None and not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    # -- disturbing

    def pid(self, name: str) -> int | None:
        """The id of a running child; None while it is down."""
        return running_pid(self.data_dir / "run" / f"{name}.pid")

    def kill(self, name: str) -> bool:
        """kill -9 of one child, which the supervisor starts again; False when it is down at the moment."""
        pid = self.pid(name)
        return pid is not None and _send(pid, signal.SIGKILL)

    def freeze(self, name: str, seconds: float) -> bool:
        """Stop one child for a while, as a stalled disk or a paused machine does; False when it is down."""
        pid = self.pid(name)
        if pid is None or not _send(pid, signal.SIGSTOP):
            return False
        time.sleep(seconds)
        _send(pid, signal.SIGCONT)
        return True

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
    def database(self) -> str:
        """What psycopg connects to."""
        parts = urlsplit(self._notes()["DATABASE_URL"])
        sockets, _, name = parts.path.removeprefix("/").rpartition("/")
        return f"host={sockets} dbname={name} user={parts.username} connect_timeout=5"

    def ready(self) -> bool:
        """Whether web answers that it is ready and the sandbox that it listens."""
        try:
            web = httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False)
            self.control.state()
        except httpx.HTTPError:
            return False
        return web.status_code == httpx.codes.OK

    def wait_ready(self, seconds: float = 40.0) -> None:
        """Wait until every child runs and the hub answers."""
        up = wait_until(
            lambda: all(self.pid(name) is not None for name in CHILDREN) and self.ready(), seconds, every=0.1
        )
        assert up, f"not ready after {seconds:.0f} s:\n" + "\n".join(tail(self.folder / "up.log", 20))

    def send_task(self, name: str) -> None:
        """Put a task into the queue, as beat does at its time. Raises when Redis does not answer."""
        broker = self._notes()["REDIS_URL"].replace("unix://", "redis+socket://", 1)
        with Celery(broker=broker, set_as_current=False) as producer:
            producer.send_task(name, queue="celery", ignore_result=True)

    def _notes(self) -> dict[str, str]:
        notes = json.loads((self.data_dir / NOTES_FILE).read_text(encoding="utf-8"))
        return dict(notes["environment"])

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {
            **kept,
            **dict.fromkeys(_NOT_FROM_ENV_FILE, ""),
            "DJANGO_SETTINGS_MODULE": "supporthub.settings.local",
            "DATA_DIR": str(self.data_dir),
            "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
            "SMTP_PORT": str(free_port()),
            "SUPPORTHUB_SANDBOX": "auto",
            "SUPPORTHUB_ADMIN_EMAIL": ADMIN,
            "SUPPORTHUB_ADMIN_PASSWORD": PASSWORD,
            "DELIVERY_TIME_SCALE": str(TIME_SCALE),
            "THROTTLE_SIGN_IN": "6000/min",
            "THROTTLE_INTAKE": "60000/min",
            "CHAOS_ORDERS": str(self.folder / "orders"),
            "CHAOS_WORKER": self._worker,
        }


def _send(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
