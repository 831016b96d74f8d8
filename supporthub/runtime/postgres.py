"""An embedded PostgreSQL: made on the first start, cleaned after a crash, refused when foreign."""

import os
import shutil
import signal
import subprocess
import uuid
from pathlib import Path
from urllib.parse import quote

from supporthub.runtime.binaries import Program, find_postgres
from supporthub.runtime.errors import StartError
from supporthub.runtime.homes import Home, make_private
from supporthub.runtime.processes import Command, birth_mark, command_line, end_stranger
from supporthub.runtime.servers import EmbeddedServer

_ROLE = "supporthub"
_DATABASE = "supporthub"
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "max_wal_size": "512MB",
    "random_page_cost": "1.1",
    "jit": "off",
    # In the data folder instead of /dev/shm: a container's is often 64 MB, and a killed server's segments stay there.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_min_duration_statement": "1000",
}
_THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "log_min_duration_statement": "-1",
}
_BUILTIN_LOCALE_SINCE = 17
# Lines of postmaster.pid (src/include/utils/pidfile.h): the first is the process id, the eighth the state.
_PID_LINE, _STATE_LINE = 0, 7


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL with its data in `home.place/postgres`, reachable through `home.sockets` only (`trust`, no TCP)."""

    name = "PostgreSQL"

    def __init__(self, home: Home, *, durable: bool = True, program: Program | None = None) -> None:
        super().__init__(home, durable=durable)
        self.program = program or find_postgres(home.account)
        self.data = home.place / "postgres"

    @property
    def version(self) -> str:
        return self.program.version

    @property
    def url(self) -> str:
        # django-environ takes a path that begins with a second slash as "socket folder/database".
        return f"postgres://{_ROLE}@/{quote(str(self.home.sockets))}/{_DATABASE}"

    @property
    def identity(self) -> str:
        """What tells this database from one that was made later in the same place."""
        return (self.data / "supporthub.id").read_text(encoding="ascii").strip()

    def prepare(self) -> None:
        try:
            make_private(self.home.sockets, self.home.account)
            if self.data.is_dir():
                self._refuse_other_major()
                self._clear_after_crash()
            else:
                self._create()
        except OSError as error:
            raise StartError(f"PostgreSQL cannot keep its data in {self.data}: {error.strerror or error}") from error

    def command(self) -> Command:
        settings = {**_SETTINGS, **({} if self.durable else _THROW_AWAY)}
        settings["unix_socket_directories"] = str(self.home.sockets)
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Command(
            name=self.name,
            argv=[str(self.program.path), "-D", str(self.data), *options],
            cwd=Path("/"),
            env=_environment(),
            account=self.home.account,
            log=self.home.logs / "postgres.log",
            # SIGINT is the "fast" shutdown, SIGQUIT the immediate one (server manual, "Shutting Down the Server").
            death_signal=signal.SIGINT if self.durable else signal.SIGQUIT,
            stop_signal=signal.SIGINT if self.durable else signal.SIGQUIT,
            grace=30.0,
        )

    def is_ready(self, pid: int) -> bool:
        lines = self._pid_file_lines()
        return (
            len(lines) > _STATE_LINE and lines[_PID_LINE].strip() == str(pid) and lines[_STATE_LINE].strip() == "ready"
        )

    def _create(self) -> None:
        # In a folder of its own that is renamed when complete: a crash here never leaves half a database behind.
        fresh = self.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        make_private(fresh, self.home.account)
        program = str(self.program.path.parent / "initdb")
        options = ["--auth=trust", f"--username={_ROLE}", "--encoding=UTF8", "--no-instructions"]
        if self.program.major >= _BUILTIN_LOCALE_SINCE:
            options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        else:
            options += ["--locale=C.UTF-8"]
        if not self.durable:
            options += ["--no-sync"]
        self._run([program, "-D", str(fresh), *options])
        single_user = [str(self.program.path), "--single", "-D", str(fresh), "postgres"]
        self._run(single_user, f"CREATE DATABASE {_DATABASE};\n")
        (fresh / "supporthub.id").write_text(f"{uuid.uuid4()}\n", encoding="ascii")
        fresh.rename(self.data)

    def _run(self, argv: list[str], script: str = "") -> None:
        account = self.home.account
        try:
            done = subprocess.run(
                argv,
                input=script,
                text=True,
                errors="replace",
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
                cwd="/",
                env=_environment(),
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        except OSError as error:
            raise StartError(f"PostgreSQL's {Path(argv[0]).name} cannot be run: {error.strerror}") from error
        if done.returncode == 0:
            return
        if "No space left on device" in done.stdout:
            raise StartError(f"the disk of {self.home.place} is full: PostgreSQL's first database needs about 50 MB")
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        reason = next((line for line in lines if "error:" in line or "FATAL" in line), lines[-1] if lines else "")
        raise StartError(f"PostgreSQL's first database cannot be made in {self.data}: {reason.strip()}", lines[-10:])

    def _refuse_other_major(self) -> None:
        found = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != str(self.program.major):
            raise StartError(
                f"the database in {self.data} was made by PostgreSQL {found}, this installation has "
                f"{self.program.version}: dump it with {found} and load it here, or choose another DATA_DIR"
            )

    def _clear_after_crash(self) -> None:
        """End a server that an earlier supervisor left on our data; disarm what its lock file still claims.

        PostgreSQL refuses to start while the process id in `postmaster.pid` exists, though it may by now be a zombie or
        a stranger. A file that names PostgreSQL's parent, which is us, counts as stale; its other lines are kept,
        because by them PostgreSQL finds out whether a backend of the dead server still holds the shared memory.
        """
        lines = self._pid_file_lines()
        pid = int(lines[_PID_LINE]) if lines and lines[_PID_LINE].strip().isdigit() else None
        if pid is not None and birth_mark(pid) is not None and f"-D {self.data} " in f"{command_line(pid)} ":
            end_stranger(pid, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL, patience=20)
            lines = self._pid_file_lines()
        if lines:
            lines[_PID_LINE] = str(os.getpid())
            (self.data / "postmaster.pid").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for left in self.home.sockets.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []


def _environment() -> dict[str, str]:
    # Nothing of ours: PG* variables would change what the server does, and secrets are not its business.
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
