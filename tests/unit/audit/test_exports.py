"""An export tells of every tampering, and the independent script agrees with the hub, whatever was done to the file."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.chain import ANCHOR_DOMAIN, GENESIS, canonical, entry_mac, proof_of
from accounts.exports import NotAnExport, check_export
from tests.unit.audit.trails import (
    KEYS,
    Trail,
    a_trail,
    anchor,
    as_objects,
    export,
    facts,
    personal,
    seal,
    verdict_of_hub,
    verdict_of_script,
)


def faults(trail: Trail, **options: Any) -> set[str]:
    return {fault.code for fault in check_export(export(trail), KEYS, **options).faults}


def both(path: Path, trail: Trail, anchors: Any = ()) -> int:
    lines = export(trail)
    found = verdict_of_hub(lines, anchors)
    assert verdict_of_script(path, lines, anchors) == found
    return found


def test_an_honest_export_is_intact_and_says_what_is_in_it(tmp_path: Path) -> None:
    trail = a_trail()
    assert both(tmp_path / "e", trail) == 0
    report = check_export(export(trail), KEYS)
    assert (report.entries, report.unsealed, report.anchors, report.texts, report.erased) == (12, 1, 2, 2, 1)


def test_an_edited_entry_is_found_and_named(tmp_path: Path) -> None:
    trail = a_trail()
    trail.entries[2]["actor_id"] = "8"
    report = check_export(export(trail), KEYS)
    assert [fault.code for fault in report.faults] == ["edited"]
    assert "Entry 3 " in report.faults[0].text
    assert both(tmp_path / "e", trail) == 1


def test_a_deleted_entry_is_missing(tmp_path: Path) -> None:
    trail = a_trail()
    del trail.entries[7]
    assert faults(trail) == {"missing"}
    assert both(tmp_path / "e", trail) == 1


def test_a_deleted_entry_is_found_also_when_the_others_close_the_gap(tmp_path: Path) -> None:
    trail = a_trail()
    del trail.entries[7]
    for line in trail.entries[7:11]:
        line["seal"] -= 1
    assert "edited" in faults(trail)
    assert both(tmp_path / "e", trail) == 1


def test_an_entry_put_in_without_the_key_is_found(tmp_path: Path) -> None:
    trail = a_trail()
    trail.entries.insert(5, facts(50, seal=6, key="k1", v=1, mac="ab" * 32))
    assert faults(trail) == {"edited", "disorder"}
    assert both(tmp_path / "e", trail) == 1


def test_exchanged_entries_are_found(tmp_path: Path) -> None:
    trail = a_trail()
    one, other = trail.entries[8], trail.entries[9]
    for name in ("seal", "mac", "key"):
        one[name], other[name] = other[name], one[name]
    trail.entries[8], trail.entries[9] = other, one
    assert faults(trail) == {"edited"}
    assert both(tmp_path / "e", trail) == 1


def test_a_cut_tail_is_found_by_its_anchor(tmp_path: Path) -> None:
    trail = a_trail()
    del trail.entries[9:]
    assert faults(trail) == {"cut_tail"}
    assert both(tmp_path / "e", trail) == 1


def test_a_cut_tail_without_its_anchors_is_found_by_a_copy_that_lies_elsewhere(tmp_path: Path) -> None:
    trail = a_trail()
    elsewhere = [trail.anchors.pop()]
    del trail.entries[9:]
    assert both(tmp_path / "e", trail) == 0
    assert both(tmp_path / "e", trail, elsewhere) == 1


def test_a_chain_made_anew_with_the_stolen_key_is_found_by_its_anchors(tmp_path: Path) -> None:
    trail = a_trail()
    elsewhere = list(trail.anchors)
    del trail.entries[12:]
    trail.entries[2]["actor_id"] = "8"
    seal(trail, keys=("k1", "k2"))
    trail.anchors = [anchor(trail, 4), anchor(trail, 12)]
    assert both(tmp_path / "e", trail) == 0
    assert both(tmp_path / "e", trail, elsewhere) == 1
    assert faults(trail, anchors=elsewhere) == {"anchor"}


def test_a_copy_made_after_the_export_says_nothing_about_it(tmp_path: Path) -> None:
    trail, longer = a_trail(), a_trail(20)
    late = anchor(longer, 20)
    assert both(tmp_path / "e", trail, [late]) == 1  # a copy of before
    content = {**late, "at": "2026-04-01T00:00:00.000000Z"}
    content["proof"] = _sign(content)
    assert both(tmp_path / "e", trail, [content]) == 0


def _sign(content: dict[str, Any]) -> str:
    return proof_of(KEYS["k1"], ANCHOR_DOMAIN, content)


def test_an_anchor_that_nobody_signed_is_a_fault(tmp_path: Path) -> None:
    trail = a_trail()
    trail.anchors[0] = {**trail.anchors[0], "proof": "00" * 32}
    assert faults(trail) == {"forged_anchor"}
    assert both(tmp_path / "e", trail) == 1


@pytest.mark.parametrize("texts", [{"name": "Ann Baker", "address": "192.0.2.8"}, {"name": "Ann Baker"}, {}])
def test_a_changed_or_shortened_personal_text_is_found(texts: dict[str, str], tmp_path: Path) -> None:
    trail = a_trail()
    trail.entries[1]["texts"] = texts
    assert faults(trail) == {"text_changed"}
    assert both(tmp_path / "e", trail) == 1


def test_erasing_a_personal_text_with_its_record_keeps_the_trail_intact(tmp_path: Path) -> None:
    trail = a_trail()
    del trail.entries[1]["salt"], trail.entries[1]["texts"]
    trail.entries[-1] |= {"action": "audit.text_erased", "data": {"entries": [trail.entries[1]["id"]]}}
    assert both(tmp_path / "e", trail) == 0


def test_a_personal_text_that_went_without_a_record_is_found(tmp_path: Path) -> None:
    trail = a_trail()
    del trail.entries[1]["salt"], trail.entries[1]["texts"]
    assert faults(trail) == {"text_gone"}
    assert both(tmp_path / "e", trail) == 1


def test_without_a_key_nothing_is_claimed(tmp_path: Path) -> None:
    trail = a_trail()
    trail.entries[4]["key"] = "k9"
    assert both(tmp_path / "e", trail) == 2


@pytest.mark.parametrize("kind", [b'"anchor"', b'"manifest"'])
def test_a_line_that_names_no_key_is_a_fault_and_no_missing_key(kind: bytes, tmp_path: Path) -> None:
    lines = export(a_trail())
    place = next(number for number, line in enumerate(lines) if b'"kind":' + kind in line)
    lines[place] = lines[place].replace(b'"key":', b'"kez":')
    assert verdict_of_hub(lines) == verdict_of_script(tmp_path / "e", lines) == 1


def test_something_else_is_no_export() -> None:
    with pytest.raises(NotAnExport):
        check_export([b"{}\n"], KEYS)


def test_an_export_that_begins_later_needs_an_anchor_for_its_beginning(tmp_path: Path) -> None:
    lines = as_objects(export(a_trail()))
    start = next(line for line in lines if line.get("seal") == 4 and line["kind"] == "anchor")
    lines[0]["start"] = {"seal": 4, "mac": start["mac"]}
    kept = [line for line in lines if line["kind"] != "entry" or (line["seal"] or 99) > 4]
    proven = [canonical(line).encode() + b"\n" for line in kept]
    assert {fault.code for fault in check_export(proven, KEYS).faults} == {"manifest"}
    unproven = [line for line, content in zip(proven, kept, strict=True) if content is not start]
    assert "start" in {fault.code for fault in check_export(unproven, KEYS).faults}
    assert verdict_of_script(tmp_path / "e", unproven) == 1


def test_the_formula_can_be_recomputed_by_hand() -> None:
    """The form that docs/adr/0007-audit-trail.md gives as an example: it must never change."""
    line = (
        '{"action":"ticket.opened","actor_id":"7","actor_kind":"user","at":"2026-01-31T08:15:00.000000Z",'
        '"data":{"source":"api"},"digests":{},"id":42,"key":"k1","organisation":3,"request":"4f2a9c01d7e8b356",'
        '"seal":1,"target_id":"12","target_type":"ticket","v":1}'
    )
    assert entry_mac(b"an example key, not a secret", GENESIS, line) == (
        "aeb3566d52cf1d47020ba9056793580014458726de6af41a9616b73f820ca9c9"
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_script_and_the_hub_agree_whatever_was_done_to_the_file(data: st.DataObject, tmp_path: Path) -> None:
    lines = export(a_trail())
    changed = _spoil_lines(lines, data) if data.draw(st.booleans()) else _spoil_bytes(lines, data)
    found = verdict_of_hub(changed)
    assert verdict_of_script(tmp_path / "e", changed) == found
    assert (found == 0) == (b"".join(changed) == b"".join(lines))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_they_agree_also_about_somebody_who_can_sign_the_manifest(data: st.DataObject, tmp_path: Path) -> None:
    trail = a_trail()
    for _ in range(data.draw(st.integers(1, 3))):
        _spoil_trail(trail, data)
    both(tmp_path / "e", trail)


def _spoil_lines(lines: list[bytes], data: st.DataObject) -> list[bytes]:
    """Remove, repeat, exchange or move lines; the header stays."""
    spoilt = list(lines)
    place, other = (data.draw(st.integers(1, len(lines) - 1)) for _ in range(2))
    match data.draw(st.sampled_from(["remove", "repeat", "exchange", "cut"])):
        case "remove":
            del spoilt[place]
        case "repeat":
            spoilt.insert(other, spoilt[place])
        case "exchange":
            spoilt[place], spoilt[other] = spoilt[other], spoilt[place]
        case _:
            del spoilt[place:]
    return spoilt


def _spoil_bytes(lines: list[bytes], data: st.DataObject) -> list[bytes]:
    """Change one byte of one line after the header, but no line's end."""
    spoilt = list(lines)
    number = data.draw(st.integers(1, len(lines) - 1))
    line = bytearray(spoilt[number])
    place = data.draw(st.integers(0, len(line) - 2))
    line[place] = data.draw(st.integers(32, 126))
    spoilt[number] = bytes(line)
    return spoilt


