#!/usr/bin/env python3
"""Verify an export of the Support Hub's audit trail, independently of the hub.

One file, Python 3.11 or newer, standard library only; it shares no code with the hub. The format is described in
docs/adr/0007-audit-trail.md.

    python verify_audit.py EXPORT --keys KEYFILE [--anchors FOLDER]

KEYFILE holds the value of AUDIT_KEY (`id:secret,id:secret`, or one secret alone, which is called k1). FOLDER holds
copies of anchors (the folder audit/anchors of the hub's storage), best fetched from where the hub cannot write.

Exit code 0: the trail is intact. 1: it is not. 2: it could not be told (no such file, a key is missing).
"""

import argparse
import hashlib
import hmac
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

INTACT, BROKEN, CANNOT_TELL = 0, 1, 2
FORMAT = "supporthub-audit-export-1"
NOTHING_BEFORE = "0" * 64
MOST_SHOWN = 50
TEXT_FIELDS = ("action", "actor_id", "actor_kind", "at", "request", "target_id", "target_type")
SEALED_FIELDS = (*TEXT_FIELDS, "data", "digests", "id", "key", "organisation", "seal", "v")

to_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


class CannotTell(Exception):
    """Something that is needed to judge is missing."""


class Trail:
    """What was read so far, and what is wrong with it."""

    def __init__(self, keys: dict[str, bytes], anchors: list[dict[str, Any]]) -> None:
        self.keys = keys
        self.outside = anchors
        self.faults = 0
        self.counts = {"entries": 0, "unsealed": 0, "anchors": 0}
        self.texts = self.erased = self.first = self.last = self.start = 0
        self.mac = NOTHING_BEFORE
        self.selection = self.start_is_proven = self.ended = False
        self.made_at = ""
        self.sum = hashlib.sha256()
        self.expected: dict[int, set[str]] = {}  # MACs that anchors promise, by number
        self.without_text: set[int] = set()
        self.recorded_erasures: set[int] = set()

    def fault(self, sentence: str) -> None:
        self.faults += 1
        if self.faults <= MOST_SHOWN:
            print(f"FAULT: {sentence}")

    def key(self, name: Any) -> bytes:
        if not isinstance(name, str) or name not in self.keys:
            raise CannotTell(f"the key {name!r} is needed and is not in the key file")
        return self.keys[name]

    def sign(self, kind: str, content: dict[str, Any]) -> str:
        signed = {name: value for name, value in content.items() if name != "proof"}
        message = f"supporthub-audit-{kind}-1\n{to_json(signed)}".encode()
        return hmac.digest(self.key(content["key"]), message, "sha256").hex()

    # -- lines of the file

    def header(self, line: bytes) -> None:
        try:
            header = parse(line)
        except ValueError:
            header = {}
        if header.get("kind") != "header" or header.get("format") != FORMAT:
            raise CannotTell("the first line is not the header of an export of this version")
        self.sum.update(line)
        self.made_at, self.selection = str(header.get("made_at", "")), header.get("selection") is True
        start = header.get("start")
        if isinstance(start, dict) and type(start.get("seal")) is int and isinstance(start.get("mac"), str):
            self.start, self.mac = start["seal"], start["mac"]
        else:
            self.start, self.mac = -1, ""
        self.start_mac = self.mac
        self.last = self.start
        self.start_is_proven = self.selection or (self.start, self.mac) == (0, NOTHING_BEFORE)
        for anchor in self.outside:
            self.expect(anchor)

    def line(self, line: bytes) -> None:
        if self.ended:
            raise ValueError("after the end")
        content = parse(line)
        if content.get("kind") == "manifest":
            self.manifest(content)
            return
        self.sum.update(line)
        if content.get("kind") == "entry":
            self.entry(content)
        elif content.get("kind") == "anchor":
            self.anchor(content)
        else:
            raise ValueError("unknown kind")

    def anchor(self, line: dict[str, Any]) -> None:
        del line["kind"]
        must(type(line["seal"]) is int and isinstance(line["mac"], str) and "proof" in line)
        self.counts["anchors"] += 1
        if self.expect(line) and (line["seal"], line["mac"]) == (self.start, self.start_mac):
            self.start_is_proven = True

    def expect(self, anchor: dict[str, Any]) -> bool:
        """Take an anchor's word, if it is signed."""
        if not hmac.compare_digest(str(anchor["proof"]).encode(), self.sign("anchor", anchor).encode()):
            self.fault(f"the anchor of entry {anchor['seal']} does not carry the hub's signature")
            return False
        seal, mac = anchor["seal"], anchor["mac"]
        is_newer = seal > self.start and str(anchor.get("at")) > self.made_at and anchor in self.outside
        if not is_newer and (seal > self.start or (seal == self.start and mac != self.start_mac)):
            self.expected.setdefault(seal, set()).add(mac)
        return True

    def entry(self, line: dict[str, Any]) -> None:
        must(all(isinstance(line[name], str) for name in TEXT_FIELDS))
        must(type(line["id"]) is int and isinstance(line["data"], dict) and texts(line["digests"]))
        must(line["organisation"] is None or type(line["organisation"]) is int)
        salt = None
        if "salt" in line:
            must(texts(line["texts"]))
            salt = bytes.fromhex(line["salt"])
        if line["action"] == "audit.text_erased":
            self.recorded_erasures.update(line["data"].get("entries", ()))
        if line["seal"] is None:
            self.counts["unsealed"] += 1
            return
        must(type(line["seal"]) is int and type(line["v"]) is int and isinstance(line["key"], str))
        must(isinstance(line["mac"], str) and len(line["mac"]) == len(NOTHING_BEFORE))
        previous = str(line["previous"]) if self.selection else self.one_before(line["seal"])
        self.sealed(line, previous)
        self.personal(line, salt)
        self.counts["entries"] += 1

    def one_before(self, seal: int) -> str | None:
        """The MAC before this entry, or nothing when entries are missing in between."""
        if seal == self.last + 1:
            return self.mac
        if seal <= self.last:
            self.fault(f"entry {seal} comes after entry {self.last}")
        else:
            self.fault(f"{seal - self.last - 1} entries are missing after entry {self.last}")
        return None

    def sealed(self, line: dict[str, Any], previous: str | None) -> None:
        seal, mac = line["seal"], line["mac"]
        if previous is not None:
            body = to_json({name: line[name] for name in SEALED_FIELDS})
            message = f"supporthub-audit-entry-1\n{previous}\n{body}".encode()
            right = hmac.digest(self.key(line["key"]), message, "sha256").hex()
            if line["v"] != 1 or not hmac.compare_digest(mac.encode(), right.encode()):
                self.fault(f"entry {seal} is not what was sealed: changed, exchanged, or put in afterwards")
        self.first, self.last, self.mac = self.first or seal, seal, mac
        for promised in self.expected.pop(seal, ()):
            if promised != mac:
                self.fault(f"entry {seal} is another one than its anchor says: the chain was made anew")

    def personal(self, line: dict[str, Any], salt: bytes | None) -> None:
        digests = line["digests"]
        if salt is None:
            if digests:
                self.erased += 1
                self.without_text.add(line["id"])
            return
        self.texts += 1
        kept = {name for name in digests if not name.startswith("proof:")}
        right = kept == set(line["texts"]) and all(
            hmac.digest(salt, line["texts"][name].encode(), "sha256").hex() == digests[name] for name in kept
        )
        if not right:
            self.fault(f"the personal text of entry {line['seal']} is not the one that was recorded")

    def manifest(self, line: dict[str, Any]) -> None:
        self.ended = True
        right = hmac.compare_digest(str(line.get("proof")).encode(), self.sign("manifest", line).encode())
        right = right and line.get("sha256") == self.sum.hexdigest()
        if not right or any(line.get(name) != number for name, number in self.counts.items()):
            self.fault("the file is not the one whose manifest was signed")

    def end(self) -> None:
        if not self.start_is_proven:
            self.fault(f"no anchor proves how the chain stood at entry {self.start}")
        if not self.ended:
            self.fault("the manifest at the end is missing: the file was cut")
        if self.selection:
            return
        for seal in sorted(self.expected):
            for _promised in self.expected[seal]:
                self.fault(f"an anchor says that there was an entry {seal}, which is gone or another one")
        for entry in sorted(self.without_text - self.recorded_erasures):
            self.fault(f"the personal text of the entry with id {entry} is gone without a record of it")


