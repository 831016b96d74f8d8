"""Typed reading of the environment; every fault becomes one line that names the variable.

Faults are collected, so that an operator sees all of them at once. `Env.finish` ends the process with status 2
(`SettingsError` is a `SystemExit`): a server with wrong settings must not start, and a stack trace would hide the line.
"""

import ipaddress
import os
import re
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")
_LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}
# An underscore is left out on purpose: servers cannot tell it from a hyphen, so a caller could pass for the gateway.
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")


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

    def choice(self, name: str, default: str, allowed: Sequence[str]) -> str:
        """Return one of `allowed`, in any letter case given."""
        value = self.text(name, default).strip().lower()
        if value not in allowed:
            self.faults.append(f"{name} is {value!r}: use {' or '.join(allowed)}")
            return default
        return value

    def guid(self, name: str) -> str:
        """Return a GUID in lower case, or nothing when `name` is not set."""
        return next(iter(self._guids(name, [self.text(name, "").strip()])), "")

    def guids(self, name: str) -> list[str]:
        """Return the GUIDs of a comma-separated value, in lower case."""
        return self._guids(name, self.words(name))

    def header(self, name: str) -> str:
        """Return the name of an HTTP header, or nothing when `name` is not set."""
        value = self.text(name, "").strip()
        if value and not _HEADER.fullmatch(value):
            self.faults.append(f"{name} is {value!r}: use a header's name such as X-Gateway-Key (no underscores)")
            return ""
        return value

    def digests(self, name: str) -> list[str]:
        """Return SHA-256 digests as lower-case hex; colons between the bytes are dropped."""
        found = [word.replace(":", "").lower() for word in self.words(name)]
        for word in found:
            if not _DIGEST.fullmatch(word):
                self.faults.append(f"{name} has {word!r}: use SHA-256 fingerprints, 64 hexadecimal digits each")
        return found

    def is_set(self, name: str) -> bool:
        return bool(self.source.get(name) or self.source.get(f"{name}_FILE"))

    def need(self, because: str, *names: str) -> None:
        """Note as missing whichever of `names` is not set; `because` says what needs them."""
        missing = ", ".join(name for name in names if not self.is_set(name))
        if missing:
            self.faults.append(f"{missing} is missing: needed because {because}")

    def all_or_none(self, *names: str) -> bool:
        """True when all of `names` are set, False when none is; some of them is a fault."""
        present = [name for name in names if self.is_set(name)]
        if present and len(present) < len(names):
            missing = ", ".join(name for name in names if name not in present)
            self.faults.append(f"{missing} is missing: needed because {present[0]} is set")
        return len(present) == len(names)

    def named_keys(self, name: str, *, least: int = 16) -> dict[str, bytes]:
        """Return secrets by id from `id:secret,id:secret`; the first is the one to use, the others are older.

        A single secret without an id is called k1. The secret is the text itself, at least `least` characters.
        """
        keys: dict[str, bytes] = {}
        raw = self.text(name)
        for entry in (part.strip() for part in raw.split(",") if part.strip()):
            key_id, colon, secret = entry.partition(":")
            if not colon:
                key_id, secret = "k1", entry
            if not _KEY_ID.fullmatch(key_id) or key_id in keys:
                self.faults.append(f"{name} needs a different id of 1 to 16 letters and digits before each colon")
            elif len(secret) < least:
                self.faults.append(f"{name}: the key {key_id!r} has fewer than {least} characters")
            keys[key_id] = secret.encode()
        return keys

    def finish(self) -> None:
        """Raise SettingsError when anything was wrong."""
        if self.faults:
            raise SettingsError(self.faults)

    def _guids(self, name: str, words: Sequence[str]) -> list[str]:
        found = []
        for word in filter(None, words):
            try:
                found.append(str(uuid.UUID(word)))
            except ValueError:
                self.faults.append(f"{name} has {word!r}: use ids such as 11111111-2222-3333-4444-555555555555")
        return found

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
