"""`manage.py up`: the whole hub on one machine, from nothing, with one command."""

import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from supporthub.runtime import plan, preflight
from supporthub.runtime.environment import (
    SANDBOX_ACTIVE,
    SANDBOX_FILLS,
    Notes,
    UpConfig,
    fill_from_env_file,
    fresh_secrets,
    is_set,
    read_config,
    read_notes,
    write_notes,
)
from supporthub.runtime.errors import StartError, StopRequested
from supporthub.runtime.homes import Home, make_home, put_aside_data_without_notes, remove_socket_folder
from supporthub.runtime.postgres import EmbeddedPostgres
from supporthub.runtime.processes import Command, tail, write_pid_file
from supporthub.runtime.queue_restore import restore_unacknowledged
from supporthub.runtime.redis_server import EmbeddedRedis
from supporthub.runtime.servers import EmbeddedServer
from supporthub.runtime.supervisor import Service, Supervisor

_SERVER_SECONDS = 60.0
_READY_SECONDS = 90.0
_STEADY_SECONDS = 1.5
_SANDBOX_VARIABLES = (
    *(name for names in SANDBOX_FILLS.values() for name in names), SANDBOX_ACTIVE, "SUPPORTHUB_SANDBOX_PAGE",
)  # fmt: skip
_ADMIN_VARIABLES = ("SUPPORTHUB_ADMIN_EMAIL", "SUPPORTHUB_ADMIN_PASSWORD")


