"""The file form of the audit trail, pure: JSON lines that another program can verify. Writing and checking it.

First a header, then the anchors, the sealed entries in order, the unsealed ones, and a signed manifest over all bytes
before it. docs/adr/0007-audit-trail.md describes each line; scripts/verify_audit.py is the independent reader.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from accounts.chain import GENESIS, MANIFEST_DOMAIN, canonical, proof_of, same
from accounts.verification import ChainCheck, Report, Start, UnknownKey

FORMAT = "supporthub-audit-export-1"
_TEXTS = ("action", "actor_id", "actor_kind", "at", "request", "target_id", "target_type")
_MAC_LENGTH = 64

Text = tuple[bytes, Mapping[str, str]]
IsNewer = Callable[[int, str, str], bool]


class NotAnExport(Exception):
    """The file is something else, or of another version."""


class ExportWriter:
    """Makes the lines of an export; `write` takes bytes. Ends with `finish`, which signs what was written."""

    def __init__(self, write: Callable[[bytes], object], *, made_at: str, selection: bool = False) -> None:
        self._write = write
        self._sum = hashlib.sha256()
        self._numbers = {"anchors": 0, "entries": 0, "unsealed": 0}
        start = {"seal": 0, "mac": GENESIS}
        self._line({"kind": "header", "format": FORMAT, "made_at": made_at, "selection": selection, "start": start})

    @property
    def entries(self) -> int:
        """How many entries were written, sealed and unsealed."""
        return self._numbers["entries"] + self._numbers["unsealed"]

    def anchor(self, content: Mapping[str, Any]) -> None:
        self._numbers["anchors"] += 1
        self._line({"kind": "anchor", **content})

    def entry(self, facts: Mapping[str, Any], mac: str, text: Text | None, *, previous: str | None = None) -> None:
        """Write an entry; in a selection `previous` is the MAC of the entry before it in the chain."""
        line: dict[str, Any] = {"kind": "entry", **facts, "mac": mac}
        if text is not None:
            line["salt"], line["texts"] = text[0].hex(), text[1]
        if previous is not None:
            line["previous"] = previous
        self._numbers["entries" if facts["seal"] else "unsealed"] += 1
        self._line(line)

    def finish(self, key_id: str, key: bytes) -> None:
        manifest = {"kind": "manifest", **self._numbers, "key": key_id, "sha256": self._sum.hexdigest()}
        self._line({**manifest, "proof": proof_of(key, MANIFEST_DOMAIN, manifest)})

    def _line(self, content: Mapping[str, Any]) -> None:
        line = canonical(content).encode() + b"\n"
        self._sum.update(line)
        self._write(line)


def check_export(
    lines: Iterable[bytes], keys: Mapping[str, bytes], *, anchors: Iterable[Mapping[str, Any]] = (),
    is_newer: IsNewer | None = None,
) -> Report:  # fmt: skip
    """Check an export. `anchors` are copies from elsewhere; `is_newer(seal, mac, made_at)` tells of one beyond the
    end of the file whether it was made after the export. Raises NotAnExport, UnknownKey."""
    reader = _Reader(iter(lines), keys)
    for anchor in anchors:
        reader.check.anchor(anchor)
    return reader.run(is_newer)


class _Reader:
    """Reads line by line. What cannot be read is a fault of the file, not of the program."""

    def __init__(self, lines: Any, keys: Mapping[str, bytes]) -> None:
        self._lines, self._keys, self._sum = lines, keys, hashlib.sha256()
        header = self._header()
        self._made_at = str(header.get("made_at", ""))
        self._selection = header.get("selection") is True
        self._start = _start_of(header.get("start"))
        self._start_is_proven = self._start == Start()
        self._ended = False
        self._numbers = {"anchors": 0, "entries": 0, "unsealed": 0}
        self.check = ChainCheck(keys, start=self._start, selection=self._selection)

    def run(self, is_newer: IsNewer | None) -> Report:
        for number, line in enumerate(self._lines, 2):
            try:
                self._take(line)
            except (ValueError, KeyError, TypeError):
                self.check.fault("unreadable", f"Line {number} is no entry, anchor or manifest.")
        if not (self._start_is_proven or self._selection):
            self.check.fault("start", f"No anchor proves how the chain stood at entry {self._start.seal}.")
        if not self._ended:
            self.check.fault("manifest", "The manifest at the end is missing: the file was cut.")
        if is_newer is None:
            return self.check.finish()
        return self.check.finish(is_newer=lambda seal, mac: is_newer(seal, mac, self._made_at))

    def _header(self) -> dict[str, Any]:
        line = next(self._lines, b"")
        try:
            header = _object(line)
        except ValueError:
            header = {}
        if header.get("kind") != "header" or header.get("format") != FORMAT:
            raise NotAnExport("The first line is not the header of an export.")
        self._sum.update(line)
        return header

    def _take(self, line: bytes) -> None:
        if self._ended:
            raise ValueError("after the manifest")
        content = _object(line)
        kind = content.get("kind")
        if kind == "manifest":
            self._manifest(content)
            return
        self._sum.update(line)
        if kind == "entry":
            self._entry(content)
        elif kind == "anchor":
            self._anchor(content)
        else:
            raise ValueError(kind)

    def _entry(self, line: dict[str, Any]) -> None:
        for name in _TEXTS:
            _demand(isinstance(line[name], str))
        _demand(_is_number(line["id"]) and isinstance(line["data"], dict) and _are_texts(line["digests"]))
        _demand(line["organisation"] is None or _is_number(line["organisation"]))
        text = None
        if "salt" in line:
            _demand(_are_texts(line["texts"]))
            text = bytes.fromhex(line["salt"]), line["texts"]
        if line["seal"] is None:
            self._numbers["unsealed"] += 1
            self.check.unsealed(line)
            return
        _demand(_is_number(line["seal"]) and _is_number(line["v"]) and isinstance(line["key"], str))
        _demand(isinstance(line["mac"], str) and len(line["mac"]) == _MAC_LENGTH)
        self._numbers["entries"] += 1
        self.check.entry(line, line["mac"], text=text, previous=str(line["previous"]) if self._selection else None)

    def _anchor(self, line: dict[str, Any]) -> None:
        content = {name: value for name, value in line.items() if name != "kind"}
        _demand(_is_number(content["seal"]) and isinstance(content["mac"], str) and "proof" in content)
        self._numbers["anchors"] += 1
        faults = self.check.report.fault_count
        self.check.anchor(content)
        if faults == self.check.report.fault_count and (content["seal"], content["mac"]) == (
            self._start.seal, self._start.mac,
        ):  # fmt: skip
            self._start_is_proven = True

    def _manifest(self, manifest: dict[str, Any]) -> None:
        self._ended = True
        key_id = str(manifest["key"])
        if key_id not in self._keys:
            raise UnknownKey(key_id)
        signed = same(str(manifest.get("proof")), proof_of(self._keys[key_id], MANIFEST_DOMAIN, manifest))
        fits = manifest.get("sha256") == self._sum.hexdigest()
        if not (signed and fits and all(manifest.get(name) == value for name, value in self._numbers.items())):
            self.check.fault("manifest", "The file is not the one whose manifest was signed.")


def _object(line: bytes) -> dict[str, Any]:
    """A line as an object; ValueError when it is none, holds NaN, or a lone surrogate."""
    content = json.loads(line, parse_constant=_refuse)
    if not isinstance(content, dict):
        raise ValueError("no object")  # noqa: TRY004  (a fault of the file)
    return content


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _start_of(start: Any) -> Start:
    fits = isinstance(start, dict) and _is_number(start.get("seal")) and isinstance(start.get("mac"), str)
    return Start(start["seal"], start["mac"]) if fits else Start(-1, "")


def _is_number(value: Any) -> bool:
    return type(value) is int


def _are_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _demand(condition: bool) -> None:
    if not condition:
        raise ValueError("malformed")
