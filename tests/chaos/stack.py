"""The hub of a campaign: with steps at which its processes can be told to die, and in fast motion."""

import sys

import tests.stack
from tests.chaos.orders import Orders

CHILDREN = tests.stack.CHILDREN
CAREFUL, NAIVE = "tests.chaos.entry", "tests.chaos.entry_naive"
# Of 1 in production: time-outs of 0.6 s, a lease of 1.6 s, a reconcile window of 6 s, a sweep every 0.1 s.
TIME_SCALE = 0.01
WINDOW = 600 * TIME_SCALE


class Stack(tests.stack.Stack):
    """One hub and its sandbox. `worker` is the worker's application: careful or naive."""

    def __init__(self, worker: str = CAREFUL) -> None:
        settings = {"DELIVERY_TIME_SCALE": str(TIME_SCALE), "CHAOS_WORKER": worker}
        super().__init__(settings, command=(sys.executable, "-m", "tests.chaos.up"))
        self.orders = Orders(self.folder / "orders")

    def outer_environment(self) -> dict[str, str]:
        """As everywhere, and where the orders are given."""
        return {**super().outer_environment(), "CHAOS_ORDERS": str(self.folder / "orders")}
