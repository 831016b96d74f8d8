"""What `make run` does, with the real web server, worker, scheduler and sandbox, in a folder of its own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from supporthub.runtime.environment import ROOT
from supporthub.runtime.homes import short_name
from tests.integration.runtime.conftest import free_ports
from tests.integration.runtime.standin import answers, stop


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder that the servers' user can enter, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="supporthub-whole-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
    assert not list(Path("/run").glob(f"supporthub-*-{short_name(folder)}"))


@pytest.mark.slow
def test_the_whole_hub_starts_lets_the_first_admin_in_and_stops(data_dir: Path) -> None:
    port, sandbox_port = free_ports()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    environment = {**kept, "PORT": str(port), "SANDBOX_PORT": str(sandbox_port), "DATA_DIR": str(data_dir)}
    command = [sys.executable, "manage.py", "up"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            printed = _until_it_runs(process)
            password = printed.split("password: ")[1].split()[0]
            children = psutil.Process(process.pid).children(recursive=True)
            assert answers(f"http://127.0.0.1:{port}/readyz")
            assert "access" in _sign_in(port, "admin@example.org", password)
            migrated = [sys.executable, "manage.py", "migrate", "--check"]
            assert subprocess.run(migrated, cwd=ROOT, env=environment, check=False).returncode == 0
            code, _ = stop(process)
        finally:
            process.kill()
    assert code == 0
    assert not [child for child in children if child.is_running()]


def _until_it_runs(process: subprocess.Popen[str]) -> str:
    printed = ""
    assert process.stdout is not None
    for line in process.stdout:
        printed = f"{printed}{line}"
        if "Ctrl-C" in line:
            return printed
    pytest.fail(f"the hub ended:\n{printed}")


def _sign_in(port: int, email: str, password: str) -> dict[str, str]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/auth/token/",
        json.dumps({"email": email, "password": password}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        found: dict[str, str] = json.load(answer)
        return found
