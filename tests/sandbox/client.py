"""For tests and campaigns: start the sandbox as a process of its own, and control it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.sandbox.entra.client import EntraCalls
from tests.sandbox.entra.seeds import CONTOSO, HUB_APP
from tests.sandbox.options import JIRA_USER, derived_token

PROJECT_ROOT = Path(__file__).resolve().parents[2]
POLL_S = 0.02

Json = dict[str, Any]


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def rule(
    kind: str,
    *,
    method: str = "",
    path: str = "",
    count: int | None = None,
    probability: float = 1.0,
    seed: int = 0,
    **params: Any,
) -> Json:
    """A fault rule, for example ``rule("drop_after", method="POST", path="/issue$", count=1)``."""
    return {
        "kind": kind,
        "match": {"method": method, "path_regex": path},
        "count": count,
        "probability": probability,
        "seed": seed,
        "params": params,
    }


class Control:
    """The control calls. Every method raises ``httpx.HTTPStatusError`` when the sandbox refuses."""

    def __init__(self, base_url: str, secret: str) -> None:
        self._http = httpx.Client(base_url=base_url, headers={"x-sandbox-secret": secret}, timeout=30, trust_env=False)

    @property
    def entra(self) -> EntraCalls:
        """The control calls of the played Entra."""
        return EntraCalls(self._call)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _call(self, verb: str, address: str, /, body: Json | None = None, **query: Any) -> Any:
        asked = {name: value for name, value in query.items() if value is not None}
        answer = self._http.request(verb, f"/_control{address}", json=body, params=asked)
        answer.raise_for_status()
        return answer.json()

    def faults(self, *rules: Json) -> list[Json]:
        """Switch on exactly these rules (see :func:`rule`); returns them as the sandbox holds them."""
        return list(self._call("PUT", "/faults", {"rules": list(rules)})["rules"])

    def add_fault(self, raw: Json) -> list[Json]:
        """Switch on one more rule."""
        return list(self._call("POST", "/faults", raw)["rules"])

    def list_faults(self) -> list[Json]:
        """The rules with ``seen`` and ``fired``."""
        return list(self._call("GET", "/faults")["rules"])

    def clear_faults(self, rule_id: str | None = None) -> None:
        """Switch off one rule, or all."""
        self._call("DELETE", "/faults", id=rule_id)

    def reset(self) -> None:
        """Back to the seeds: no issues, no journal, no faults, no settings."""
        self._call("POST", "/reset")

    def set_search_lag(self, seconds: float) -> None:
        """How far search runs behind; 0 shows everything at once."""
        self._call("PUT", "/settings", {"jira.search_lag": seconds})

    def set_rate_limit(self, limits: Mapping[str, float] | None) -> None:
        """Requests per second by method; ``{}`` means Jira's own numbers, None switches the limiter off."""
        self._call("PUT", "/settings", {"jira.rate_limit": None if limits is None else dict(limits)})

    def set_upload_limit(self, size: int) -> None:
        """The largest attachment in bytes."""
        self._call("PUT", "/settings", {"jira.upload_limit": size})

    def state(self) -> Json:
        """Counts of everything Jira holds."""
        return dict(self._call("GET", "/jira/state"))

    def issues(self, label: str | None = None, project: str | None = None) -> list[Json]:
        """Issues from the database, not the index, oldest first."""
        return list(self._call("GET", "/jira/issues", label=label, project=project)["issues"])

    def duplicates(self) -> Json:
        """``{"labels": {tag: keys}, "properties": {tag: keys}}``; both empty when nothing was made twice."""
        return dict(self._call("GET", "/jira/duplicates"))

    def journal(
        self,
        method: str | None = None,
        path: str | None = None,
        subject: str | None = None,
        since: int | None = None,
        limit: int = 1000,
    ) -> list[Json]:
        """Requests in the order in which they were answered; ``path`` is a part of the path."""
        found = self._call("GET", "/journal", method=method, path=path, subject=subject, since=since, limit=limit)
        return list(found["requests"])

    def effects(self, kind: str | None = None, subject: str | None = None, since: int | None = None) -> list[Json]:
        """What changed in Jira, oldest first, at most 1,000 after ``since``."""
        return list(self._call("GET", "/effects", kind=kind, subject=subject, since=since, limit=1000)["effects"])

    def create_issue(
        self,
        project: str = "HELP",
        summary: str = "Made by a human",
        labels: Sequence[str] = (),
        properties: Mapping[str, Any] | None = None,
        count: int = 1,
        *,
        days_ago: int = 0,
    ) -> Json:
        """Issues made past the hub; returns id and key of the last one, and all under ``created``."""
        body = {
            "project": project,
            "summary": summary,
            "labels": list(labels),
            "properties": properties,
            "count": count,
            "days_ago": days_ago,
        }
        return dict(self._call("POST", "/jira/issues", body))

    def delete_issue(self, key: str) -> None:
        """A human deletes an issue."""
        self._call("DELETE", f"/jira/issues/{key}")

    def move_issue(self, key: str, project: str) -> str:
        """A human moves an issue; returns its new key."""
        return str(self._call("POST", f"/jira/issues/{key}/move", {"project": project})["key"])

    def set_status(self, key: str, status: str) -> None:
        """A human moves the card: ``To Do``, ``In Progress``, ``Done``."""
        self._call("POST", f"/jira/issues/{key}/status", {"status": status})

    def comment(self, key: str, body: Json, **more: Any) -> str:
        """A human comments (``body`` is ADF; ``author``, ``visibility``, ``properties``); returns the comment's id."""
        return str(self._call("POST", f"/jira/issues/{key}/comments", {"body": body, **more})["id"])

    def create_project(self, key: str, name: str = "", kind: str = "software", workflow: str = "simple") -> str:
        """A further project (``software`` or ``service_desk``); returns its id."""
        body = {"key": key, "name": name, "type": kind, "workflow": workflow}
        return str(self._call("POST", "/jira/projects", body)["id"])

    def create_account(self, name: str, email: str, **more: Any) -> str:
        """A further account (``hidden``, ``type``, ``active``, ``id``); returns its accountId."""
        return str(self._call("POST", "/jira/accounts", {"name": name, "email": email, **more})["accountId"])


