"""`up` around stand-ins: what it starts, how it ends, what it survives, what it refuses."""

import os
import signal
import socket
import stat

import psutil
import pytest

from supporthub.runtime.environment import Notes, load_embedded, write_notes
from tests.integration.runtime.standin import Checkout, answers, eventually, stop

ALL = ("postgres", "redis", "web", "worker", "beat", "sandbox")


def test_up_starts_everything_and_ctrl_c_leaves_nothing(any_checkout: Checkout) -> None:
    checkout = any_checkout
    with checkout.running() as process:
        assert all(psutil.pid_exists(checkout.pid(name)) for name in ALL)
        assert answers(f"{checkout.url}/readyz")
        owner = psutil.Process(checkout.pid("postgres")).uids().real
        assert owner != 0
        code, output = stop(process)
        assert code == 0
        assert f"{checkout.url}/" in output
        assert "admin@example.org   password: " in output
        assert f"http://127.0.0.1:{checkout.environment['SANDBOX_PORT']}/?secret=" in output
        assert checkout.processes() == []
        assert not list((checkout.data_dir / "run").glob("*.pid"))


def test_second_start_keeps_keys_and_forgets_the_printed_password(checkout: Checkout) -> None:
    with checkout.running() as process:
        before = load_embedded(checkout.data_dir, {})
        _, first = stop(process)
    password = first.split("password: ")[1].split()[0]
    assert set(before) >= {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "AUDIT_KEY", "ATLASSIAN_URL"}
    assert stat.S_IMODE((checkout.data_dir / "embedded.json").stat().st_mode) == 0o600
    assert password not in (checkout.data_dir / "embedded.json").read_text()
    with checkout.running() as process:
        after = load_embedded(checkout.data_dir, {})
        _, second = stop(process, signal.SIGTERM)
    assert "admin@example.org" in second
    assert password not in second
    lasting = ("SECRET_KEY", "ENCRYPTION_KEYS", "AUDIT_KEY")
    assert [before[name] for name in lasting] == [after[name] for name in lasting]
    assert before["ATLASSIAN_API_TOKEN"] != after["ATLASSIAN_API_TOKEN"]


def test_killed_supervisor_leaves_no_process_and_the_next_start_recovers(any_checkout: Checkout) -> None:
    checkout = any_checkout
    with checkout.running() as process:
        process.kill()
        process.wait()
        eventually(lambda: not checkout.processes(), seconds=20)
    with checkout.running() as process:
        assert stop(process)[0] == 0


def test_killed_children_come_back(checkout: Checkout) -> None:
    with checkout.running() as process:
        for name in ALL:
            old = checkout.pid(name)
            os.kill(old, signal.SIGKILL)
            eventually(lambda name=name, old=old: checkout.pid(name) != old)  # type: ignore[misc]
        eventually(lambda: answers(f"{checkout.url}/readyz"))
        code, output = stop(process)
    assert code == 0
    assert all(f"{name} was ended by SIGKILL; it starts again in " in output for name in ALL)


def test_everything_killed_at_once_recovers(checkout: Checkout) -> None:
    with checkout.running() as process:
        for left in [process.pid, *(checkout.pid(name) for name in ALL)]:
            os.kill(left, signal.SIGKILL)
        process.wait()
    with checkout.running() as process:
        assert stop(process)[0] == 0


@pytest.mark.parametrize("variable", ["PORT", "SANDBOX_PORT"])
def test_taken_port_is_one_line(checkout: Checkout, variable: str) -> None:
    with socket.create_server(("127.0.0.1", int(checkout.environment[variable]))):
        code, output = checkout.up_to_its_end()
    port = checkout.environment[variable]
    assert (code, output) == (
        2,
        f"supporthub: port {port} is taken by another program: choose another with {variable}=…\n",
    )


def test_unusable_data_dir_is_one_line(checkout: Checkout) -> None:
    blocked = checkout.root / "blocked"
    blocked.write_text("a file, so that root cannot write below it either")
    code, output = checkout.up_to_its_end(DATA_DIR=str(blocked / "var"))
    assert code == 2
    assert output.startswith(f"supporthub: DATA_DIR {blocked / 'var'} cannot be written: ")
    assert output.count("\n") == 1