def main() -> int:
    """Run the hub until SIGINT or SIGTERM. Return 0 after an ordered stop, 2 when it cannot start."""
    try:
        environ = dict(os.environ)
        fill_from_env_file(environ)
        config = read_config(environ)
        plays = plan.systems_to_play(environ) if config.sandbox else ()
        preflight.make_data_dir(config.data_dir)
        lock = preflight.lock_data_dir(config.data_dir)
        try:
            return _Hub(config, environ, plays).run()
        finally:
            os.close(lock)
    except StartError as error:
        print(f"supporthub: {error}", file=sys.stderr)
        for line in error.details:
            print(f"  {line}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"supporthub: {error.filename or 'the hub'}: {error.strerror or error}", file=sys.stderr)
        return 2


def _say(text: str) -> None:
    print(text, flush=True)


class _Hub:
    """One run of `up`: what was decided at its start, and the steps in their order."""

    def __init__(self, config: UpConfig, environ: Mapping[str, str], plays: tuple[str, ...]) -> None:
        self.config = config
        self.environ = environ
        self.sandbox = _new_sandbox(config, plays) if plays else None
        self.run_dir = config.data_dir / "run"
        self.supervisor = Supervisor(self.run_dir, _say)
        self.notes = Notes()
        self.home: Home | None = None

    def run(self) -> int:
        self.supervisor.listen()
        try:
            self._check()
            self._start()
            self._show_summary()
            write_pid_file(self.run_dir / "ready", os.getpid())
            self.supervisor.watch()
            _say("Stopping …")
        except StopRequested:
            _say("Stopping …")
        finally:
            (self.run_dir / "ready").unlink(missing_ok=True)
            self.supervisor.stop_all(plan.STOP_STAGES)
            (self.run_dir / "supervisor.pid").unlink(missing_ok=True)
            if self.home:
                remove_socket_folder(self.home)
        _say("Stopped.")
        return 0

    @property
    def _url(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.config.host, self.config.host)  # noqa: S104
        return f"http://{host if host.startswith('[') or ':' not in host else f'[{host}]'}:{self.config.port}"

    def _check(self) -> None:
        config = self.config
        (self.run_dir / "ready").unlink(missing_ok=True)
        self.supervisor.end_orphans()
        write_pid_file(self.run_dir / "supervisor.pid", os.getpid())
        preflight.check_free_space(config.data_dir)
        preflight.check_port(config.host, config.port, "PORT")
        if self.sandbox:
            preflight.check_port("127.0.0.1", config.sandbox_port, "SANDBOX_PORT")

    def _start(self) -> None:
        notes = self.notes = read_notes(self.config.data_dir)
        self.home = make_home(self.config.data_dir, notes.place, self.environ)
        added = self._start_servers(self.home)
        self._make_notes(added)
        environment = self._children_environment()
        if self.sandbox:
            ready_at = f"{self.sandbox.url}/"
            self._service("sandbox", plan.sandbox(self.config, self.sandbox, environment), ready_at)
        self._seed(environment)
        self._service("web", plan.web(self.config, environment), f"{self._url}/readyz")
        self._start_background(environment)
        started = time.monotonic()
        names = ["web", "worker", "beat", *(["sandbox"] if self.sandbox else [])]
        self.supervisor.wait_ready(names, _READY_SECONDS)
        _say(f"{', '.join(names)} started ({time.monotonic() - started:.1f} s)")

    def _start_background(self, environment: Mapping[str, str]) -> None:
        redis_url = environment["REDIS_URL"]
        worker, beat = plan.worker(self.config, environment), plan.beat(self.config, environment)
        self.supervisor.start(
            Service("worker", worker, before_start=lambda: _restore(redis_url), steady_seconds=_STEADY_SECONDS)
        )
        self.supervisor.start(Service("beat", beat, steady_seconds=_STEADY_SECONDS))

    def _start_servers(self, home: Home) -> dict[str, str]:
        """Start the servers that the environment does not name; return the addresses that they add."""
        preflight.check_free_space(home.place)
        if self.notes.place is None:
            for moved in put_aside_data_without_notes(home):
                _say(f"Data of an earlier hub, whose keys in embedded.json are gone, was put aside: {moved}")
        servers: dict[str, EmbeddedServer] = {}
        if not is_set(self.environ, "REDIS_URL"):
            servers["redis"] = EmbeddedRedis(home)
        if not is_set(self.environ, "DATABASE_URL"):
            servers["postgres"] = EmbeddedPostgres(home)
        started = time.monotonic()
        for name, server in servers.items():
            self.supervisor.start(
                Service(name, server.command(), is_ready=server.is_ready, before_start=server.prepare)
            )
            if name == "postgres":
                # From here on a database exists, and only this note leads to it.
                self.notes.place = _relative(home.place, self.config.data_dir)
                write_notes(self.config.data_dir, self.notes)
        self.supervisor.wait_ready(list(servers), _SERVER_SECONDS)
        if servers:
            names = ", ".join(f"{server.name} {server.program.version}" for server in servers.values())
            _say(f"{names} started ({time.monotonic() - started:.1f} s)")
        return {
            {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}[name]: server.url for name, server in servers.items()
        }

    def _make_notes(self, added: dict[str, str]) -> None:
        """Keep addresses and secrets for later starts and for commands in a second terminal."""
        notes = self.notes
        kept = {name: value for name, value in notes.environment.items() if name not in _SANDBOX_VARIABLES}
        for name in ("DATABASE_URL", "REDIS_URL"):
            kept.pop(name, None)
        sandbox = self.sandbox.environment() if self.sandbox else {}
        notes.environment = {**fresh_secrets(), **kept, **added, **sandbox}
        if self.config.admin_password is None and notes.admin_email != self.config.admin_email:
            notes.admin_password = notes.admin_password or secrets.token_urlsafe(12)
        write_notes(self.config.data_dir, notes)

    def _children_environment(self) -> dict[str, str]:
        added = {name: value for name, value in self.notes.environment.items() if not is_set(self.environ, name)}
        environment = {**self.environ, **added}
        for name in _ADMIN_VARIABLES:
            environment.pop(name, None)
        environment["DATA_DIR"] = str(self.config.data_dir)
        environment["PYTHONUNBUFFERED"] = "1"
        environment.setdefault("DJANGO_SETTINGS_MODULE", "supporthub.settings.local")
        return environment

    def _seed(self, environment: Mapping[str, str]) -> None:
        """Bring the database up to date and make what a new hub needs, in one process: starting one takes seconds.

        The sample comes once, and only when its boards lead to the sandbox's Jira.
        """
        notes, config = self.notes, self.config
        password = config.admin_password or notes.admin_password
        admin = {"SUPPORTHUB_ADMIN_EMAIL": config.admin_email}
        if password:
            admin["SUPPORTHUB_ADMIN_PASSWORD"] = password
        sample = self.sandbox is not None and "jira" in self.sandbox.plays and not notes.sample
        options = ["--migrate", *(["--sample"] if sample else [])]
        command = self._run_command("seed", {**environment, **admin}, *options)
        if command.log and f"Made the first admin, {config.admin_email}." in tail(command.log, 50):
            notes.admin_email = config.admin_email
        notes.sample = notes.sample or sample
        write_notes(config.data_dir, notes)

    def _run_command(self, name: str, environment: Mapping[str, str], *options: str) -> Command:
        started = time.monotonic()
        command = plan.manage(self.config, name, environment, *options)
        self.supervisor.run_to_end(command)
        _say(f"{name} done ({time.monotonic() - started:.1f} s)")
        return command

    def _service(self, name: str, command: Command, url: str) -> None:
        self.supervisor.start(Service(name, command, is_ready=lambda _pid: _answers(url)))

    def _show_summary(self) -> None:
        notes, config = self.notes, self.config
        login = f"{notes.admin_email}   password: {notes.admin_password}"
        if notes.admin_email is None:
            login = "with an account that the database had already"
        elif notes.admin_password is None or config.admin_password is not None:
            login = f"{notes.admin_email}   (`manage.py changepassword` sets another password)"
        lines = [
            f"  Support Hub     {self._url}/",
            f"  Sign in         {login}",
            *([f"  Sandbox         {self.sandbox.page}   (plays {self.sandbox.names})"] if self.sandbox else []),
            f"  Data and logs   {config.data_dir}",
            *([f"  Database        {notes.place}"] if notes.place and Path(notes.place).is_absolute() else []),
            "  Ctrl-C stops everything.",
        ]
        _say("\n" + "\n".join(lines) + "\n")
        notes.admin_password = None
        write_notes(config.data_dir, notes)


def _new_sandbox(config: UpConfig, plays: tuple[str, ...]) -> plan.Sandbox:
    return plan.Sandbox(
        url=f"http://127.0.0.1:{config.sandbox_port}",
        secret=secrets.token_hex(12),
        jira_token=secrets.token_hex(20),
        entra_secret=secrets.token_urlsafe(30),
        plays=plays,
    )


def _relative(place: Path, data_dir: Path) -> str:
    return "." if place == data_dir else str(place)


def _restore(redis_url: str) -> None:
    restored = restore_unacknowledged(redis_url)
    if restored:
        _say(f"{restored} tasks of an earlier worker are in the queue again")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  (our own loopback address)
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError, ValueError):
        return False
