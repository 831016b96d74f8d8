"""`.env`, the notes of the embedded servers, and `up`'s own settings."""

import json
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from supporthub.runtime.environment import (
    SANDBOX_FILLS,
    Notes,
    fill_from_env_file,
    fresh_secrets,
    load_embedded,
    parse_env_file,
    read_config,
    read_notes,
    write_notes,
)
from supporthub.runtime.errors import StartError

JIRA = {"ATLASSIAN_URL": "http://127.0.0.1:8025/jira", "ATLASSIAN_USER": "hub", "ATLASSIAN_API_TOKEN": "sandbox"}
NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,15}", fullmatch=True)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\"'#", exclude_categories=["Cc", "Zl", "Zp", "Zs"]))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("A=1", {"A": "1"}),
        ("  export A = 1 ", {"A": "1"}),
        ("A='x # y'", {"A": "x # y"}),
        ('A="x=y" # why', {"A": "x=y"}),
        ("A=x#y", {"A": "x#y"}),
        ("A=x # why", {"A": "x"}),
        ("A=", {"A": ""}),
        ("# A=1", {}),
        ("", {}),
    ],
)
def test_env_line_is_read_as_shells_and_compose_read_it(line: str, expected: dict[str, str]) -> None:
    assert parse_env_file(line) == expected


@given(st.dictionaries(NAMES, VALUES))
def test_plain_values_survive_an_env_file_quoted_or_not(values: dict[str, str]) -> None:
    assert parse_env_file("\n".join(f"{name}={value}" for name, value in values.items())) == values
    assert parse_env_file("\n".join(f'{name}="{value}"' for name, value in values.items())) == values


@pytest.mark.parametrize("text", ["A=1\nnonsense", "A=1\n2B=3", "A=1\nB='open"])
def test_bad_env_line_is_named_by_its_number(text: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        parse_env_file(text)


def test_environment_wins_over_env_file_also_as_name_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\nC=file\n")
    environ = {"A": "real", "B_FILE": "/run/secrets/b"}
    fill_from_env_file(environ, tmp_path / ".env")
    assert environ == {"A": "real", "B_FILE": "/run/secrets/b", "C": "file"}


def test_bad_env_file_is_one_line_that_names_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("nonsense\n")
    with pytest.raises(StartError, match=r"\.env: line 1 is not NAME=value$"):
        fill_from_env_file({}, tmp_path / ".env")


def test_notes_survive_and_are_private(tmp_path: Path) -> None:
    notes = Notes(place="/var/lib/x", environment={"SECRET_KEY": "ü"}, admin_email="a@example.org", admin_password="p")
    write_notes(tmp_path, notes)
    assert read_notes(tmp_path) == notes
    assert (tmp_path / "embedded.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", '{"unknown": 1}'])
def test_damaged_notes_are_an_error_because_they_hold_keys(tmp_path: Path, content: str) -> None:
    (tmp_path / "embedded.json").write_text(content)
    with pytest.raises(StartError, match="damaged"):
        read_notes(tmp_path)


def test_nothing_is_added_before_the_first_start(tmp_path: Path) -> None:
    assert load_embedded(tmp_path / "missing", {}) == {}


def test_only_what_is_missing_is_added(tmp_path: Path) -> None:
    write_notes(
        tmp_path, Notes(environment={"SECRET_KEY": "made up", "REDIS_URL": "unix:///r", "AUDIT_KEY": "made up"})
    )
    assert load_embedded(tmp_path, {"SECRET_KEY": "mine", "AUDIT_KEY_FILE": "/a"}) == {"REDIS_URL": "unix:///r"}


def test_sandbox_token_never_meets_an_operators_address(tmp_path: Path) -> None:
    write_notes(tmp_path, Notes(environment={**JIRA, "SUPPORTHUB_SANDBOX_ACTIVE": "jira", "SECRET_KEY": "s"}))
    assert load_embedded(tmp_path, {"ATLASSIAN_URL": "https://jira.example.org"}) == {"SECRET_KEY": "s"}


def test_one_real_system_leaves_the_others_to_the_sandbox(tmp_path: Path) -> None:
    entra = dict.fromkeys(SANDBOX_FILLS["entra"], "played")
    write_notes(tmp_path, Notes(environment={**JIRA, **entra, "SUPPORTHUB_SANDBOX_ACTIVE": "jira,entra"}))
    found = load_embedded(tmp_path, {"ATLASSIAN_URL": "https://jira.example.org"})
    assert found == {**entra, "SUPPORTHUB_SANDBOX_ACTIVE": "entra"}
    for name in ("ENTRA_CLIENT_SECRET", "ENTRA_CERTIFICATE_FILE", "ENTRA_AUTHORITY"):
        found = load_embedded(tmp_path, {name: "of a real one"})
        assert found == {**JIRA, "SUPPORTHUB_SANDBOX_ACTIVE": "jira"}


def test_children_of_up_keep_the_sandbox_that_it_gave_them(tmp_path: Path) -> None:
    environment = {**JIRA, "SUPPORTHUB_SANDBOX_ACTIVE": "jira"}
    write_notes(tmp_path, Notes(environment=environment))
    assert load_embedded(tmp_path, JIRA) == {"SUPPORTHUB_SANDBOX_ACTIVE": "jira"}


def test_made_up_encryption_key_has_an_id_and_fits_fernet() -> None:
    key_id, _, key = fresh_secrets()["ENCRYPTION_KEYS"].partition(":")
    cipher = Fernet(key)
    assert key_id == "k1"
    assert cipher.decrypt(cipher.encrypt(b"x")) == b"x"


def test_made_up_secrets_differ_each_time() -> None:
    assert json.dumps(fresh_secrets()) != json.dumps(fresh_secrets())


def test_defaults_are_loopback_and_the_documented_ports() -> None:
    config = read_config({})
    assert (config.host, config.port, config.sandbox, config.data_dir.name) == ("127.0.0.1", 8000, True, "var")
    assert config.admin_password is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "٨٠"),
        ("SANDBOX_PORT", "1.5"),
        ("WORKER_THREADS", "0"),
        ("HOST", "my-laptop"),
        ("SUPPORTHUB_SANDBOX", "yes"),
    ],
)
def test_malformed_setting_is_one_line_that_names_it(name: str, value: str) -> None:
    with pytest.raises(StartError, match=f"^{name} is ") as caught:
        read_config({name: value})
    assert "\n" not in str(caught.value)