def test_data_dir_of_another_user_is_one_line(ordinary_checkout: Checkout) -> None:
    folder = ordinary_checkout.root / "closed"
    folder.mkdir()
    folder.chmod(0o555)
    code, output = ordinary_checkout.up_to_its_end(DATA_DIR=str(folder))
    assert (code, output) == (2, f"supporthub: DATA_DIR {folder} cannot be written: Permission denied\n")


def test_foreign_database_version_is_one_line_and_nothing_is_left(checkout: Checkout) -> None:
    (checkout.data_dir / "postgres").mkdir(parents=True)
    (checkout.data_dir / "postgres" / "PG_VERSION").write_text("13\n")
    write_notes(checkout.data_dir, Notes(place="."))
    code, output = checkout.up_to_its_end()
    assert code == 2
    assert "was made by PostgreSQL 13, this installation has " in output
    assert output.count("\n") == 1
    assert checkout.processes() == []


def test_lost_database_is_not_silently_made_anew(checkout: Checkout) -> None:
    checkout.data_dir.mkdir()
    write_notes(checkout.data_dir, Notes(place="."))
    code, output = checkout.up_to_its_end()
    assert (code, output.count("\n")) == (2, 1)
    assert "is gone" in output


def test_wrong_setting_found_while_migrating_is_one_line(checkout: Checkout) -> None:
    (checkout.root / "manage.py").write_text("import sys; sys.exit('supporthub: PUBLIC_URL is no address')\n")
    code, output = checkout.up_to_its_end()
    assert code == 2
    assert [line for line in output.splitlines() if line.startswith("supporthub:")] == [
        "supporthub: PUBLIC_URL is no address"
    ]
    assert checkout.processes() == []


def test_ctrl_c_while_migrating_leaves_nothing(checkout: Checkout) -> None:
    (checkout.root / "manage.py").write_text("import time; time.sleep(60)\n")
    with checkout.up() as process:
        eventually((checkout.data_dir / "run" / "seed.pid").exists)
        code, output = stop(process)
    assert code == 0
    assert output.endswith("Stopping …\nStopped.\n")
    assert checkout.processes() == []


def test_web_that_cannot_start_is_reported_with_its_log(checkout: Checkout) -> None:
    (checkout.root / "uvicorn" / "__main__.py").write_text("raise RuntimeError('broken on purpose')\n")
    code, output = checkout.up_to_its_end()
    assert code == 2
    assert "supporthub: web does not start: see " in output
    assert "broken on purpose" in output
    assert checkout.processes() == []


JIRA = {
    "ATLASSIAN_URL": "https://jira.example.org",
    "ATLASSIAN_USER": "hub@example.org",
    "ATLASSIAN_API_TOKEN": "given",
}


def test_given_jira_leaves_only_entra_to_the_sandbox(checkout: Checkout) -> None:
    with checkout.running(**JIRA) as process:
        added = load_embedded(checkout.data_dir, {})
        assert added["SUPPORTHUB_SANDBOX_ACTIVE"] == "entra"
        assert "ATLASSIAN_URL" not in added
        assert added["ENTRA_AUTHORITY"] == f"http://127.0.0.1:{checkout.environment['SANDBOX_PORT']}/entra"
        assert "(plays Entra ID)" in stop(process)[1]


def test_given_systems_are_used_instead_of_the_sandbox_and_a_second_up_is_refused(checkout: Checkout) -> None:
    with checkout.running(**JIRA, ENTRA_TENANT_ID="given", ENTRA_CLIENT_ID="given"):
        assert not (checkout.data_dir / "run" / "sandbox.pid").exists()
        assert "ATLASSIAN_URL" not in load_embedded(checkout.data_dir, {})
        code, output = checkout.up_to_its_end(PORT="1", SANDBOX_PORT="2")
    line = f"supporthub: a hub is running with DATA_DIR {checkout.data_dir} already: stop it first\n"
    assert (code, output) == (2, line)


def test_dot_env_is_read_and_the_environment_wins(checkout: Checkout) -> None:
    (checkout.root / ".env").write_text("PORT=not-a-number\nATLASSIAN_USER='hub@example.org'\n")
    code, output = checkout.up_to_its_end()
    assert code == 2
    assert output.startswith("supporthub: ATLASSIAN_URL, ATLASSIAN_API_TOKEN missing: ATLASSIAN_USER is set")
    assert output.count("\n") == 1
