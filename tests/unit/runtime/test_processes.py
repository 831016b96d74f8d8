"""Recognising a process, and reading a log's end."""

import os
import subprocess
import sys
from pathlib import Path

from supporthub.runtime.processes import birth_mark, command_line, running_pid, tail, wait_until, write_pid_file


def test_running_process_is_recognised_by_its_pid_file(tmp_path: Path) -> None:
    write_pid_file(tmp_path / "me.pid", os.getpid())
    assert running_pid(tmp_path / "me.pid") == os.getpid()


def test_reused_process_id_is_not_mistaken_for_the_old_process(tmp_path: Path) -> None:
    (tmp_path / "old.pid").write_text(f"{os.getpid()}\n1\n")
    assert running_pid(tmp_path / "old.pid") is None


def test_missing_or_damaged_pid_file_names_nobody(tmp_path: Path) -> None:
    (tmp_path / "bad.pid").write_text("x\n")
    assert running_pid(tmp_path / "bad.pid") is None
    assert running_pid(tmp_path / "missing.pid") is None


def test_zombie_counts_as_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    assert wait_until(lambda: birth_mark(child.pid) is None, 10)
    assert child.wait() == 0


def test_command_line_of_this_process_is_found() -> None:
    assert "python" in command_line(os.getpid())


def test_tail_gives_the_last_lines_that_say_something(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a\n\nb\n\nc\n")
    assert tail(tmp_path / "log", 2) == ["b", "c"]
    assert tail(tmp_path / "missing") == []
