"""A wrong setting is one line that names the variable."""

from pathlib import Path

import pytest

from supporthub.settings.env import Env, SettingsError


def test_a_missing_value_names_the_variable_and_its_file_form() -> None:
    env = Env({})
    env.text("SECRET_KEY")
    with pytest.raises(SettingsError) as caught:
        env.finish()
    assert caught.value.faults == ["SECRET_KEY is missing: set it, or SECRET_KEY_FILE, in the environment or in .env"]


def test_a_secret_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    assert Env({"SECRET_KEY_FILE": str(tmp_path / "key")}).text("SECRET_KEY") == "s3cret"


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    env = Env({"SECRET_KEY_FILE": str(tmp_path / "none")})
    env.text("SECRET_KEY", "")
    assert "SECRET_KEY_FILE" in env.faults[0]


@pytest.mark.parametrize("value", ["http://jira.example.org", "jira.example.org", "ftp://x"])
def test_addresses_must_be_https_except_on_loopback(value: str) -> None:
    env = Env({"ATLASSIAN_URL": value})
    env.url("ATLASSIAN_URL", "")
    assert len(env.faults) == 1
    assert "ATLASSIAN_URL" in env.faults[0]


@pytest.mark.parametrize("value", ["https://jira.example.org/", "http://127.0.0.1:8025/jira", "http://localhost:1"])
def test_good_addresses_lose_only_their_last_slash(value: str) -> None:
    env = Env({"ATLASSIAN_URL": value})
    assert env.url("ATLASSIAN_URL") == value.rstrip("/")
    assert not env.faults


def test_half_a_credential_is_a_fault_that_names_the_missing_half() -> None:
    env = Env({"ATLASSIAN_URL": "https://x.example"})
    assert not env.all_or_none("ATLASSIAN_URL", "ATLASSIAN_USER", "ATLASSIAN_API_TOKEN")
    assert "ATLASSIAN_USER, ATLASSIAN_API_TOKEN is missing" in env.faults[0]


@pytest.mark.parametrize(("name", "value"), [("A", "many"), ("A", "-1"), ("A", "1.5")])
def test_numbers_are_checked(name: str, value: str) -> None:
    env = Env({name: value})
    assert env.integer(name, 3) in (3, -1)
    assert name in env.faults[0]
