"""The environment of the hub's processes: `.env`, what the embedded servers add, and `up`'s own settings.

No Django here: settings import this module, and `up` runs before any settings are valid.
"""

import base64
import ipaddress
import json
import os
import secrets
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supporthub.runtime.errors import StartError

ROOT = Path(__file__).resolve().parents[2]
NOTES_FILE = "embedded.json"
SANDBOX_ACTIVE = "SUPPORTHUB_SANDBOX_ACTIVE"
JIRA_VARIABLES = ("ATLASSIAN_URL", "ATLASSIAN_USER", "ATLASSIAN_API_TOKEN")
# One of these is set: a real Entra is meant, and what is set must suffice for it.
ENTRA_CREDENTIALS = (
    "ENTRA_TENANT_ID", "ENTRA_CLIENT_ID", "ENTRA_CLIENT_SECRET", "ENTRA_CERTIFICATE", "ENTRA_PRIVATE_KEY",
)  # fmt: skip
SANDBOX_FILLS = {
    "jira": JIRA_VARIABLES,
    "entra": ("ENTRA_AUTHORITY", "ENTRA_TENANT_ID", "ENTRA_CLIENT_ID", "ENTRA_CLIENT_SECRET"),
}
"""What the sandbox sets for a system that it plays: all of it or nothing, so that no real address meets its secrets."""
_CREDENTIALS = {"jira": JIRA_VARIABLES, "entra": ("ENTRA_AUTHORITY", *ENTRA_CREDENTIALS)}
_HIGHEST_PORT = 65535


def parse_env_file(text: str) -> dict[str, str]:
    """Return the variables of a `.env` text: `NAME=value` lines, `export` and surrounding quotes allowed.

    Nothing is expanded. In an unquoted value, a ` #` starts a comment. Raises ValueError naming the first bad line.
    """
    found: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip().removeprefix("export ").lstrip()
        if not line or line.startswith("#"):
            continue
        name, separator, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if not separator or not name.isidentifier():
            raise ValueError(f"line {number} is not NAME=value")
        if value[:1] in {"'", '"'}:
            quote = value[0]
            end = value.find(quote, 1)
            if end < 0:
                raise ValueError(f"line {number} has no closing quote")
            value = value[1:end]
        else:
            value = value.partition(" #")[0].rstrip()
        found[name] = value
    return found


def fill_from_env_file(environ: MutableMapping[str, str], path: Path = ROOT / ".env") -> None:
    """Add what `.env` sets to `environ`; the real environment wins. Raises StartError for an unreadable file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{path} cannot be read: {error}") from error
    try:
        found = parse_env_file(text)
    except ValueError as error:
        raise StartError(f"{path}: {error}") from error
    for name, value in found.items():
        if name not in environ and f"{name}_FILE" not in environ:
            environ[name] = value


@dataclass
class Notes:
    """What `DATA_DIR/embedded.json` keeps between starts (mode 0600; it holds secrets).

    `place`: the servers' data folder, relative to DATA_DIR or absolute; None before the first database is made.
    `environment`: addresses and generated secrets. `admin_email`: the first admin, when seeding made one;
    `admin_password`: only between making one up and printing it. `sample`: it was loaded once.
    """

    place: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    admin_email: str | None = None
    admin_password: str | None = None
    sample: bool = False


def read_notes(data_dir: Path) -> Notes:
    """Return the notes of earlier starts; empty ones when there are none. Raises StartError when they are damaged."""
    path = data_dir / NOTES_FILE
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Notes(**content)
    except FileNotFoundError:
        return Notes()
    except PermissionError as error:
        raise StartError(f"{path} cannot be read: run this as the user who started the hub") from error
    except (OSError, ValueError, TypeError) as error:
        raise StartError(f"{path} is damaged ({error}): bring it back from a backup, it holds keys") from error


def write_notes(data_dir: Path, notes: Notes) -> None:
    """Replace the notes atomically and durably: they hold the only copy of the encryption keys."""
    path = data_dir / NOTES_FILE
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(vars(notes), file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def load_embedded(data_dir: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that the embedded servers add to `environ` (default: the process's own).

    Empty when nothing was started in `data_dir` yet. What is set already, also as `NAME_FILE`, is left out; the
    sandbox's settings of one system are all or nothing, so that an operator's address never meets its secrets.
    """
    present = os.environ if environ is None else environ
    found = dict(read_notes(data_dir).environment)
    played = [system for system in found.get(SANDBOX_ACTIVE, "").split(",") if system in SANDBOX_FILLS]
    left = [system for system in played if not _is_overruled(present, found, _CREDENTIALS[system])]
    for system in set(played) - set(left):
        for name in SANDBOX_FILLS[system]:
            found.pop(name, None)
    if left:
        found[SANDBOX_ACTIVE] = ",".join(left)
    else:
        found.pop(SANDBOX_ACTIVE, None)
    return {name: value for name, value in found.items() if not is_set(present, name)}


def _is_overruled(present: Mapping[str, str], found: Mapping[str, str], names: Iterable[str]) -> bool:
    """Whether the environment names anything of a system otherwise than the sandbox does."""
    return any(is_set(present, name) and (name not in found or present.get(name) != found[name]) for name in names)


def is_set(environ: Mapping[str, str], name: str) -> bool:
    return bool(environ.get(name) or environ.get(f"{name}_FILE"))


def fresh_secrets() -> dict[str, str]:
    """Return new values for the secrets that a hub needs; `ENCRYPTION_KEYS` is a Fernet key with its id before it."""
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": f"k1:{key}",
        "AUDIT_KEY": secrets.token_hex(32),
    }


@dataclass(frozen=True)
class UpConfig:
    """`up`'s own settings."""

    data_dir: Path
    host: str
    port: int
    sandbox_port: int
    worker_threads: int
    sandbox: bool
    admin_email: str
    admin_password: str | None


def read_config(environ: Mapping[str, str]) -> UpConfig:
    """Return `up`'s settings; StartError names the first variable that is wrong."""
    sandbox = environ.get("SUPPORTHUB_SANDBOX") or "auto"
    if sandbox not in {"auto", "off"}:
        raise StartError(f"SUPPORTHUB_SANDBOX is {sandbox!r}: use auto or off")
    return UpConfig(
        data_dir=Path(environ.get("DATA_DIR") or ROOT / "var").absolute(),
        host=_host(environ.get("HOST") or "127.0.0.1"),
        port=_whole_number(environ, "PORT", 8000, _HIGHEST_PORT),
        sandbox_port=_whole_number(environ, "SANDBOX_PORT", 8025, _HIGHEST_PORT),
        worker_threads=_whole_number(environ, "WORKER_THREADS", 8, 256),
        sandbox=sandbox == "auto",
        admin_email=environ.get("SUPPORTHUB_ADMIN_EMAIL") or "admin@example.org",
        admin_password=environ.get("SUPPORTHUB_ADMIN_PASSWORD") or None,
    )


def _whole_number(environ: Mapping[str, str], name: str, default: int, most: int) -> int:
    raw = environ.get(name) or str(default)
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw) <= most:
        raise StartError(f"{name} is {raw!r}: use a whole number from 1 to {most}")
    return int(raw)


def _host(raw: str) -> str:
    try:
        return str(ipaddress.ip_address("127.0.0.1" if raw == "localhost" else raw))
    except ValueError as error:
        raise StartError(f"HOST is {raw!r}: use an IP address of this machine, such as 127.0.0.1") from error
