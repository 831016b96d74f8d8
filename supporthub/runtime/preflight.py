"""What is checked before anything is started; every fault is a StartError of one line."""

import errno
import fcntl
import os
import shutil
import socket
from pathlib import Path

from supporthub.runtime.errors import StartError

LEAST_FREE_BYTES = 200 * 1024 * 1024


def make_data_dir(data_dir: Path) -> None:
    """Make `data_dir` when it is missing, and prove that files can be written there."""
    # Root's servers run as another user, who must be able to pass through; others see names at most, never content.
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        data_dir.mkdir(mode=mode, exist_ok=True)
        (data_dir / "run").mkdir(mode=0o700, exist_ok=True)
        probe = data_dir / "run" / "probe"
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StartError(_full(data_dir)) from error
        raise StartError(f"DATA_DIR {data_dir} cannot be written: {error.strerror}") from error


def check_free_space(folder: Path, least: int = LEAST_FREE_BYTES) -> None:
    if shutil.disk_usage(folder).free < least:
        raise StartError(_full(folder))


def _full(folder: Path) -> str:
    return f"the disk of {folder} is full: the hub needs {LEAST_FREE_BYTES // 1024 // 1024} MB free there"


def lock_data_dir(data_dir: Path) -> int:
    """Take the lock that only one `up` holds on `data_dir`; return its descriptor (the kernel frees it at death)."""
    descriptor = os.open(data_dir / "run" / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StartError(f"a hub is running with DATA_DIR {data_dir} already: stop it first") from error
    return descriptor


def check_port(host: str, port: int, variable: str) -> None:
    """Raise StartError when `port` cannot be listened on; `variable` is what an operator would change."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Without it, connections of a hub that was just stopped would count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = {
                errno.EADDRINUSE: "is taken by another program",
                errno.EACCES: "needs more rights than this user has",
                errno.EADDRNOTAVAIL: f"cannot be used: {host} is no address of this machine",
            }.get(error.errno or 0, f"cannot be used: {error.strerror}")
            raise StartError(f"port {port} {reason}: choose another with {variable}=…") from error
