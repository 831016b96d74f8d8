"""What the sandbox plays, and the process table."""

from itertools import product
from pathlib import Path

import pytest

from supporthub.core.live import wire
from supporthub.core.systems import name_of
from supporthub.runtime import plan
from supporthub.runtime.environment import ENTRA_CREDENTIALS, JIRA_VARIABLES, ROOT, SANDBOX_FILLS, read_config
from supporthub.runtime.errors import StartError
from supporthub.runtime.supervisor import LONGEST_DELAY, next_delay
from tests.sandbox.entra.seeds import CONTOSO, HUB_APP

CONFIG = read_config({"DATA_DIR": "/data", "PORT": "9000"})


@pytest.mark.parametrize("given", list(product([True, False], repeat=3)), ids=str)
def test_jira_is_played_when_nothing_is_set_and_partial_settings_are_refused(given: tuple[bool, ...]) -> None:
    environ = {name: "x" for name, present in zip(JIRA_VARIABLES, given, strict=True) if present}
    if len(environ) in {0, 3}:
        assert ("jira" in plan.systems_to_play(environ)) is (not environ)
        return
    with pytest.raises(StartError) as caught:
        plan.systems_to_play(environ)
    missing = str(caught.value).partition(" missing:")[0].split(", ")
    assert missing == [name for name in JIRA_VARIABLES if name not in environ]


def test_token_in_a_file_counts_as_set() -> None:
    with pytest.raises(StartError, match="ATLASSIAN_URL, ATLASSIAN_USER missing"):
        plan.systems_to_play({"ATLASSIAN_API_TOKEN_FILE": "/run/secrets/token"})


def test_empty_value_counts_as_not_set() -> None:
    assert plan.systems_to_play({"ATLASSIAN_URL": "", "ENTRA_TENANT_ID": ""}) == ("jira", "entra")


@pytest.mark.parametrize("name", ["ENTRA_AUTHORITY", *ENTRA_CREDENTIALS, "ENTRA_CLIENT_SECRET_FILE"])
def test_entra_is_played_only_when_nothing_of_it_is_set(name: str) -> None:
    assert plan.systems_to_play({name: "x"}) == ("jira",)


@pytest.mark.parametrize("plays", [("jira",), ("entra",), ("jira", "entra")], ids=str)
def test_sandbox_fills_in_exactly_what_it_plays(plays: tuple[str, ...]) -> None:
    filled = plan.Sandbox("http://127.0.0.1:8025", "s", "t", "e", plays).environment()
    wanted = {name for system in plays for name in SANDBOX_FILLS[system]}
    assert filled.keys() == {*wanted, "SUPPORTHUB_SANDBOX_ACTIVE", "SUPPORTHUB_SANDBOX_PAGE"}
    assert filled["SUPPORTHUB_SANDBOX_ACTIVE"] == ",".join(plays)


def test_terminal_and_pages_call_the_systems_the_same() -> None:
    played = plan.Sandbox("http://127.0.0.1:8025", "s", "t", "e")
    assert played.names == " and ".join(name_of(system) for system in played.plays)


def test_hub_and_sandbox_mean_the_same_tenant_and_app() -> None:
    assert (plan.SANDBOX_TENANT, plan.SANDBOX_CLIENT) == (CONTOSO, HUB_APP)


def test_every_process_is_stopped_by_some_stage_and_databases_come_last() -> None:
    names = [name for stage in plan.STOP_STAGES for name in stage]
    assert sorted(names) == ["beat", "postgres", "redis", "sandbox", "web", "worker"]
    assert set(plan.STOP_STAGES[-1]) == {"redis", "postgres"}


def test_web_listens_on_loopback_and_the_given_port() -> None:
    argv = list(plan.web(CONFIG, {}).argv)
    assert argv[argv.index("--host") + 1] == "127.0.0.1"
    assert argv[argv.index("--port") + 1] == "9000"


def test_web_takes_no_long_message_from_a_socket_here_and_in_the_image() -> None:
    argv = list(plan.web(CONFIG, {}).argv)
    assert argv[argv.index("--ws-max-size") + 1] == "65536"
    assert '"--ws-max-size", "65536"' in (ROOT / "docker" / "Dockerfile").read_text()
    assert wire.LONGEST_FRAME < plan.LONGEST_MESSAGE


def test_scheduler_is_a_process_of_its_own() -> None:
    assert "-B" not in plan.worker(CONFIG, {}).argv
    assert "beat" in plan.beat(CONFIG, {}).argv


def test_sandbox_gets_its_secret_where_other_users_cannot_read_it() -> None:
    command = plan.sandbox(CONFIG, plan.Sandbox("http://127.0.0.1:8025", "control-secret", "-token", "app-secret"), {})
    assert command.env["SANDBOX_SECRET"] == "control-secret"
    assert command.env["SANDBOX_ENTRA_SECRET"] == "app-secret"
    assert "control-secret" not in " ".join(command.argv)
    assert "app-secret" not in " ".join(command.argv)
    assert "--jira-token=-token" in command.argv


def test_each_process_has_its_own_log() -> None:
    commands = [
        plan.web(CONFIG, {}),
        plan.worker(CONFIG, {}),
        plan.beat(CONFIG, {}),
        plan.manage(CONFIG, "seed", {}),
    ]
    assert [command.log for command in commands] == [
        Path(f"/data/logs/{name}.log") for name in ("web", "worker", "beat", "seed")
    ]


def test_restart_delays_double_from_a_fifth_of_a_second_to_five() -> None:
    assert [next_delay(crashes) for crashes in (1, 2, 3, 4)] == [0.2, 0.4, 0.8, 1.6]
    assert next_delay(100) == LONGEST_DELAY
