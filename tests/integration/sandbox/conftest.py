"""The real program as a subprocess, once per module and reset before every test."""

from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox.client import SandboxProcess


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox")) as process:
        yield process


@pytest.fixture
def sandbox(running: SandboxProcess) -> SandboxProcess:
    running.control.reset()
    return running


@pytest.fixture
def jira(sandbox: SandboxProcess) -> Iterator[httpx.Client]:
    """A client with the hub's credentials, its base address the REST API."""
    auth = (sandbox.jira_user, sandbox.jira_token)
    with httpx.Client(base_url=f"{sandbox.jira_url}/rest/api/3", auth=auth, timeout=10, trust_env=False) as client:
        yield client
