"""What both embedded servers have in common."""

import signal
import subprocess
from abc import ABC, abstractmethod

from supporthub.runtime.binaries import Program
from supporthub.runtime.errors import StartError
from supporthub.runtime.homes import Home
from supporthub.runtime.processes import Command, spawn, stop, tail, wait_until

_START_SECONDS = 30.0


class EmbeddedServer(ABC):
    """A database server on a private unix socket, started from here.

    The supervisor takes `prepare`, `command` and `is_ready` and keeps the process itself; tests use `start`, `stop`,
    `kill`, `pause` and `resume`. `durable=False` trades safety for speed and is for throw-away data.
    """

    name: str
    program: Program

    def __init__(self, home: Home, *, durable: bool = True) -> None:
        self.home = home
        self.durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address for settings."""

    @abstractmethod
    def prepare(self) -> None:
        """Make what the first start needs; clear what a crash left. Safe before every start. Raises StartError."""

    @abstractmethod
    def command(self) -> Command:
        """How to start the server."""

    @abstractmethod
    def is_ready(self, pid: int) -> bool:
        """Whether the process `pid` answers."""

    @property
    def pid(self) -> int | None:
        """The running process's id; None when it does not run."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start the server and wait until it answers. No effect while it runs. Raises StartError."""
        if self.pid is not None:
            return
        self.prepare()
        command = self.command()
        process = self._process = spawn(command)
        answered = wait_until(lambda: process.poll() is not None or self.is_ready(process.pid), _START_SECONDS)
        if not answered or process.poll() is not None:
            stop(process, command)
            raise StartError(f"{self.name} did not start", tail(command.log) if command.log else ())

    def stop(self) -> None:
        """End the server in order; what it holds is kept."""
        if self._process is not None:
            stop(self._process, self.command())
            self._process = None

    def kill(self) -> None:
        """End the server as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Freeze the server: it keeps its sockets and answers nothing until `resume`."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError(f"{self.name} does not run")
        return self._process
