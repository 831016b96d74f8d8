"""Trails without a database: sealed entries, anchors, exports, and the hands that spoil them."""

import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from accounts.chain import ANCHOR_DOMAIN, GENESIS, canonical, digest_of, entry_mac, proof_of
from accounts.exports import ExportWriter, check_export
from accounts.verification import UnknownKey

KEYS: Mapping[str, bytes] = {"k2": b"the newer key of these tests", "k1": b"the older key of these tests"}
MADE_AT = "2026-03-01T12:00:00.000000Z"
SALT = b"sixteen bytes !!"
Line = dict[str, Any]


@dataclass
class Trail:
    """What an export holds: entry lines in order, sealed first, and anchors."""

    entries: list[Line] = field(default_factory=list)
    anchors: list[Line] = field(default_factory=list)


def facts(number: int, **changes: Any) -> Line:
    return {
        "action": "ticket.opened", "actor_id": "7", "actor_kind": "user",
        "at": f"2026-02-01T00:00:{number:02d}.000000Z",
        "data": {"message": number}, "digests": {}, "id": 100 + number, "organisation": None, "request": "r-12345678",
        "target_id": str(number), "target_type": "ticket", "seal": None, "key": None, "v": None, "mac": "", **changes,
    }  # fmt: skip


def personal(**texts: str) -> Line:
    return {
        "digests": {name: digest_of(SALT, text) for name, text in texts.items()}, "salt": SALT.hex(), "texts": texts,
    }  # fmt: skip


def seal(trail: Trail, *, keys: Sequence[str] = ("k1",)) -> None:
    """Chain every entry anew, in their order, with one key after the other; a last unsealed one stays so."""
    previous = GENESIS
    for number, line in enumerate(trail.entries, 1):
        line |= {"seal": number, "key": keys[number * len(keys) // (len(trail.entries) + 1)], "v": 1}
        previous = line["mac"] = entry_mac(KEYS[line["key"]], previous, body(line))


def body(line: Line) -> str:
    return canonical({name: value for name, value in line.items() if name not in ("mac", "salt", "texts", "previous")})


def anchor(trail: Trail, seal_number: int) -> Line:
    """An anchor of this entry as it is now."""
    entry = trail.entries[seal_number - 1]
    content = {"at": "2026-02-02T00:00:00.000000Z", "key": "k1", "mac": entry["mac"], "seal": seal_number, "v": 1}
    return {**content, "proof": proof_of(KEYS["k1"], ANCHOR_DOMAIN, content)}


def a_trail(length: int = 12) -> Trail:
    """Entries of every form: with text, erased with its record, under two keys, anchored, the last one unsealed."""
    trail = Trail([facts(number) for number in range(1, length + 1)])
    trail.entries[1] |= personal(name="Ann Baker", address="192.0.2.7")
    trail.entries[3]["digests"] = {"name": "0" * 64}
    trail.entries[5] |= {"action": "audit.text_erased", "data": {"entries": [trail.entries[3]["id"]]}}
    trail.entries[6]["digests"], trail.entries[6]["salt"], trail.entries[6]["texts"] = (
        {"proof:text": "1" * 64},
        "00",
        {},
    )
    seal(trail, keys=("k1", "k2"))
    trail.anchors = [anchor(trail, 4), anchor(trail, length)]
    trail.entries.append(facts(length + 1))
    return trail


def export(trail: Trail) -> list[bytes]:
    """The lines of an export, with a manifest that fits: what the hub writes, or who has its key."""
    lines: list[bytes] = []
    writer = ExportWriter(lines.append, made_at=MADE_AT)
    for line in trail.anchors:
        writer.anchor(line)
    for line in trail.entries:
        inner = {name: value for name, value in line.items() if name not in ("mac", "salt", "texts")}
        text = (bytes.fromhex(line["salt"]), line["texts"]) if "salt" in line else None
        writer.entry(inner, line["mac"], text)
    writer.finish("k2", KEYS["k2"])
    return lines


def script() -> ModuleType:
    """scripts/verify_audit.py as a module; it is one file and belongs to no package."""
    path = Path(__file__).resolve().parents[3] / "scripts" / "verify_audit.py"
    spec = importlib.util.spec_from_file_location("verify_audit", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def verdict_of_hub(lines: Sequence[bytes], anchors: Sequence[Line] = ()) -> int:
    """0 intact, 1 not, 2 cannot tell; as the command answers."""
    try:
        report = check_export(lines, KEYS, anchors=anchors, is_newer=_newer_than(anchors))
    except UnknownKey:
        return 2
    return 0 if report.intact else 1


def verdict_of_script(path: Path, lines: Sequence[bytes], anchors: Sequence[Line] = ()) -> int:
    """The same by the independent script."""
    path.write_bytes(b"".join(lines))
    module = script()
    try:
        trail = module.verify(path, dict(KEYS), list(anchors))
    except module.CannotTell:
        return 2
    return 0 if trail.faults == 0 else 1


def _newer_than(anchors: Sequence[Line]) -> Any:
    made = {(item["seal"], item["mac"]): item["at"] for item in anchors}
    return lambda seal_number, mac, made_at: made.get((seal_number, mac), "") > made_at


def as_objects(lines: Sequence[bytes]) -> list[Line]:
    return [json.loads(line) for line in lines]