class SandboxProcess:
    """The sandbox as a subprocess on a loopback port. State stays in ``data_dir`` over kill and start."""

    def __init__(self, data_dir: Path, port: int | None = None, secret: str = "sandbox-secret") -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        self.secret = secret
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.control = Control(self.base_url, secret)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def jira_url(self) -> str:
        """What ``ATLASSIAN_URL`` is set to."""
        return f"{self.base_url}/jira"

    @property
    def jira_user(self) -> str:
        """The service account's mail address."""
        return JIRA_USER

    @property
    def jira_token(self) -> str:
        """The service account's API token."""
        return derived_token(self.secret, "jira")

    @property
    def entra_url(self) -> str:
        """What ``ENTRA_AUTHORITY`` is set to."""
        return f"{self.base_url}/entra"

    @property
    def entra_settings(self) -> dict[str, str]:
        """The hub's settings for the played Entra, by their names."""
        return {
            "ENTRA_AUTHORITY": self.entra_url,
            "ENTRA_TENANT_ID": CONTOSO,
            "ENTRA_CLIENT_ID": HUB_APP,
            "ENTRA_CLIENT_SECRET": derived_token(self.secret, "entra"),
        }

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start the process; :meth:`wait_ready` waits for its port."""
        if self.running:
            raise RuntimeError("the sandbox runs already")
        self.data_dir.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tests.sandbox", "--port", str(self.port), "--data", str(self.data_dir)]
        environment = {**os.environ, "SANDBOX_SECRET": self.secret}
        with (self.data_dir / "sandbox.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=PROJECT_ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    def wait_ready(self, timeout: float = 20.0) -> Self:
        """Return when the sandbox answers.

        :raises RuntimeError: it ended, or did not answer in time; the text holds the end of its log.
        """
        deadline = time.monotonic() + timeout
        with httpx.Client(timeout=2, trust_env=False) as http:
            while time.monotonic() < deadline and self.running:
                try:
                    if http.get(f"{self.base_url}/_control/ready").status_code == httpx.codes.OK:
                        return self
                except httpx.TransportError:
                    time.sleep(POLL_S)  # the condition awaited is the open port itself
        raise RuntimeError("the sandbox is not ready: " + self.log()[-2000:])

    def log(self) -> str:
        """What the process wrote, over all its starts."""
        path = self.data_dir / "sandbox.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def kill(self) -> None:
        """kill -9, as a campaign does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that is not enough."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        self._process = None

    def __enter__(self) -> Self:
        return self.start().wait_ready()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.control.close()
