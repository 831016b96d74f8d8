"""The whole hub as `make run` starts it: the documented lines do what they say; kill -9 loses and doubles nothing."""

import json
import os
import random
import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from supporthub.runtime.environment import ROOT
from tests.factories.files import picture
from tests.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
_CHAPTER = re.compile(r"^## Tray client\n(.*?)^## ", re.DOTALL | re.MULTILINE)
_LINES = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
HUB, SANDBOX = "http://127.0.0.1:8000", "http://127.0.0.1:8025"
SECRET = "the-gateways-own-secret"
PNG = picture(size=(300, 200))
SETTINGS = {"DELIVERY_TIME_SCALE": "0.02", "THROTTLE_TRAY": "1000000/min"}
PATIENCE = 120.0
MOST_KILLS = 4


@pytest.fixture(scope="module")
def hub() -> Iterator[Stack]:
    with Stack(SETTINGS) as stack:
        yield stack


@pytest.fixture(scope="module")
def behind_gateway() -> Iterator[Stack]:
    gateway = {"AUTH_MODE": "gateway", "GATEWAY_SECRET_HEADER": "X-Gateway-Key", "GATEWAY_SECRETS": SECRET}
    with Stack({**SETTINGS, **gateway}) as stack:
        yield stack


def documented(number: int, put_in: dict[str, str]) -> str:
    """The shell lines of the chapter, with what the reader has to put in instead of what is printed."""
    chapter = _CHAPTER.search((ROOT / "docs" / "api" / "README.md").read_text(encoding="utf-8"))
    assert chapter
    blocks = _LINES.findall(chapter[1])
    assert len(blocks) == 2
    lines = str(blocks[number])
    for printed, real in put_in.items():
        assert lines.count(printed) == 1, printed
        lines = lines.replace(printed, real)
    return lines


def run(lines: str, folder: Path) -> dict[str, Any]:
    """Run the lines as a person's shell does, beside a picture, and return the JSON that they print."""
    (folder / "screen.png").write_bytes(PNG)
    quiet = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        ["sh", "-eu"], input=lines, capture_output=True, text=True, timeout=60, check=False, env=quiet, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def pictures(stack: Stack) -> list[list[int]]:
    """Of each issue in Jira the sizes of its files."""
    return [[file["size"] for file in issue["attachments"]] for issue in stack.control.issues()]


def test_documented_lines_bring_a_ticket_with_its_picture_into_jira(hub: Stack, tmp_path: Path) -> None:
    before = len(pictures(hub))
    secret = hub.environment["SUPPORTHUB_SANDBOX_PAGE"].partition("secret=")[2]
    put_in = {HUB: hub.url, SANDBOX: f"http://127.0.0.1:{hub.sandbox_port}", "THE PRINTED SECRET": secret}
    answer = run(documented(0, put_in), tmp_path)
    assert answer["runtimeStatus"] in {"Pending", "Running", "Completed"}
    assert answer["ticket_id"].startswith("HUB-")
    hub.wait_for(lambda: len(pictures(hub)) == before + 1 and pictures(hub)[-1] == [len(PNG)], PATIENCE)
    assert hub.control.issues()[-1]["summary"] == "Printer at the door"


def test_documented_lines_do_the_same_through_a_gateway(behind_gateway: Stack, tmp_path: Path) -> None:
    lines = documented(1, {HUB: behind_gateway.url, "THE GATEWAY'S SECRET": SECRET})
    answer = run(lines, tmp_path)
    assert answer["runtimeStatus"] in {"Pending", "Running", "Completed"}
    behind_gateway.wait_for(lambda: pictures(behind_gateway) == [[len(PNG)]], PATIENCE)
    again = run(lines, tmp_path)
    assert (again["instance_id"], again["runtimeStatus"], again["status"]) == (
        answer["instance_id"],
        "Completed",
        "success",
    )
    guessed = httpx.get(
        f"{behind_gateway.url}/api/checkstatus", params={"instance_id": answer["instance_id"]}, trust_env=False,
        headers={"X-Gateway-Key": "a guess", "X-User-UPN": "ann.baker@contoso.example", "X-Auth-Hash": "ab" * 32},
    )  # fmt: skip
    assert (guessed.status_code, guessed.headers["content-type"]) == (401, "text/plain; charset=utf-8")


def test_body_that_is_too_large_is_refused_in_plain_text(hub: Stack) -> None:
    form = {"title": "Printer", "description": "x" * 3 * 1024 * 1024}
    answer = httpx.post(f"{hub.url}/api/tickets", data=form, trust_env=False, timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "text/plain; charset=utf-8")


class Client:
    """Sends each submission until it has an answer, as a good client does."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.tries = 0

    def submit(self, token: str, title: str) -> str:
        """The id that this submission got."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.tries += 1
            try:
                answer = httpx.post(
                    f"{self.stack.url}/api/tickets", data={"title": title, "description": "It smokes."},
                    files={"image": ("screen.png", PNG, "image/png")}, headers={"Authorization": f"Bearer {token}"},
                    timeout=10, trust_env=False,
                )  # fmt: skip
            except httpx.TransportError:
                time.sleep(0.05)  # the hub's return is what is waited for
                continue
            if answer.status_code == httpx.codes.OK:
                return str(answer.json()["instance_id"])
            assert answer.status_code in {500, 503}, answer.text
        raise AssertionError("no answer")

    def status(self, token: str, instance: str) -> dict[str, str]:
        answer = httpx.get(
            f"{self.stack.url}/api/checkstatus", params={"instance_id": instance}, timeout=10, trust_env=False,
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip
        assert answer.status_code == httpx.codes.OK, answer.text
        return dict(answer.json())


def kill_again_and_again(hub: Stack, over: Event) -> int:
    """kill -9 of web, and once of the worker, each time a moment after it answers again."""
    chance, kills = random.Random(7), 0
    while not over.is_set() and kills < MOST_KILLS:
        if hub.ready():
            time.sleep(chance.uniform(0.0, 0.5))  # any moment will do
            kills += hub.kill("web")
            if kills == 2:
                hub.kill("worker")
        over.wait(0.05)
    return kills


def test_killing_web_and_worker_again_and_again_makes_one_ticket_a_token(hub: Stack) -> None:
    before = len(pictures(hub))
    tokens = [hub.control.entra.token() for _ in range(16)]
    client, over = Client(hub), Event()

    def submit(token: str) -> list[str]:
        return [client.submit(token, title) for title in ("Printer", "Printer", "Mouse")]

    with ThreadPoolExecutor(9) as pool:
        killing = pool.submit(kill_again_and_again, hub, over)
        try:
            found = list(pool.map(submit, tokens))
        finally:
            over.set()
        assert killing.result() >= 3
    hub.wait_ready()
    assert client.tries > 3 * len(tokens), "no call was hit"
    for token, (first, again, other) in zip(tokens, found, strict=True):
        assert first == again != other
        assert client.status(token, other)["message"] == "Token has already been exchanged."

    def states() -> list[dict[str, str]]:
        return [client.status(token, ids[0]) for token, ids in zip(tokens, found, strict=True)]

    hub.wait_for(lambda: {state["runtimeStatus"] for state in states()} == {"Completed"}, PATIENCE)
    assert len({state["ticket_id"] for state in states()}) == len(tokens)
    hub.wait_for(lambda: pictures(hub)[before:] == [[len(PNG)]] * len(tokens), PATIENCE)
    assert hub.control.duplicates() == {"labels": {}, "properties": {}}
