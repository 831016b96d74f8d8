"""`make test`: every part in a pytest of its own, so that one part's trouble never hides another's; then a summary.

Standard library only. Exit code 1 when a part failed or could not run.
"""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_NOTHING_COLLECTED = 5
_COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)")
_TABLE_ORDER = ("failed", "error", "passed", "skipped", "xfailed", "xpassed")


@dataclass(frozen=True)
class Part:
    name: str
    folders: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def has_tests(self) -> bool:
        return any(any((ROOT / folder).rglob("test_*.py")) for folder in self.folders)


@dataclass
class Outcome:
    name: str
    ok: bool
    line: str
    counts: Counter[str] = field(default_factory=Counter)


def run_part(part: Part) -> Outcome:
    """Run one pytest, showing its output as it comes, and read its last line."""
    if not part.has_tests():
        return Outcome(part.name, ok=True, line="no tests yet")
    print(f"\n--- {part.name} ---", flush=True)
    colour = "yes" if sys.stdout.isatty() else "no"
    command = [sys.executable, "-m", "pytest", f"--color={colour}", *part.folders]
    last = ""
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **part.environment}, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            last = line.strip() or last
    plain = re.sub(r"\x1b\[[0-9;]*m", "", last).strip("= ")
    counts = Counter({kind.rstrip("s") if kind == "errors" else kind: int(n) for n, kind in _COUNT.findall(plain)})
    return Outcome(part.name, ok=process.returncode in {0, _NOTHING_COLLECTED}, line=plain, counts=counts)


def browser_part() -> Part | Outcome:
    """The browser tests with the browser's path, or why they cannot run."""
    part = Part("browser", ("tests/e2e",))
    if os.environ.get("SKIP_BROWSER") == "1":
        return Outcome(part.name, ok=True, line="left out (SKIP_BROWSER=1)")
    if not part.has_tests():
        return Outcome(part.name, ok=True, line="no tests yet")
    found = subprocess.run([ROOT / "scripts" / "ensure_chromium"], stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        return Outcome(part.name, ok=False, line="did not run: no browser found (SKIP_BROWSER=1 leaves this part out)")
    return Part(part.name, part.folders, {"CHROMIUM": found.stdout.strip()})


def main() -> int:
    started = time.monotonic()
    outcomes = [run_part(Part("unit and integration", ("tests/unit", "tests/integration")))]
    browser = browser_part()
    outcomes.append(browser if isinstance(browser, Outcome) else run_part(browser))
    campaign = {"CHAOS_TICKETS": os.environ.get("CHAOS_TICKETS", "50")}
    outcomes.append(run_part(Part("small fault campaign", ("tests/chaos",), campaign)))
    print("\n--- summary ---")
    for outcome in outcomes:
        print(f"{'ok    ' if outcome.ok else 'FAILED'} {outcome.name}: {outcome.line}")
    total = sum((outcome.counts for outcome in outcomes), Counter[str]())
    words = ", ".join(f"{total[kind]} {kind}" for kind in _TABLE_ORDER if total[kind])
    print(f"===== {words or 'no tests ran'} in {time.monotonic() - started:.2f}s =====")
    return 0 if all(outcome.ok for outcome in outcomes) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
