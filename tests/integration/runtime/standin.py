"""A checkout in miniature: the real runtime and databases around stand-ins for web, worker, migrations and sandbox.

So these tests start in seconds and can break a part on purpose; `test_whole_hub.py` runs the real thing once.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from supporthub.runtime.environment import ROOT
from supporthub.runtime.processes import Account, running_pid

_SERVE = (
    "import argparse, http.server\n"
    "parser = argparse.ArgumentParser()\n"
    "parser.add_argument('--port', type=int)\n"
    "port = parser.parse_known_args()[0].port\n"
)
_FILES = {
    "supporthub/__init__.py": "",
    "uvicorn/__init__.py": "",
    "uvicorn/__main__.py": _SERVE
    + (
        "class Ready(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200 if self.path == '/readyz' else 404)\n"
        "        self.end_headers()\n"
        "http.server.HTTPServer(('127.0.0.1', port), Ready).serve_forever()\n"
    ),
    "celery/__init__.py": "",
    "celery/__main__.py": "import signal\nsignal.pause()\n",
    "tests/__init__.py": "",
    "tests/sandbox/__init__.py": "",
    "tests/sandbox/__main__.py": _SERVE
    + ("http.server.HTTPServer(('127.0.0.1', port), http.server.SimpleHTTPRequestHandler).serve_forever()\n"),
    "manage.py": (
        "import os, pathlib, sys\n"
        "made = pathlib.Path(os.environ['DATA_DIR'], 'admin-exists')\n"
        "if sys.argv[1] == 'seed' and not made.exists():\n"
        "    made.touch()\n"
        "    print('Made the first admin, ' + os.environ['SUPPORTHUB_ADMIN_EMAIL'] + '.')\n"
    ),
}
_START = "import sys; from supporthub.runtime.up import main; sys.exit(main())"


@dataclass(frozen=True)
class Checkout:
    """A stand-in checkout owned by `account` (None: by whoever runs the tests), started with `python`."""

    root: Path
    python: str
    account: Account | None
    environment: Mapping[str, str]

    @property
    def data_dir(self) -> Path:
        return self.root / "var"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def up(self, **changed: str) -> subprocess.Popen[str]:
        """Begin `up`; its output is a pipe."""
        return subprocess.Popen(
            [self.python, "-c", _START],
            cwd=self.root,
            env={**self.environment, **changed},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
        )

    def up_to_its_end(self, **changed: str) -> tuple[int, str]:
        """Run an `up` that is expected to refuse; return its exit code and output."""
        with self.up(**changed) as process:
            output, _ = process.communicate(timeout=60)
            return process.returncode, output

    @contextmanager
    def running(self, **changed: str) -> Iterator[subprocess.Popen[str]]:
        """Run `up` until it is ready; kill it, and what it may have left, at the end."""
        with self.up(**changed) as process:
            try:
                ready = self.data_dir / "run" / "ready"
                eventually(lambda: running_pid(ready) == process.pid or process.poll() is not None)
                assert process.poll() is None, process.communicate()[0]
                yield process
            finally:
                process.kill()  # the servers notice, and end in order

    def pid(self, name: str) -> int:
        return int((self.data_dir / "run" / f"{name}.pid").read_text().splitlines()[0])

    def processes(self) -> list[psutil.Process]:
        """Every process that works inside this checkout (the servers sit in their data folders)."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            inside = Path(process.cwd()).is_relative_to(self.root)
            return inside and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
            return False


def eventually(condition: Callable[[], object], seconds: float = 40.0) -> None:
    """Wait until `condition` is true; fail the test when it never is."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the awaited condition never came true"
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether an HTTP GET is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  (our own loopback address)
            return bool(answer.status == 200)
    except OSError:
        return False


def stop(process: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
    """Ask `up` to stop; return its exit code and all that it printed."""
    process.send_signal(number)
    output, _ = process.communicate(timeout=40)
    return process.returncode, output


def make_checkout(account: Account | None, python: str, ports: tuple[int, int]) -> Checkout:
    """Write a stand-in checkout to a place that every user can enter."""
    root = Path(tempfile.mkdtemp(prefix="supporthub-checkout-"))
    root.chmod(0o755)
    for name, text in _FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copytree(
        ROOT / "supporthub" / "runtime",
        root / "supporthub" / "runtime",
        ignore=shutil.ignore_patterns("__pycache__", "management"),
    )
    if account is not None:
        for path in [root, *root.rglob("*")]:
            os.chown(path, account.uid, account.gid)
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path.endswith("-packages")),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(root),
        "PORT": str(ports[0]),
        "SANDBOX_PORT": str(ports[1]),
        "WORKER_THREADS": "1",
    }
    return Checkout(root, python, account, environment)