_VALUES = st.one_of(st.none(), st.integers(-5, 20), st.text(max_size=5), st.booleans(), st.just({}), st.just("00" * 32))


def _spoil_trail(trail: Trail, data: st.DataObject) -> None:
    """Change, remove, add or move what is in the trail; the manifest is made to fit afterwards."""
    entries = trail.entries
    place = data.draw(st.integers(0, len(entries) - 1))
    other = data.draw(st.integers(0, len(entries) - 1))
    match data.draw(st.sampled_from(["edit", "remove", "exchange", "text", "erase", "anchor", "twice"])):
        case "edit":
            entries[place] |= {data.draw(st.sampled_from(sorted(facts(1)))): data.draw(_VALUES)}
        case "remove" if len(entries) > 1:
            del entries[place]
        case "exchange":
            entries[place], entries[other] = entries[other], entries[place]
        case "text":
            entries[place] |= personal(name=data.draw(st.text(alphabet="abc", max_size=3)))
        case "erase":
            entries[place].pop("salt", None)
        case "anchor" if trail.anchors:
            trail.anchors[0] |= {data.draw(st.sampled_from(["seal", "mac", "at", "proof"])): data.draw(_VALUES)}
        case _:
            entries.insert(other, dict(entries[place]))


@pytest.mark.parametrize(("spoilt", "code", "words"), [(False, 0, "is intact"), (True, 1, "NOT intact")])
def test_the_script_runs_alone_and_answers_by_its_exit_code(
    spoilt: bool, code: int, words: str, tmp_path: Path
) -> None:
    trail = a_trail()
    if spoilt:
        del trail.entries[3]
    (tmp_path / "export").write_bytes(b"".join(export(trail)))
    (tmp_path / "keys").write_text(",".join(f"{name}:{key.decode()}" for name, key in KEYS.items()) + "\n")
    arguments = [str(tmp_path / "export"), "--keys", str(tmp_path / "keys")]
    path = Path(__file__).resolve().parents[3] / "scripts" / "verify_audit.py"
    done = subprocess.run([sys.executable, "-I", str(path), *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")
    assert words in done.stdout


def test_the_script_says_when_a_key_is_missing(tmp_path: Path) -> None:
    (tmp_path / "export").write_bytes(b"".join(export(a_trail())))
    (tmp_path / "keys").write_text("another-key-altogether")
    path = Path(__file__).resolve().parents[3] / "scripts" / "verify_audit.py"
    arguments = [str(path), str(tmp_path / "export"), "--keys", str(tmp_path / "keys")]
    done = subprocess.run([sys.executable, "-I", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "'k2' is needed" in done.stdout or "'k1' is needed" in done.stdout
