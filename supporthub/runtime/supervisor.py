"""Keeps a set of processes alive until told to stop, then ends them in order."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from supporthub.runtime.errors import StartError, StopRequested
from supporthub.runtime.processes import Command, end_stranger, running_pid, spawn, tail, write_pid_file

FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0
# A child that lived this long was healthy: the next crash starts with the shortest delay again.
_HEALTHY_SECONDS = 10.0
_HOPELESS_CRASHES = 4
_QUOTED_CRASHES = 3
# How settings and management commands begin a line that already says what to change.
_FAULTS = ("supporthub: ", "CommandError: ")
_LONGEST_LOG = 5 * 1024 * 1024


@dataclass
class Service:
    """A row of the process table.

    `before_start` runs before every start and may raise StartError. A service is ready when `is_ready(pid)` says so and
    it has lived for `steady_seconds`, for programs that cannot be asked but end soon when something is wrong.
    """

    name: str
    command: Command
    is_ready: Callable[[int], bool] = lambda _pid: True
    before_start: Callable[[], None] = lambda: None
    steady_seconds: float = 0.0
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float | None = None
    crashes: int = 0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def ready(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            return False
        return time.monotonic() - self.started_at >= self.steady_seconds and self.is_ready(self.process.pid)


def next_delay(crashes: int) -> float:
    """Seconds before the restart that follows the `crashes`-th crash in a row."""
    return float(min(LONGEST_DELAY, FIRST_DELAY * 2 ** max(0, crashes - 1)))


class Supervisor:
    """Runs in the main thread of one process, without other threads.

    `run_dir/<name>.pid` names each running child. A stop request makes every waiting call raise StopRequested.
    """

    def __init__(self, run_dir: Path, say: Callable[[str], None]) -> None:
        self.run_dir = run_dir
        self.say = say
        self.stop_requests = 0
        self._services: dict[str, Service] = {}
        self._wakeup_read, self._wakeup_write = os.pipe()
        os.set_blocking(self._wakeup_write, False)
        os.set_blocking(self._wakeup_read, False)

    def listen(self) -> None:
        """Take over SIGINT, SIGTERM, SIGHUP and SIGCHLD. A hang-up that is ignored (nohup) stays ignored."""
        signal.set_wakeup_fd(self._wakeup_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._note_stop)

    def end_orphans(self) -> None:
        """End the processes that a supervisor of this folder left behind (where no death signal reached them)."""
        for path in sorted(self.run_dir.glob("*.pid")):
            pid = running_pid(path)
            if pid is not None and pid != os.getpid():
                gentle = signal.SIGINT if path.stem == "postgres" else signal.SIGTERM
                end_stranger(pid, gentle, signal.SIGKILL, patience=15)
            path.unlink(missing_ok=True)

    def start(self, service: Service) -> None:
        """Start a service and keep it running from now on. Raises StartError when its first start is impossible."""
        if service.command.log is not None:
            _rotate(service.command.log)
        service.before_start()
        self._services[service.name] = service
        self._spawn(service)

    def wait_ready(self, names: Sequence[str], seconds: float) -> None:
        """Wait until the services answer. StartError when one keeps crashing or does not answer in time."""

        def all_ready() -> bool:
            services = [self._services[name] for name in names]
            for service in services:
                if service.crashes >= _HOPELESS_CRASHES:
                    raise StartError(f"{service.name} does not start: see {service.command.log}", _tail(service))
            return all(service.ready for service in services)

        if not self.wait(all_ready, seconds):
            late = next(self._services[name] for name in names if not self._services[name].ready)
            raise StartError(f"{late.name} did not answer within {seconds:.0f} s: see {late.command.log}", _tail(late))

    def run_to_end(self, command: Command) -> None:
        """Run a command that ends by itself, while the services are looked after. StartError when it fails."""
        if command.log is not None:
            command.log.unlink(missing_ok=True)
        process = spawn(command)
        pid_file = self.run_dir / f"{command.name}.pid"
        write_pid_file(pid_file, process.pid)
        try:
            self.wait(lambda: process.poll() is not None, float("inf"))
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            pid_file.unlink(missing_ok=True)
        if process.returncode != 0:
            lines = tail(command.log) if command.log else []
            faults = [line.partition(": ")[2] for line in lines if line.startswith(_FAULTS)]
            if faults:
                raise StartError("\nsupporthub: ".join(faults))
            raise StartError(f"`manage.py {command.name}` failed: see {command.log}", lines)

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Look after the services until `condition` holds or the time is over; return whether it holds."""
        deadline = time.monotonic() + seconds
        while True:
            if self.stop_requests:
                raise StopRequested
            self._look_after()
            if condition():
                return True
            if time.monotonic() > deadline:
                return False
            self._sleep(0.05)

    def watch(self) -> None:
        """Look after the services until a stop is requested."""
        while not self.stop_requests:
            self._look_after()
            self._sleep(0.5)

    def stop_all(self, stages: Sequence[Sequence[str]]) -> None:
        """End every service, stage by stage; a second request to stop makes it quick."""
        seen_requests = max(1, self.stop_requests)
        for stage in stages:
            running = [self._services[name] for name in stage if name in self._services and self._services[name].alive]
            for service in running:
                _process(service).send_signal(signal.SIGCONT)
                _process(service).send_signal(service.command.stop_signal)
            deadline = time.monotonic() + max((service.command.grace for service in running), default=0)
            while any(service.alive for service in running):
                hurried = self.stop_requests > seen_requests and "postgres" not in stage
                if hurried or time.monotonic() > deadline:
                    break
                self._sleep(0.05)
            for service in running:
                if service.alive:
                    _process(service).kill()
                _process(service).wait()
                (self.run_dir / f"{service.name}.pid").unlink(missing_ok=True)

    def _spawn(self, service: Service) -> None:
        service.process = spawn(service.command)
        service.started_at = time.monotonic()
        service.due_at = None
        try:
            write_pid_file(self.run_dir / f"{service.name}.pid", service.process.pid)
        except OSError as error:  # a disk that fills up later must not end the hub
            self.say(f"{service.name}.pid cannot be written: {error.strerror}")

    def _look_after(self) -> None:
        now = time.monotonic()
        for service in self._services.values():
            if service.process is not None and service.process.poll() is not None:
                self._note_death(service, service.process.returncode, now)
            if service.due_at is not None and now >= service.due_at:
                self._restart(service)

    def _note_death(self, service: Service, code: int, now: float) -> None:
        service.process = None
        service.crashes = 1 if now - service.started_at > _HEALTHY_SECONDS else service.crashes + 1
        delay = next_delay(service.crashes)
        service.due_at = now + delay
        self.say(f"{service.name} {_ending(code)}; it starts again in {delay:.1f} s")
        if code > 0 and service.crashes <= _QUOTED_CRASHES:
            for line in _tail(service):
                self.say(f"  {service.name}: {line}")

    def _restart(self, service: Service) -> None:
        try:
            service.before_start()
            self._spawn(service)
        except StartError as error:
            self.say(f"{service.name}: {error}")
            service.crashes += 1
            service.due_at = time.monotonic() + next_delay(service.crashes)

    def _note_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop_requests += 1

    def _sleep(self, seconds: float) -> None:
        # Any signal writes to the pipe, so the death of a child or Ctrl-C ends the sleep at once.
        if select.select([self._wakeup_read], [], [], seconds)[0]:
            try:
                while os.read(self._wakeup_read, 512):
                    pass
            except BlockingIOError:
                pass


def _process(service: Service) -> subprocess.Popen[bytes]:
    if service.process is None:
        raise RuntimeError(f"{service.name} was not started")
    return service.process


def _tail(service: Service) -> list[str]:
    return tail(service.command.log) if service.command.log else []


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LONGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
