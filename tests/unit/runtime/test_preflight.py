"""Every fault that is found before the start is one line."""

import os
import socket
from pathlib import Path

import pytest

from supporthub.runtime import preflight
from supporthub.runtime.errors import StartError


def test_full_disk_is_one_line_that_says_how_much_is_needed(tmp_path: Path) -> None:
    preflight.check_free_space(tmp_path, least=0)
    with pytest.raises(StartError, match=r"^the disk of \S+ is full: the hub needs 200 MB free there$"):
        preflight.check_free_space(tmp_path, least=2**62)


def test_data_dir_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match=r"^DATA_DIR \S+/file/var cannot be written: [A-Z][a-z ]+$"):
        preflight.make_data_dir(tmp_path / "file" / "var")


def test_only_one_holds_the_lock_of_a_data_dir(tmp_path: Path) -> None:
    preflight.make_data_dir(tmp_path / "var")
    descriptor = preflight.lock_data_dir(tmp_path / "var")
    with pytest.raises(StartError, match="already: stop it first"):
        preflight.lock_data_dir(tmp_path / "var")
    os.close(descriptor)
    os.close(preflight.lock_data_dir(tmp_path / "var"))


def test_taken_port_names_the_variable_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"^port {port} is taken by another program: choose another with PORT=…$"):
            preflight.check_port("127.0.0.1", port, "PORT")
    preflight.check_port("127.0.0.1", port, "PORT")


def test_address_of_another_machine_is_named() -> None:
    with pytest.raises(StartError, match=r"192\.0\.2\.1 is no address of this machine"):
        preflight.check_port("192.0.2.1", 0, "PORT")
