"""The runtime's tests run as root and as an ordinary user, where the test run may choose."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from supporthub.runtime.homes import short_name
from supporthub.runtime.processes import Account
from tests.integration.runtime.standin import Checkout, eventually, make_checkout

_AS_ROOT = os.geteuid() == 0
_ORDINARY = Account(65534, 65534)


def python_of_everyone() -> str | None:
    """Return a Python of this version that an unprivileged user can execute with this run's packages."""
    wanted = f"import sys, kombu, redis; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    packages = os.pathsep.join(path for path in sys.path if path.endswith("-packages"))
    for python in (
        sys.executable,
        f"/usr/bin/python3.{sys.version_info[1]}",
        "/usr/bin/python3",
        "/usr/local/bin/python3",
    ):
        try:
            tried = subprocess.run(
                [python, "-c", wanted],
                cwd="/",
                env={"PYTHONPATH": packages, "PATH": os.defpath},
                capture_output=True,
                check=False,
                user=_ORDINARY.uid,
                group=_ORDINARY.gid,
                extra_groups=[],
            )
        except OSError:
            continue
        if tried.returncode == 0:
            return python
    return None


def free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


@pytest.fixture(params=["root", "ordinary user"] if _AS_ROOT else ["ordinary user"])
def any_checkout(request: pytest.FixtureRequest) -> Iterator[Checkout]:
    """A stand-in checkout; as root the test runs twice, the second time with everything owned and run by `nobody`."""
    yield from _checkout(as_ordinary_user=request.param == "ordinary user")


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    """A stand-in checkout of whoever runs the tests."""
    yield from _checkout(as_ordinary_user=not _AS_ROOT)


@pytest.fixture
def ordinary_checkout() -> Iterator[Checkout]:
    """A stand-in checkout of an ordinary user."""
    yield from _checkout(as_ordinary_user=True)


def _checkout(*, as_ordinary_user: bool) -> Iterator[Checkout]:
    switched = _AS_ROOT and as_ordinary_user
    python = python_of_everyone() if switched else sys.executable
    if python is None:
        pytest.skip("no Python of this version that an ordinary user can run with the installed packages")
    made = make_checkout(_ORDINARY if switched else None, python, free_ports())
    yield made
    eventually(lambda: not made.processes())
    for place in {Path("/run"), Path(tempfile.gettempdir())}:
        for sockets in place.glob(
            f"supporthub-*-{short_name(made.data_dir)}"
        ):  # a killed `up` leaves its folder behind
            shutil.rmtree(sockets)
    shutil.rmtree(made.root)
