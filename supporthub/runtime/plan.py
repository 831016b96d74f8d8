"""Which processes make up the hub, and what the sandbox plays. Pure."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from supporthub.runtime.environment import (
    ENTRA_CREDENTIALS,
    JIRA_VARIABLES,
    ROOT,
    SANDBOX_ACTIVE,
    SANDBOX_FILLS,
    UpConfig,
    is_set,
)
from supporthub.runtime.errors import StartError
from supporthub.runtime.processes import Command

SANDBOX_MAIL = "hub@sandbox.example"
# The first tenant and the hub's app registration of a fresh sandbox.
SANDBOX_TENANT = "6f1f8e9a-4b5c-4d6e-8f70-000000000001"
SANDBOX_CLIENT = "5b0c4d2e-7a31-4c8f-9d10-00000000a001"
_NAMES = {"jira": "Jira", "entra": "Entra ID"}
LONGEST_MESSAGE = 65536  # bytes that web takes from a socket before it closes it; the hub's own limit lies below
WORKER_QUEUES = ("celery", "tracker")
# Each stage is told to stop at once and awaited before the next: nothing loses what it still needs.
STOP_STAGES = (("beat", "worker", "web"), ("sandbox",), ("redis", "postgres"))


@dataclass(frozen=True)
class Sandbox:
    """The sandbox of one start: its address, the secret of its control calls, and the secrets of what it plays."""

    url: str
    secret: str
    jira_token: str
    entra_secret: str
    plays: tuple[str, ...] = tuple(SANDBOX_FILLS)

    @property
    def page(self) -> str:
        return f"{self.url}/?secret={self.secret}"

    @property
    def names(self) -> str:
        return " and ".join(_NAMES[system] for system in self.plays)

    def environment(self) -> dict[str, str]:
        """What points the hub's processes at the sandbox."""
        filled = {
            "ATLASSIAN_URL": f"{self.url}/jira",
            "ATLASSIAN_USER": SANDBOX_MAIL,
            "ATLASSIAN_API_TOKEN": self.jira_token,
            "ENTRA_AUTHORITY": f"{self.url}/entra",
            "ENTRA_TENANT_ID": SANDBOX_TENANT,
            "ENTRA_CLIENT_ID": SANDBOX_CLIENT,
            "ENTRA_CLIENT_SECRET": self.entra_secret,
        }
        played = {name: filled[name] for system in self.plays for name in SANDBOX_FILLS[system]}
        return {**played, SANDBOX_ACTIVE: ",".join(self.plays), "SUPPORTHUB_SANDBOX_PAGE": self.page}


def systems_to_play(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the outside systems for which no credential is set; StartError when a system has only some of them."""
    return (*(["jira"] if _plays_jira(environ) else []), *(["entra"] if _plays_entra(environ) else []))


def _plays_jira(environ: Mapping[str, str]) -> bool:
    given = [name for name in JIRA_VARIABLES if is_set(environ, name)]
    missing = [name for name in JIRA_VARIABLES if name not in given]
    if given and missing:
        raise StartError(f"{', '.join(missing)} missing: {given[0]} is set, and Jira needs all three (or none)")
    return not given


def _plays_entra(environ: Mapping[str, str]) -> bool:
    """An authority of the operator's own is not played either, though it is no credential: it names another place.

    Which credentials suffice for a use is said by the settings.
    """
    return not any(is_set(environ, name) for name in ("ENTRA_AUTHORITY", *ENTRA_CREDENTIALS))


def web(config: UpConfig, environ: Mapping[str, str]) -> Command:
    arguments = ["uvicorn", "supporthub.asgi:application", "--host", config.host, "--port", str(config.port)]
    sockets = ["--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--ws-max-size", str(LONGEST_MESSAGE)]
    return _python(
        config, "web", [*arguments, *sockets, "--no-access-log", "--timeout-graceful-shutdown", "5"], environ
    )


def worker(config: UpConfig, environ: Mapping[str, str]) -> Command:
    pool = ["-P", "threads", "-c", str(config.worker_threads), "--without-gossip", "--without-mingle"]
    arguments = ["celery", "-A", "supporthub.celery", "worker", *pool, "-Q", ",".join(WORKER_QUEUES), "-l", "info"]
    return _python(config, "worker", arguments, environ)


def beat(config: UpConfig, environ: Mapping[str, str]) -> Command:
    """A process of its own: `worker -B` leaves its beat behind when it is killed, and two beats then schedule."""
    schedule = ["-S", "django_celery_beat.schedulers:DatabaseScheduler", "--pidfile=", "-l", "warning"]
    return _python(config, "beat", ["celery", "-A", "supporthub.celery", "beat", *schedule], environ)


def sandbox(config: UpConfig, played: Sandbox, environ: Mapping[str, str]) -> Command:
    address = ["--host", "127.0.0.1", "--port", str(config.sandbox_port), "--data", str(config.data_dir / "sandbox")]
    # The secret of the control calls goes by the environment: every user of the machine can read arguments.
    private = {**environ, "SANDBOX_SECRET": played.secret, "SANDBOX_ENTRA_SECRET": played.entra_secret}
    return _python(config, "sandbox", ["tests.sandbox", *address, f"--jira-token={played.jira_token}"], private)


def manage(config: UpConfig, command: str, environ: Mapping[str, str], *options: str) -> Command:
    """One management command that runs to its end before the hub's processes start."""
    return Command(
        name=command,
        argv=[sys.executable, str(ROOT / "manage.py"), command, *options],
        cwd=ROOT,
        env=environ,
        log=_log(config, command),
    )


def _python(config: UpConfig, name: str, module: list[str], environ: Mapping[str, str]) -> Command:
    return Command(name=name, argv=[sys.executable, "-m", *module], cwd=ROOT, env=environ, log=_log(config, name))


def _log(config: UpConfig, name: str) -> Path:
    return config.data_dir / "logs" / f"{name}.log"