def parse(line: bytes) -> dict[str, Any]:
    content = json.loads(line, parse_constant=refuse)
    must(isinstance(content, dict))
    return dict(content)


def refuse(constant: str) -> None:
    raise ValueError(constant)


def must(condition: bool) -> None:
    if not condition:
        raise ValueError("malformed")


def texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def read_keys(path: Path) -> dict[str, bytes]:
    keys = {}
    for part in path.read_text(encoding="utf-8").strip().split(","):
        name, colon, secret = part.strip().partition(":")
        keys[name if colon else "k1"] = (secret if colon else name).encode()
    return keys


def read_anchors(folder: Path | None) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.json")) if folder else ():
        try:
            anchor = parse(path.read_bytes())
            must(type(anchor["seal"]) is int and isinstance(anchor["mac"], str) and "proof" in anchor)
        except (ValueError, KeyError) as error:
            raise CannotTell(f"{path.name} is no anchor") from error
        yield anchor


def verify(export: Path, keys: dict[str, bytes], anchors: list[dict[str, Any]]) -> Trail:
    trail = Trail(keys, anchors)
    with export.open("rb", buffering=1024 * 1024) as file:
        trail.header(file.readline())
        for number, line in enumerate(file, 2):
            try:
                trail.line(line)
            except (ValueError, KeyError, TypeError):
                trail.fault(f"line {number} is no entry, anchor or manifest")
    trail.end()
    return trail


def main() -> int:
    parser = argparse.ArgumentParser(description="Verify an export of the Support Hub's audit trail.")
    parser.add_argument("export", type=Path)
    parser.add_argument("--keys", type=Path, required=True, help="a file with the value of AUDIT_KEY")
    parser.add_argument("--anchors", type=Path, help="a folder with copies of anchors")
    options = parser.parse_args()
    try:
        trail = verify(options.export, read_keys(options.keys), list(read_anchors(options.anchors)))
    except (CannotTell, OSError) as error:
        print(f"This could not be told: {error}")
        return CANNOT_TELL
    if trail.faults > MOST_SHOWN:
        print(f"And {trail.faults - MOST_SHOWN} faults more.")
    print(
        f"{trail.counts['entries']} entries ({trail.first} to {trail.last}), {trail.counts['anchors']} anchors inside,"
        f" {trail.texts} personal texts, {trail.erased} erased ones, {trail.counts['unsealed']} entries not sealed yet."
    )
    if trail.selection:
        print("This is a selection: each entry was judged, but whether one is missing between them cannot be seen.")
    print("The trail is intact." if trail.faults == 0 else f"The trail is NOT intact: {trail.faults} faults.")
    return INTACT if trail.faults == 0 else BROKEN


if __name__ == "__main__":
    sys.exit(main())
