"""A played Jira and a board that goes there."""

from collections.abc import Iterator

import pytest

from tests.factories.tickets import BoardFactory, TrackerFactory
from tests.sandbox.client import SandboxProcess
from tickets.models import Board


@pytest.fixture(scope="package")
def jira_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox")) as process:
        yield process


@pytest.fixture
def jira(jira_process: SandboxProcess) -> SandboxProcess:
    jira_process.control.reset()
    return jira_process


@pytest.fixture
def board(jira: SandboxProcess) -> Board:
    tracker = TrackerFactory.create(base_url=jira.jira_url, account=jira.jira_user, token=jira.jira_token)
    made: Board = BoardFactory.create(tracker=tracker, project_key="HELP")
    return made
