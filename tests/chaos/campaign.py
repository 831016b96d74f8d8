"""Carries out a plan against a stack while tickets come in, waits until all is quiet, and judges."""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import httpx
import psycopg

from supporthub.runtime.processes import wait_until
from tests.chaos import plan as plans
from tests.chaos.intake import Intake
from tests.chaos.orders import STEPS
from tests.chaos.plan import Deed, Plan
from tests.chaos.records import World
from tests.chaos.stack import Stack
from tests.chaos.survey import HUMAN, PROJECTS, survey, unfinished
from tests.chaos.verdict import Fault, found_after_doubt, judge, sent_again

CLIENTS = 6
_ORDER_SECONDS = 4.0  # an order that nobody comes past by then stays open while the campaign goes on
_QUIET_SECONDS = 240.0
_NEXT_WORKER_SECONDS = 45.0
_CHASES = 12
_CHASE_SECONDS = 15.0  # enough for a worker to come back after the supervisor's longest pause
ISSUES_OF_HUMANS = 2100  # in the first project; one look reads 2,000 keys


@cache
def seed_of_run() -> int:
    """CHAOS_SEED, else a new one, the same for all campaigns of a run; printed, so that it can be repeated."""
    given = os.environ.get("CHAOS_SEED")
    return int(given) if given else random.SystemRandom().randrange(1, 1_000_000)


def tickets_of_run() -> int:
    """CHAOS_TICKETS: how many tickets a campaign has."""
    return int(os.environ.get("CHAOS_TICKETS", "50"))


@dataclass
class Report:
    """What was done, and what came of it."""

    plan: Plan
    world: World
    faults: list[Fault]
    refusals: list[str]
    done: Counter[tuple[str, str]]
    jira_faults: Counter[str]
    hits: Counter[str]
    retries: int
    folder: Path
    seconds: dict[str, float] = field(default_factory=dict)

    def kinds(self) -> Counter[str]:
        """Broken promises by kind."""
        return Counter(fault.kind for fault in self.faults)

    def table(self) -> str:
        """A few lines for people."""
        found = sum(found_after_doubt(ticket) for ticket in self.world.tickets)
        again = sum(sent_again(ticket) for ticket in self.world.tickets)
        rows = {
            "tickets accepted": f"{len(self.world.accepted)} ({self.retries} requests were repeated)",
            "issues in Jira": f"{len(self.world.issues)} of ours",
            "killed (kill -9)": _counted({target: n for (verb, target), n in self.done.items() if verb == "kill"}),
            "frozen": _counted({target: n for (verb, target), n in self.done.items() if verb == "freeze"}),
            "all killed at once": self.done["crash", "everything"],
            "died at a step": _counted(self.hits),
            "Jira's faults": _counted(self.jira_faults),
            "in doubt, then found": found,
            "in doubt, then sent again": again,
            "seconds": _counted({name: round(value) for name, value in self.seconds.items()}),
            "broken promises": _counted(self.kinds()) or "none",
        }
        width = max(map(len, rows))
        return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows.items())

    def story(self) -> str:
        """Table and the first broken promises, for a failed test."""
        lines = [f"  {fault.kind} {fault.subject}: {fault.text}" for fault in self.faults[:20]]
        return "\n".join(
            [
                f"CHAOS_SEED={self.plan.seed}",
                self.table(),
                *lines,
                *self.refusals[:5],
                f"  logs and data are kept in {self.folder}",
            ]
        )


