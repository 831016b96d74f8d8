"""Checking a chain of audit entries, pure: feed it entries and anchors, ask for the report. Memory does not grow.

The independent second implementation is scripts/verify_audit.py; tests hold both against the same spoilt exports.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.chain import ANCHOR_DOMAIN, FACTS, GENESIS, VERSION, canonical, digest_of, entry_mac, proof_of, same

ERASED = "audit.text_erased"  # its data names the entries whose personal text was erased
ELSEWHERE = "proof:"  # begins the name of a digest whose value is not in the side row
MOST_FAULTS = 50


class UnknownKey(Exception):
    """Nothing can be said of an entry whose key was not given. `key_id` says which one is missing."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"The key {key_id!r} is needed and was not given.")
        self.key_id = key_id


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was sealed. `code` is stable: edited, missing, disorder, cut_tail, anchor,
    forged_anchor, text_changed, text_gone; of an export also manifest, start, unreadable."""

    code: str
    text: str


@dataclass(slots=True)
class Report:
    """What was looked at and what is wrong; `faults` names the first MOST_FAULTS of `fault_count`."""

    entries: int = 0
    first: int = 0
    last: int = 0
    unsealed: int = 0
    anchors: int = 0
    copies: int = 0  # of anchors, from elsewhere
    texts: int = 0
    erased: int = 0
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        return self.fault_count == 0


@dataclass(frozen=True, slots=True)
class Start:
    """Where a look begins: after this number, with the MAC that the entry with this number had."""

    seal: int = 0
    mac: str = GENESIS


class ChainCheck:
    """Takes sealed entries in the order of their numbers, then `finish`.

    `start` must come from an anchor that was checked, unless it is the beginning. A `selection` has gaps: each entry
    brings the MAC of the one before, so that it can be told whether it was edited, but not what is missing.
    """

    def __init__(self, keys: Mapping[str, bytes], *, start: Start | None = None, selection: bool = False) -> None:
        self.report = Report()
        self._keys = keys
        self._selection = selection
        self._start = start or Start()
        self._seal, self._mac = self._start.seal, self._start.mac
        self._anchors: dict[int, set[str]] = {}
        self._gone: set[int] = set()  # entries without their personal text
        self._erasures: set[int] = set()  # entries whose erasure is recorded

    def anchor(self, content: Mapping[str, Any]) -> None:
        """Take an anchor before the entries: a signed one with `proof`, or only its number and MAC."""
        seal, mac = int(content["seal"]), str(content["mac"])
        if "proof" in content and not self._is_ours(content):
            self.fault("forged_anchor", f"The anchor of entry {seal} does not carry our signature.")
            return
        if seal > self._start.seal or (seal == self._start.seal and mac != self._start.mac):
            self._anchors.setdefault(seal, set()).add(mac)
        if "proof" in content:
            self.report.anchors += 1
        else:
            self.report.copies += 1

    def entry(
        self, facts: Mapping[str, Any], mac: str, *, text: tuple[bytes, Mapping[str, str]] | None = None,
        previous: str | None = None,
    ) -> None:  # fmt: skip
        """Take the next sealed entry; `text` is its salt and personal texts. Raises UnknownKey."""
        seal = facts["seal"]
        known = self._follows(seal) if previous is None else previous
        if known is not None and not same(mac, self._expected(facts, known)):
            self.fault(
                "edited", f"Entry {seal} is not what was sealed there: it was changed, exchanged, or put in afterwards."
            )
        self._seal, self._mac = seal, mac
        for anchored in self._anchors.pop(seal, ()):
            if not same(mac, anchored):
                self.fault("anchor", f"Entry {seal} is another one than its anchor says: the chain was made anew.")
        self._personal(facts, text)
        if facts["action"] == ERASED:
            self._erasures.update(facts["data"].get("entries", ()))
        self.report.entries += 1
        self.report.first = self.report.first or seal
        self.report.last = seal

    def unsealed(self, facts: Mapping[str, Any]) -> None:
        """Take an entry that has no seal yet: counted, and an erasure that it records is believed."""
        self.report.unsealed += 1
        if facts["action"] == ERASED:
            self._erasures.update(facts["data"].get("entries", ()))

    def fault(self, code: str, text: str) -> None:
        """Note that something is wrong."""
        self.report.fault_count += 1
        if len(self.report.faults) < MOST_FAULTS:
            self.report.faults.append(Fault(code, text))

    def finish(self, *, is_newer: Callable[[int, str], bool] | None = None) -> Report:
        """Judge what only the end shows: a tail that is gone, texts that went without a record.

        `is_newer` tells of an anchor beyond the end whether it was made after the trail was handed out.
        """
        if not self._selection:
            for seal, mac in sorted((seal, mac) for seal, macs in self._anchors.items() for mac in macs):
                if seal > self._seal and is_newer is not None and is_newer(seal, mac):
                    continue
                if seal > self._seal:
                    self.fault(
                        "cut_tail", f"An anchor says that there was an entry {seal}; the trail ends at {self._seal}."
                    )
                else:
                    self.fault("anchor", f"Entry {seal} is another one than its anchor says, or is gone.")
            for entry in sorted(self._gone - self._erasures):
                self.fault(
                    "text_gone", f"The personal text of the entry with id {entry} is gone without a record of it."
                )
        return self.report

    def _follows(self, seal: int) -> str | None:
        """Return the MAC before this entry, or None when it is not known because something is missing."""
        if seal == self._seal + 1:
            return self._mac
        if seal <= self._seal:
            self.fault("disorder", f"Entry {seal} comes after entry {self._seal}.")
        elif seal == self._seal + 2:
            self.fault("missing", f"Entry {self._seal + 1} is missing.")
        else:
            self.fault("missing", f"Entries {self._seal + 1} to {seal - 1} are missing.")
        return None

    def _expected(self, facts: Mapping[str, Any], previous: str) -> str:
        body = canonical({name: facts[name] for name in FACTS})
        return entry_mac(self._key(facts["key"]), previous, body) if facts["v"] == VERSION else ""

    def _personal(self, facts: Mapping[str, Any], text: tuple[bytes, Mapping[str, str]] | None) -> None:
        digests = facts["digests"]
        if text is None:
            if digests:
                self.report.erased += 1
                self._gone.add(facts["id"])
            return
        self.report.texts += 1
        salt, values = text
        kept = {name for name in digests if not name.startswith(ELSEWHERE)}
        if kept != set(values) or not all(same(digest_of(salt, values[name]), digests[name]) for name in kept):
            self.fault("text_changed", f"The personal text of entry {facts['seal']} is not the one that was recorded.")

    def _is_ours(self, content: Mapping[str, Any]) -> bool:
        return same(str(content["proof"]), proof_of(self._key(str(content["key"])), ANCHOR_DOMAIN, content))

    def _key(self, key_id: str) -> bytes:
        try:
            return self._keys[key_id]
        except KeyError:
            raise UnknownKey(key_id) from None


def sentences(report: Report) -> Iterable[str]:
    """The report as lines for a person."""
    for fault in report.faults:
        yield f"{fault.code}: {fault.text}"
    if (more := report.fault_count - len(report.faults)) > 0:
        yield f"And {more} more."
    yield (
        f"{report.entries} entries ({report.first} to {report.last}), {report.anchors} anchors,"
        f" {report.copies} copies of anchors, {report.texts} personal texts, {report.erased} erased ones."
        f" {report.unsealed} entries are not sealed yet."
    )
    yield "The trail is intact." if report.intact else f"The trail is NOT intact: {report.fault_count} faults."
