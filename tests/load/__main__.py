"""The benchmarks: `python -m tests.load [NAME …]`. Each measures the hub beside the nearest thing to the limit."""

import argparse
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from tests.load import audit, intake, live, queue_page, submission
from tests.load.figures import Result, table
from tests.load.stack import Stack
from tests.stack import Ports

SOCKETS = (500, 2000)
TICKETS = 100_000
ENTRIES = 1_000_000
NAMES = ("intake", "submission", "live", "audit", "queue")  # in this order: the last two fill the database


def main() -> int:
    """Run what was asked for; 0 also when an aim is missed (the table says so), 1 when a benchmark could not run."""
    options = _options()
    signal.signal(signal.SIGTERM, _interrupted)
    _say(f"load average {os.getloadavg()[0]:.1f} at the start, {os.cpu_count()} cores")
    if os.getloadavg()[0] > (os.cpu_count() or 1) / 2:
        _say("WARNING: this machine is busy. Absolute figures mean little now; ratios of alternating rounds do.")
    started = time.monotonic()
    results: list[Result] = []
    failed = False
    with Stack(Ports(options.first_port)) as stack:
        machine = _machine(stack)
        _say(machine)
        runs: dict[str, Callable[[], list[Result]]] = {
            "intake": lambda: intake.measure(stack),
            "submission": lambda: submission.measure(stack),
            "live": lambda: live.measure(stack, tuple(options.sockets)),
            "audit": lambda: audit.measure(stack, options.entries),
            "queue": lambda: queue_page.measure(stack, options.tickets),
        }
        for name in NAMES:
            if name in options.names:
                began = time.monotonic()
                try:
                    results += runs[name]()
                except RuntimeError as error:
                    failed = True
                    _say(f"{name} could not be measured: {error}")
                _say(f"{name}: {time.monotonic() - began:.0f} s")
    sys.stdout.write(f"\n{table(results)}\n\n{machine}; {time.monotonic() - started:.0f} s in all\n")
    if options.json:
        content = {"machine": machine, "results": [result.as_json() for result in results]}
        options.json.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}; all of them without a name")
    parser.add_argument("--tickets", type=int, default=TICKETS, help=f"of the queue page ({TICKETS})")
    parser.add_argument("--entries", type=int, default=ENTRIES, help=f"of the audit trail ({ENTRIES})")
    parser.add_argument("--sockets", type=int, nargs="+", default=SOCKETS, help="numbers of sockets, rising")
    parser.add_argument("--json", type=Path, help="write all figures to this file, too")
    parser.add_argument("--first-port", type=int, help="use the ports from here on instead of any free ones")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in NAMES]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    options.names = options.names or list(NAMES)
    return options


def _machine(stack: Stack) -> str:
    with stack.connect() as database:
        row = database.execute("SHOW server_version").fetchone()
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()},"
        f" PostgreSQL {row[0] if row else '?'}, load average {os.getloadavg()[0]:.1f}"
    )


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    """End as after Ctrl-C: every `with` is left, so every process is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