def _counted(counts: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


class Campaign:
    """One run of a plan. `steps`: those that the stack's processes pass; other orders are left out."""

    def __init__(self, stack: Stack, plan: Plan, steps: Collection[str] = STEPS) -> None:
        self.stack = stack
        self.plan = plan
        self.steps = steps
        self.intake = Intake(stack.url, CLIENTS)
        self.done: Counter[tuple[str, str]] = Counter()

    def run(self) -> Report:
        """The whole campaign; the stack runs before and after. AssertionError when it never becomes quiet."""
        clock = {"start": time.monotonic()}
        try:
            self.settle_in()
            clock["settled in"] = time.monotonic()
            for deed in self.plan.deeds:
                self.carry_out(deed)
            self.chase_orders()
            clock["blows"] = time.monotonic()
            jira_faults = self.calm_down()
            clock["quiet"] = time.monotonic()
        finally:
            self.intake.give_up()
        world = survey(self.stack, self.intake.accepted)
        names = list(clock)
        return Report(
            plan=self.plan,
            world=world,
            faults=judge(world),
            refusals=self.intake.refusals,
            done=self.done,
            jira_faults=jira_faults,
            hits=self.stack.orders.hits(),
            retries=self.intake.retries,
            folder=self.stack.folder,
            seconds={name: clock[name] - clock[names[names.index(name) - 1]] for name in names[1:]},
        )

    def settle_in(self) -> None:
        """A project that others have long used, with more issues than one look can read, and a first ticket in each.

        From then on the hub knows how far the numbering is; what is lost later must be found above that.
        """
        self.stack.control.create_issue(PROJECTS[0], summary=HUMAN, count=ISSUES_OF_HUMANS)
        self.stack.control.set_search_lag(plans.SEARCH_LAG)
        self.intake.start()
        self.intake.release(len(PROJECTS))
        assert self._quiet(len(PROJECTS)), "not even the first tickets reached Jira"

    def carry_out(self, deed: Deed) -> None:
        """One blow, while tickets come in."""
        self._switch_on(deed.rules)
        self.intake.release(deed.tickets)
        match deed.verb:
            case "order":
                self._order(deed.target, _ORDER_SECONDS)
                time.sleep(deed.seconds)
            case "kill":
                struck = wait_until(lambda: self.stack.kill(deed.target), 10, every=0.05)
                self.done["kill", deed.target] += struck
                time.sleep(deed.seconds)
            case "freeze":
                struck = wait_until(lambda: self.stack.freeze(deed.target, deed.seconds), 10, every=0.05)
                self.done["freeze", deed.target] += struck
            case "crash":
                time.sleep(deed.seconds)
                self.stack.crash()
                self.stack.start()
                self.done["crash", deed.target] += 1

    def chase_orders(self) -> None:
        """Send further tickets until nobody is left who has not come past the step where it is to die."""
        for _ in range(_CHASES):
            pending = sorted(self.stack.orders.pending())
            if not pending:
                return
            self.intake.release(6)
            self._order(pending[0], _CHASE_SECONDS)

    def calm_down(self) -> Counter[str]:
        """Stop all faults, let everything finish. Returns how often each of Jira's faults struck."""
        for step in self.stack.orders.pending():
            self.stack.orders.withdraw(step)
        self.stack.wait_ready()
        struck: Counter[str] = Counter()
        for switched_on in self.stack.control.list_faults():
            if switched_on["fired"]:
                struck[switched_on["kind"]] += switched_on["fired"]
        self.stack.control.clear_faults()
        self.intake.finish()
        if not self._quiet(self.intake.count):
            raise AssertionError(f"{unfinished(self.stack)} deliveries are unfinished after {_QUIET_SECONDS:.0f} s")
        self.stack.wait_ready()
        return struck

    def _quiet(self, tickets: int) -> bool:
        """Wait until so many tickets were accepted and nothing is under way; False when that takes too long."""

        def calm() -> bool:
            try:
                return len(self.intake.accepted) + len(self.intake.refusals) >= tickets and not unfinished(self.stack)
            except psycopg.Error:
                return False

        return wait_until(calm, _QUIET_SECONDS, every=0.25)

    def _order(self, step: str, seconds: float) -> None:
        """Order a death at `step`, make the hub go there, and wait for it."""
        if step not in self.steps:
            return
        hits = self.stack.orders.hits()[step]
        self._switch_on(plans.provocation(step, self.plan.seed))
        self.stack.orders.give(step)
        if (
            step == "sweep.expired"
        ):  # a lease can only expire when a worker dies with it, and the next one lives to see it
            self.stack.orders.give("claim.after_commit")
            seconds = _NEXT_WORKER_SECONDS
        wait_until(lambda: self.stack.orders.hits()[step] > hits, seconds, every=0.05)

    def _switch_on(self, rules: tuple[dict[str, object], ...]) -> None:
        for wanted in rules:
            # The sandbox may be down at this moment, by our own hand: the fault comes when it is back.
            wait_until(lambda wanted=wanted: _accepted(lambda: self.stack.control.add_fault(wanted)), 20, every=0.1)  # type: ignore[misc]


def _accepted(call: Callable[[], object]) -> bool:
    try:
        call()
    except httpx.TransportError:
        return False
    return True
