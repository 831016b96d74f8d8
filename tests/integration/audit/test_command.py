"""`manage.py audit`: exit codes, exports, and that the independent script says the same of them."""

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import AuditEntry
from tests.integration.audit.conftest import a_sealed_trail, as_owner, write

pytestmark = pytest.mark.django_db
SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "verify_audit.py"


def answer(capsys: Any, *arguments: str) -> tuple[int, str]:
    """Exit code and everything that was said."""
    try:
        call_command("audit", *arguments)
    except SystemExit as error:
        code = int(error.code or 0)
    else:
        code = 0
    said = capsys.readouterr()
    return code, said.out + said.err


def by_script(export: Path, *arguments: str) -> tuple[int, str]:
    keys = export.with_suffix(".keys")
    keys.write_text(",".join(f"{name}:{key.decode()}" for name, key in django_settings.AUDIT_KEYS.items()))
    command = [sys.executable, "-I", str(SCRIPT), str(export), "--keys", str(keys), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_an_intact_trail_is_0_and_a_changed_one_is_1(capsys: Any) -> None:
    a_sealed_trail()
    write(2)
    code, said = answer(capsys, "verify")
    assert code == 0
    assert "2 entries are not sealed yet" in said
    assert "The trail is intact." in said
    with as_owner() as cursor:
        cursor.execute("UPDATE accounts_auditentry SET actor_id = '8' WHERE seal = 2")
    code, said = answer(capsys, "verify")
    assert code == 1
    assert "edited: Entry 2 " in said


def test_a_missing_key_is_2(capsys: Any, settings: Any) -> None:
    a_sealed_trail()
    settings.AUDIT_KEYS = {"other": b"another key altogether"}
    code, said = answer(capsys, "verify")
    assert code == 2
    assert "'t1' is needed" in said


def test_since_takes_a_number_a_day_or_a_moment(capsys: Any) -> None:
    a_sealed_trail()
    assert "6 entries (5 to 10)" in answer(capsys, "verify", "--since", "5")[1]
    assert "10 entries (1 to 10)" in answer(capsys, "verify", "--since", "2020-01-01")[1]
    assert "0 entries" in answer(capsys, "verify", "--since", "2100-01-01T08:00:00")[1]
    with pytest.raises(CommandError, match="use a number"):
        call_command("audit", "verify", "--since", "yesterday")


def test_seal_and_anchors(capsys: Any) -> None:
    write(3)
    assert "Sealed 3 entries." in answer(capsys, "seal")[1]
    mac = bytes(AuditEntry.objects.get(seal=3).mac or b"").hex()
    assert mac in answer(capsys, "anchors")[1]


def test_an_export_is_recorded_private_and_verified_by_command_and_script(
    capsys: Any, tmp_path: Path, storage: Path
) -> None:
    a_sealed_trail()
    export = tmp_path / "trail.jsonl"
    answer(capsys, "export", "--out", str(export))
    assert stat.S_IMODE(export.stat().st_mode) == 0o600
    assert AuditEntry.objects.filter(action="audit.exported").exists()
    code, said = answer(capsys, "verify", "--from-export", str(export))
    assert (code, "10 entries (1 to 10), 2 anchors, 2 copies" in said) == (0, True)
    assert by_script(export, "--anchors", str(storage))[0] == 0
    kinds = [json.loads(line)["kind"] for line in export.read_bytes().splitlines()]
    assert kinds == ["header", "anchor", "anchor", *["entry"] * 11, "manifest"]


def test_an_export_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    with pytest.raises(CommandError, match="File exists"):
        call_command("audit", "export", "--out", str(tmp_path / "there"))


def test_something_that_is_no_export_is_2(capsys: Any, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello\n")
    assert answer(capsys, "verify", "--from-export", str(tmp_path / "x"))[0] == 2
    assert answer(capsys, "verify", "--from-export", str(tmp_path / "nothing"))[0] == 2


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE accounts_auditentry SET actor_id = '8' WHERE seal = 2",
        "DELETE FROM accounts_auditentry WHERE seal = 6",
        "DELETE FROM accounts_auditentry WHERE seal > 6",
        "DELETE FROM accounts_audittext WHERE texts ? 'name'",
        """UPDATE accounts_audittext SET texts = '{"name": "Ben", "address": "x"}' WHERE texts ? 'name'""",
        "UPDATE accounts_auditanchor SET mac = proof",
    ],
)
def test_what_was_done_to_the_database_is_found_in_its_export(
    tampering: str, capsys: Any, tmp_path: Path, storage: Path
) -> None:
    a_sealed_trail()
    with as_owner() as cursor:
        cursor.execute(tampering)
    export = tmp_path / "trail.jsonl"
    answer(capsys, "export", "--out", str(export))
    assert answer(capsys, "verify", "--from-export", str(export))[0] == 1
    assert by_script(export, "--anchors", str(storage))[0] == 1


def test_copies_of_anchors_made_after_an_export_do_not_make_it_look_cut(
    capsys: Any, tmp_path: Path, storage: Path, settings: Any
) -> None:
    settings.AUDIT_ANCHOR_ROWS = 1
    a_sealed_trail()
    export = tmp_path / "trail.jsonl"
    answer(capsys, "export", "--out", str(export))
    write(2)
    answer(capsys, "seal")
    assert answer(capsys, "verify", "--from-export", str(export))[0] == 0
    assert by_script(export, "--anchors", str(storage))[0] == 0


def test_verifying_reads_with_a_cursor_of_the_server(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flat memory: the whole trail is never fetched at once."""
    a_sealed_trail()
    opened: list[str] = []
    chunked = connection.chunked_cursor

    def counted() -> Any:
        opened.append("one")
        return chunked()

    monkeypatch.setattr(connection, "chunked_cursor", counted)
    answer(capsys, "verify")
    assert opened
