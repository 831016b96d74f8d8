"""Typed reading of the environment; every fault becomes one line that names the variable.

Faults are collected, so that an operator sees all of them at once. `Env.finish` ends the process with status 2
(`SettingsError` is a `SystemExit`): a server with wrong settings must not start, and a stack trace would hide the line.
"""

import ipaddress
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
_LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}


class SettingsError(SystemExit):
    """The process cannot start with these settings. Ends it with status 2; raising prints one line a fault."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(2)
        self.faults = list(faults)
        for fault in faults:
            sys.stderr.write(f"supporthub: {fault}\n")


class Env:
    """Reads variables from a mapping, `NAME_FILE` included, and remembers what is wrong."""

    def __init__(self, source: Mapping[str, str] | None = None) -> None:
        self.source = os.environ if source is None else source
        self.faults: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        """Return the value of `name`, or of the file that `NAME_FILE` names (one trailing newline dropped)."""
        value = self.source.get(name)
        file_name = self.source.get(f"{name}_FILE")
        if value is None and file_name:
            value = self._from_file(name, file_name)
        if value is None or value == "":
            if default is None:
                self.faults.append(f"{name} is missing: set it, or {name}_FILE, in the environment or in .env")
                return ""
            return default
        return value

    def flag(self, name: str, default: bool) -> bool:
        raw = self.text(name, "true" if default else "false").strip().lower()
        if raw in _TRUE:
            return True
        if raw not in _FALSE:
            self.faults.append(f"{name} is {raw!r}: use true or false")
        return False

    def number(self, name: str, default: float, *, least: float = 0) -> float:
        return self._parsed(name, str(default), float, f"a number of at least {least:g}", lambda v: v >= least)

    def integer(self, name: str, default: int, *, least: int = 0) -> int:
        return self._parsed(name, str(default), int, f"a whole number of at least {least}", lambda v: v >= least)

    def words(self, name: str, default: str = "") -> list[str]:
        """Return a list from a comma-separated value; empty entries are dropped."""
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def networks(self, name: str, default: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        found = []
        for word in self.words(name, default):
            try:
                found.append(ipaddress.ip_network(word, strict=False))
            except ValueError:
                self.faults.append(f"{name} has {word!r}: use networks such as 10.0.0.0/8, separated by commas")
        return found

    def url(self, name: str, default: str | None = None) -> str:
        """Return an http(s) address without a trailing slash; plain http only on loopback."""
        value = self.text(name, default).rstrip("/")
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            self.faults.append(f"{name} is {value!r}: use an address such as https://example.org")
        elif parts.scheme == "http" and parts.hostname not in _LOOPBACK_HOSTS:
            self.faults.append(f"{name} is {value!r}: plain http is accepted on loopback only, use https")
        return value

    def all_or_none(self, *names: str) -> bool:
        """True when all of `names` are set, False when none is; some of them is a fault."""
        present = [name for name in names if self.source.get(name) or self.source.get(f"{name}_FILE")]
        if present and len(present) < len(names):
            missing = ", ".join(name for name in names if name not in present)
            self.faults.append(f"{missing} is missing: needed because {present[0]} is set")
        return len(present) == len(names)

    def finish(self) -> None:
        """Raise SettingsError when anything was wrong."""
        if self.faults:
            raise SettingsError(self.faults)

    def _from_file(self, name: str, file_name: str) -> str | None:
        try:
            return Path(file_name).read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            self.faults.append(f"{name}_FILE names {file_name!r}, which cannot be read: {error.__class__.__name__}")
            return None

    def _parsed(self, name: str, default: str, kind: Callable[[str], T], wanted: str, fits: Callable[[T], bool]) -> T:
        raw = self.text(name, default)
        try:
            value = kind(raw)
        except ValueError:
            self.faults.append(f"{name} is {raw!r}: use {wanted}")
            return kind(default)
        if not fits(value):
            self.faults.append(f"{name} is {raw!r}: use {wanted}")
        return value
