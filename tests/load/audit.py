"""Benchmark: sealing and verifying very many audit entries, and what the trail costs the intake of a ticket."""

import itertools
import re
import secrets
import subprocess
import sys
import time
from pathlib import Path

from supporthub.runtime.environment import ROOT
from tests.load.figures import Aim, Result, percentile
from tests.load.http_load import Make, post, run_round
from tests.load.stack import Stack

CLIENTS = 8
ROUNDS = 5
_MINUTE = 60
_SEAL_NOTE = "Limit: the same rows updated by the same statement, with MACs that were computed before."
_VERIFY_NOTE = (
    "Limit of the command: reading the same rows with a cursor of the server. Limit of the script: json.loads of each"
    " line. Most memory: {command:.0f} MB (command), {script:.0f} MB (script)."
)
_SHARE_NOTE = (
    "Hub: the median time to open a ticket in the service with its entry, less the same without, one of each in turn."
    " Limit: the time of one accepted request over HTTP at the rate of eight clients, the entry included."
)


def measure(stack: Stack, entries: int) -> list[Result]:
    """All lines of this benchmark. Fills the database with `entries` audit entries."""
    with stack.frozen("worker", "beat"):
        share = _share(stack)
        stack.inside("audit_fill", str(entries))
        sealed = stack.inside("audit_seal")
        return [share, _sealing(sealed), *_verifying(stack, entries)]


def _share(stack: Stack) -> Result:
    """What one entry adds to a ticket, beside what a whole accepted request takes."""
    pairs = stack.inside("audit_share", str(ROUNDS))["pairs"]
    cost = percentile([(with_trail - without) * 1000 for with_trail, without in pairs], 0.5)
    one = run_round(stack.port, _requests(stack.token()), clients=CLIENTS, seconds=3.0, wanted=201)
    if one.refused or not one.latencies:
        raise RuntimeError(f"{len(one.latencies)} tickets accepted, refused by status: {one.refused}")
    request = 1000 / one.rate
    return Result("audit: entry of one ticket", cost, "ms", request, cost / request, Aim("most", 0.05), _SHARE_NOTE)


def _requests(token: str) -> Make:
    number = itertools.count()

    def make(_: int) -> bytes:
        body = {"title": "The printer hums", "body": "It began this morning.", "board": "helpdesk"}
        key = f"audit-{secrets.token_hex(4)}-{next(number)}"
        return post("127.0.0.1", "/api/v1/tickets/", body, authorization=f"Bearer {token}", idempotency_key=key)

    return make


def _sealing(sealed: dict[str, float]) -> Result:
    rate = sealed["entries"] / sealed["seconds"]
    limit = sealed["limit_entries"] / sealed["limit_seconds"]
    return Result("audit: entries sealed", rate, "/s", limit, rate / limit, None, _SEAL_NOTE)


def _verifying(stack: Stack, entries: int) -> list[Result]:
    export, keys = stack.folder / "trail.jsonl", stack.folder / "audit.keys"
    keys.write_text(stack.environment["AUDIT_KEY"], encoding="utf-8")
    command = stack.inside("audit_verify", str(export))
    script = _run_script(export, keys)
    read_seconds = _read_lines(export)
    note = _VERIFY_NOTE.format(command=command["memory"], script=script[1])
    aim = Aim("most", _MINUTE * max(entries, 1) / 1_000_000, of="hub", unit="s")
    lines = [
        ("command", command["seconds"], command["limit_seconds"]),
        ("script", script[0], read_seconds),
    ]
    return [
        Result(f"audit: verify {entries:,} by {name}", seconds, "s", limit, seconds / limit, aim, note)
        for name, seconds, limit in lines
    ]


def _run_script(export: Path, keys: Path) -> tuple[float, float]:
    """Seconds, and megabytes at the most; RuntimeError when it does not find the trail intact."""
    script = [sys.executable, str(ROOT / "scripts" / "verify_audit.py"), str(export), "--keys", str(keys)]
    watch = (
        "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]);"
        " print('peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", watch, *script], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    peak = re.search(r"peak (\d+)", done.stdout)
    if done.returncode or peak is None:
        raise RuntimeError(f"the script says {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return seconds, int(peak[1]) / 1024


def _read_lines(export: Path) -> float:
    code = "import json, sys\nfor line in open(sys.argv[1], 'rb'): json.loads(line)"
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, str(export)], check=True)
    return time.perf_counter() - started
