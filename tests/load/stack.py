"""The hub of the benchmarks, with what they do beside it."""

import json
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

import tests.stack
from supporthub.runtime import plan
from supporthub.runtime.environment import ROOT, read_config
from supporthub.runtime.processes import Command, spawn, stop, tail, wait_until
from tests.stack import Ports

HUB_APPLICATION = "supporthub.asgi:application"
QUEUES = ("tracker", "celery")
_MOST_FILES = 20_000


class Stack(tests.stack.Stack):
    """One hub with its sandbox, and other programs of the benchmarks; all end with it."""

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports=ports)
        self._beside: list[tuple[subprocess.Popen[bytes], Command]] = []

    def start(self) -> Self:
        _allow_many_files()
        return super().start()

    def stop(self) -> None:
        for process, command in self._beside:
            stop(process, command)
        self._beside.clear()
        super().stop()

    # -- other processes

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

    def pid_beside(self, application: str) -> int:
        """The process of an application that `serve_beside` started."""
        return next(process.pid for process, command in self._beside if command.name == application)

    # -- disturbing

    def settle(self) -> None:
        """Forget all outward work that is left over: an empty queue, nothing due, a fresh worker."""
        self.control.clear_faults()
        queues = self.redis()
        queues.delete(*QUEUES, "unacked", "unacked_index")
        with self.connect() as database:
            database.execute(
                "UPDATE tickets_submission SET state = 'cancelled'"
                " WHERE state IN ('pending', 'running', 'unknown', 'parked', 'held')"
            )
            database.execute("UPDATE tickets_tracker SET resting_until = NULL, paused = false")
        worker = self.pid_of("worker")
        self.kill("worker")
        self.wait_for(lambda: self.pid("worker") not in {None, worker}, 30)


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
