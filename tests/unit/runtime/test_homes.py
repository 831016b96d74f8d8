"""Where servers may live."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from supporthub.runtime.errors import StartError
from supporthub.runtime.homes import (
    LONGEST_SOCKET_PATH,
    Home,
    choose_place,
    make_home,
    make_passable,
    make_private,
    make_socket_folder,
    may_enter,
    put_aside_data_without_notes,
    remove_socket_folder,
    short_name,
    socket_folder_candidates,
)
from supporthub.runtime.processes import Account

STRANGER = Account(54321, 54321)
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's servers run as that user")


@pytest.fixture
def strict() -> Iterator[None]:
    """A umask that takes everything away from others."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def _mode(folder: Path) -> int:
    return folder.stat().st_mode & 0o777


@pytest.mark.usefixtures("strict")
def test_folders_that_are_made_can_be_passed_whatever_the_umask_and_others_stay_as_they_were(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    make_passable(there / "made" / "below")
    make_passable(there)
    assert [_mode(folder) for folder in (there, there / "made", there / "made" / "below")] == [0o700, 0o711, 0o711]


@AS_ROOT
@pytest.mark.usefixtures("strict")
def test_root_with_a_strict_umask_gets_a_place_that_the_servers_can_enter(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o711)  # what the test runner made
    data_dir, state = tmp_path / "var", tmp_path / "lib" / "state"
    data_dir.mkdir()
    home = make_home(data_dir, None, {}, state)
    assert home.account is not None
    assert may_enter(home.place, home.account)
    assert home.place.is_relative_to(state)
    assert _mode(data_dir) == 0o700
    remove_socket_folder(home)


@AS_ROOT
def test_a_closed_folder_of_somebody_else_is_named_and_stays_closed(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o711)
    data_dir, closed = tmp_path / "var", tmp_path / "closed"
    for folder in (data_dir, closed):
        folder.mkdir(mode=0o700)
    with pytest.raises(StartError, match=rf"^{closed} cannot be entered by the servers' user"):
        make_home(data_dir, None, {}, closed / "state")
    assert _mode(closed) == 0o700


def test_ordinary_user_keeps_data_in_data_dir(tmp_path: Path) -> None:
    assert choose_place(tmp_path, None, None) == tmp_path


def test_root_keeps_data_elsewhere_when_the_servers_user_cannot_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    state = tmp_path / "state"
    assert choose_place(closed, STRANGER, None, state) == state / short_name(closed)


def test_earlier_choice_wins(tmp_path: Path) -> None:
    assert choose_place(tmp_path, STRANGER, ".", tmp_path / "state") == tmp_path
    assert choose_place(tmp_path, None, "/elsewhere") == Path("/elsewhere")


def test_one_closed_folder_on_the_way_is_enough_to_be_kept_out(tmp_path: Path) -> None:
    below = tmp_path / "closed" / "open"
    below.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not may_enter(below, STRANGER)
    assert may_enter(Path("/"), STRANGER)


def test_checkouts_get_different_short_names(tmp_path: Path) -> None:
    assert short_name(tmp_path / "a") != short_name(tmp_path / "b")


def test_socket_path_stays_short_however_deep_data_dir_lies(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    folder = make_socket_folder(deep, None, {"XDG_RUNTIME_DIR": str(deep)})
    home = Home(place=deep, sockets=folder, logs=deep, account=None)
    assert len(f"{folder}/.s.PGSQL.5432") <= LONGEST_SOCKET_PATH
    assert folder.stat().st_mode & 0o777 == 0o700
    remove_socket_folder(home)
    assert not folder.exists()


def test_data_whose_keys_are_gone_is_put_aside_and_never_overwrites(tmp_path: Path) -> None:
    home = Home(place=tmp_path, sockets=tmp_path / "s", logs=tmp_path, account=None)
    assert put_aside_data_without_notes(home) == []
    for content in ("first", "second"):
        (tmp_path / "postgres").mkdir()
        (tmp_path / "postgres" / "row").write_text(content)
        put_aside_data_without_notes(home)
    assert [(tmp_path / f"postgres.{number}" / "row").read_text() for number in (1, 2)] == ["first", "second"]


def test_runtime_folder_of_the_session_is_preferred() -> None:
    assert socket_folder_candidates({"XDG_RUNTIME_DIR": "/run/user/1"}, as_root=False)[0] == Path("/run/user/1")
    assert socket_folder_candidates({"XDG_RUNTIME_DIR": "/run/user/1"}, as_root=True)[0] == Path("/run")


def test_link_that_somebody_planted_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "sockets").symlink_to(tmp_path / "target")
    with pytest.raises(PermissionError):
        make_private(tmp_path / "sockets", None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a stranger's folder")
def test_strangers_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sockets").mkdir()
    os.chown(tmp_path / "sockets", STRANGER.uid, STRANGER.gid)
    with pytest.raises(PermissionError):
        make_private(tmp_path / "sockets", None)
