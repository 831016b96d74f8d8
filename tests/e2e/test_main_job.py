"""The main job, as the README promises it: a ticket comes in, gets into Jira, and everybody sees it move."""

import json
import os
import re
import subprocess
from typing import Any

from playwright.sync_api import expect

from supporthub.runtime.environment import ROOT
from tests.e2e.api import Api
from tests.e2e.browser import is_marked, mark, wait_live
from tests.e2e.conftest import SignedIn
from tests.sandbox.client import rule
from tests.stack import Stack

_TRY_IT = re.compile(r"## Try it\n.*?```sh\n(.*?)```", re.DOTALL)
_ADDRESS = "http://127.0.0.1:8000"
_LOGIN = re.compile(r'"email": "[^"]+", "password": "[^"]+"')


def readme_lines(hub: Stack) -> str:
    """The shell lines of the README's "Try it", with this hub's address and login put in."""
    found = _TRY_IT.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found, "the README has no shell lines under “Try it”"
    lines = found[1]
    assert lines.count(_ADDRESS) == 1
    assert len(_LOGIN.findall(lines)) == 1
    login = json.dumps({"email": hub.admin, "password": hub.password})[1:-1]
    return _LOGIN.sub(lambda _found: login, lines.replace(_ADDRESS, hub.url))


def run_lines(lines: str) -> list[dict[str, Any]]:
    """Run the lines as a person's shell does, and return each JSON object that they printed."""
    quiet = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        ["sh", "-eu"], input=lines, capture_output=True, text=True, timeout=120, check=False, env=quiet
    )
    assert done.returncode == 0, done.stderr
    decoder, printed, rest = json.JSONDecoder(), [], done.stdout.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        printed.append(value)
        rest = rest[end:].strip()
    return printed


def test_the_readmes_lines_open_a_ticket_that_the_queue_shows_live(hub: Stack, api: Api, signed_in: SignedIn) -> None:
    page = signed_in()
    page.goto("/?view=all")
    wait_live(page)
    mark(page)

    opened, submission = run_lines(readme_lines(hub))

    assert opened["key"] == "HUB-1"
    assert submission["state"] in {"pending", "running", "done"}
    row = page.locator(f'.row-line[data-key="{opened["key"]}"]')
    expect(row).to_be_visible()
    expect(row.locator(".row-link")).to_have_text("Printer at the door")
    expect(row.locator(".c-sub .issue")).to_have_text(re.compile(r"^HELP-\d+$"))
    assert is_marked(page)
    assert row.locator(".c-sub .issue").inner_text() == api.ticket("HUB-1")["external_key"]
    assert len(hub.control.issues()) == 1

    again, _ = run_lines(readme_lines(hub))
    assert again["key"] == opened["key"]
    assert len(hub.control.issues()) == 1


def test_a_tickets_way_into_jira_is_told_live(hub: Stack, api: Api, signed_in: SignedIn) -> None:
    page = signed_in()
    hub.control.faults(rule("latency", method="POST", path="/issue$", ms=1000))
    with hub.frozen("worker"):
        key = api.open("The way is told")["key"]
        page.goto(f"/tickets/{key}/")
        wait_live(page)
        mark(page)
        way, steps = page.locator("#part-submission"), page.locator("#part-submission .way-steps li")
        expect(way).to_have_class(re.compile(r"\bway-pending\b"))
        expect(steps).to_have_count(3)
        expect(steps.nth(0)).to_have_class(re.compile(r"\bstep-done\b"))
        expect(steps.nth(1)).to_have_class(re.compile(r"\bstep-pending\b"))
        expect(steps.nth(2)).to_have_class(re.compile(r"\bstep-pending\b"))

    expect(way).to_have_class(re.compile(r"\bway-done\b"))
    for number in range(3):
        expect(steps.nth(number)).to_have_class(re.compile(r"\bstep-done\b"))
    external = api.ticket(key)["external_key"]
    expect(steps.nth(2)).to_contain_text(external)
    expect(page.locator("#part-properties .issue")).to_contain_text(external)
    expect(page.locator("#part-stream")).to_contain_text(external)
    assert is_marked(page)
