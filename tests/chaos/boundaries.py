"""Puts the steps of `orders` around the product's functions, from outside: the product itself has no hooks.

What is wrapped is named here in full, so a renamed function makes the campaign fail at its start and not pass silently.
"""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.services import idempotency
from supporthub.core.deliveries import engine, registry, sweep
from supporthub.core.deliveries.registry import Claim
from supporthub.integrations.jira.client import JiraClient
from tests.chaos.orders import Orders
from tickets.api import tickets as tickets_api
from tickets.clients.jira import JiraTracker
from tickets.models import Submission
from tickets.services import submissions

UNDER_WAY_SECONDS = 0.004  # long enough for the request to leave, mostly too short for the answer

Wrapper = Callable[[Callable[..., Any]], Callable[..., Any]]


def orders_of_campaign() -> Orders:
    """The orders of the campaign that started this process."""
    return Orders(Path(os.environ["CHAOS_ORDERS"]))


def around(owner: Any, name: str, wrapper: Wrapper) -> None:
    """Replace `owner.name` by its wrapped self. AttributeError when there is no such function."""
    setattr(owner, name, wrapper(getattr(owner, name)))


def before_and_after(orders: Orders, before: str, after: str) -> Wrapper:
    """Pass the step `before` first and, when the call has succeeded, `after`."""

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if before:
                orders.pass_by(before)
            result = original(*args, **kwargs)
            if after:
                orders.pass_by(after)
            return result

        return wrapped

    return wrap


class Commits:
    """Steps around the commit of a transaction that a named stage has entered.

    Django runs the after-commit phase when the connection goes back to autocommit, which is after `commit` has
    returned: so the end of `commit` lies between the two phases.
    """

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._here = threading.local()

    def install(self) -> None:
        around(BaseDatabaseWrapper, "commit", self._wrap)

    def enter(self, stage: str) -> None:
        """The current thread's next commit belongs to `stage`."""
        self._here.stage = stage

    def _wrap(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def commit(connection: BaseDatabaseWrapper) -> None:
            stage = getattr(self._here, "stage", "")
            self._here.stage = ""
            if stage:
                self._orders.pass_by(f"{stage}.before_commit")
            original(connection)
            if stage:
                self._orders.pass_by(f"{stage}.between_phases")

        return commit


def install_web(orders: Orders) -> None:
    """Steps of accepting a ticket."""
    commits = Commits(orders)
    commits.install()
    around(submissions, "request_submission", before_and_after(orders, "intake.ticket_written", ""))

    def creating(original: Callable[..., Any]) -> Callable[..., Any]:
        def create(*args: Any, **kwargs: Any) -> Any:
            answer = original(*args, **kwargs)
            orders.pass_by("intake.rows_written")
            commits.enter("intake")
            return answer

        return create

    around(tickets_api, "_create", creating)
    around(idempotency, "_first_or_stored", before_and_after(orders, "", "intake.before_answer"))


def install_client(orders: Orders) -> None:
    """Steps around the requests to Jira, whoever sends them."""

    def sending(original: Callable[..., Any]) -> Callable[..., Any]:
        def create_issue(*args: Any, **kwargs: Any) -> Any:
            orders.pass_by("send.before")
            if orders.claim("send.under_way"):
                _die_in(UNDER_WAY_SECONDS)
            made = original(*args, **kwargs)
            orders.pass_by("send.answered")
            return made

        return create_issue

    around(JiraClient, "create_issue", sending)
    around(JiraClient, "add_watcher", before_and_after(orders, "watcher.before", "watcher.after"))
    around(JiraTracker, "find_issue", before_and_after(orders, "look.before", "look.after"))


def install_engine(orders: Orders) -> None:
    """Steps of claim, settle and sweep of a submission."""
    commits = Commits(orders)
    commits.install()
    around(engine, "_lease", _leasing(commits))
    around(engine, "claim_row", _claiming(orders))
    around(engine, "settle", _settling(orders))
    around(submissions, "_record_issue", _recording(orders, commits))
    around(sweep, "expire_leases", _expiring(orders))
    around(registry, "hurry", before_and_after(orders, "sweep.marked", ""))


def _leasing(commits: Commits) -> Wrapper:
    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def lease(kind: registry.Kind, row: Any, allowance: float | None) -> Claim:
            claim: Claim = original(kind, row, allowance)
            if isinstance(row, Submission):
                commits.enter("claim")
            return claim

        return lease

    return wrap


def _claiming(orders: Orders) -> Wrapper:
    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def claim_row(kind: registry.Kind, pk: int | None = None) -> Any:
            claim = original(kind, pk)
            if isinstance(claim, Claim) and isinstance(claim.row, Submission):
                orders.pass_by("claim.after_commit")
            return claim

        return claim_row

    return wrap


def _settling(orders: Orders) -> Wrapper:
    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def settle(kind: registry.Kind, claim: Claim, outcome: Any) -> bool:
            if not isinstance(claim.row, Submission):
                return bool(original(kind, claim, outcome))
            orders.pass_by("settle.before")
            saved = bool(original(kind, claim, outcome))
            if saved:
                orders.pass_by("settle.after")
            return saved

        return settle

    return wrap


def _recording(orders: Orders, commits: Commits) -> Wrapper:
    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def record_issue(submission: Submission, result: Any) -> None:
            orders.pass_by("settle.row_written")
            original(submission, result)
            commits.enter("settle")

        return record_issue

    return wrap


def _expiring(orders: Orders) -> Wrapper:
    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def expire_leases(kind: registry.Kind) -> int:
            expired = int(original(kind))
            if expired:
                orders.pass_by("sweep.expired")
            return expired

        return expire_leases

    return wrap


def _die_in(seconds: float) -> None:
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()
