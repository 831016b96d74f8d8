"""Starting, recognising and stopping processes, so that none outlives the one that started it."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from supporthub.runtime.errors import StartError

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_HAS_PROC = Path("/proc/self/stat").exists()


@dataclass(frozen=True)
class Account:
    """The user and group that a process runs as."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Command:
    """How to start a process. `death_signal` reaches it when its parent dies, however that happens (Linux only)."""

    name: str
    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    log: Path | None = None
    death_signal: signal.Signals = signal.SIGKILL
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0


def spawn(command: Command) -> subprocess.Popen[bytes]:
    """Start `command` in its own session. Call from the main thread: the death signal follows the starting thread.

    Raises StartError when the program cannot be executed.
    """
    parent = os.getpid()

    def die_with_parent() -> None:  # runs in the child, after the change of user (which would clear the signal)
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(command.death_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    account = command.account
    log = os.open(command.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if command.log else subprocess.DEVNULL
    try:
        return subprocess.Popen(
            list(command.argv),
            cwd=command.cwd,
            env=dict(command.env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=die_with_parent,  # noqa: PLW1509  (one prctl call; no thread runs in the starter)
        )
    except OSError as error:
        raise StartError(f"{command.name} cannot be started ({command.argv[0]}): {error.strerror}") from error
    finally:
        if log != subprocess.DEVNULL:
            os.close(log)


def stop(process: subprocess.Popen[bytes], command: Command) -> None:
    """Ask the process to end, wait `grace` seconds, then kill it."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGCONT)
    process.send_signal(command.stop_signal)
    try:
        process.wait(command.grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool], seconds: float, *, every: float = 0.02) -> bool:
    """Poll `condition` for at most `seconds`; return whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def tail(path: Path, lines: int = 10) -> list[str]:
    """Return the last lines of a log, without blank ones; nothing when it cannot be read."""
    try:
        with path.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - 16_384))
            text = log.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-lines:]


def birth_mark(pid: int) -> str | None:
    """Return what tells a process from a later one with the same id; None when it is gone or only a zombie."""
    if _HAS_PROC:
        try:
            # proc(5): fields 3 (state) and 22 (start time); the name in field 2 may hold spaces and brackets.
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in {"Z", "X"} else fields[19]
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, born = shown.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else born.strip()


def command_line(pid: int) -> str:
    """Return a process's arguments, separated by spaces; empty when it is gone."""
    if _HAS_PROC:
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def write_pid_file(path: Path, pid: int) -> None:
    """Record a process: its id on the first line, its birth mark on the second."""
    path.write_text(f"{pid}\n{birth_mark(pid) or ''}\n", encoding="ascii")


def running_pid(path: Path) -> int | None:
    """Return the recorded process's id when exactly that process still runs."""
    try:
        first, second = path.read_text(encoding="ascii").splitlines()[:2]
        pid = int(first)
    except (OSError, ValueError):
        return None
    return pid if second and birth_mark(pid) == second else None


def end_stranger(pid: int, *signals: signal.Signals, patience: float) -> None:
    """End a process that is not our child: send each signal in turn and give each `patience` seconds."""
    born = birth_mark(pid)
    for number in signals:
        if born is None or birth_mark(pid) != born:
            return
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        wait_until(lambda: birth_mark(pid) != born, patience)
