"""An embedded Redis: broker, cache and channel layer on a private unix socket."""

import os
import signal
import socket
from pathlib import Path

from supporthub.runtime.binaries import Program, find_redis
from supporthub.runtime.errors import StartError
from supporthub.runtime.homes import Home, make_private
from supporthub.runtime.processes import Command
from supporthub.runtime.servers import EmbeddedServer

_DURABLE = {"appendonly": "yes", "appendfsync": "everysec"}
_THROW_AWAY = {"appendonly": "no"}
_PING_SECONDS = 0.5


class EmbeddedRedis(EmbeddedServer):
    """Redis with its data in `home.place/redis`. It never evicts: a full memory is an error, not a silent loss."""

    name = "Redis"

    def __init__(self, home: Home, *, durable: bool = True, program: Program | None = None) -> None:
        super().__init__(home, durable=durable)
        self.program = program or find_redis(home.account)
        self.data = home.place / "redis"
        self.socket = home.sockets / "redis.sock"

    @property
    def version(self) -> str:
        return self.program.version

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def prepare(self) -> None:
        try:
            make_private(self.home.sockets, self.home.account)
            make_private(self.data, self.home.account)
        except OSError as error:
            raise StartError(f"Redis cannot keep its data in {self.data}: {error.strerror or error}") from error

    def command(self) -> Command:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            **(_DURABLE if self.durable else _THROW_AWAY),
        }
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        return Command(
            name=self.name,
            argv=[str(self.program.path), *options],
            cwd=Path("/"),
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            account=self.home.account,
            log=self.home.logs / "redis.log",
            death_signal=signal.SIGTERM if self.durable else signal.SIGKILL,
            stop_signal=signal.SIGTERM if self.durable else signal.SIGKILL,
        )

    def is_ready(self, pid: int) -> bool:
        """Whether a server answers on the socket; a Redis removes a dead one's socket before it listens."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_PING_SECONDS)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False
