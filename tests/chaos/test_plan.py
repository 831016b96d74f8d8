"""Plans and orders: repeatable, complete, and each order carried out once."""

import re
import threading
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos import naive_steps
from tests.chaos.orders import STEPS, Orders, step_class
from tests.chaos.plan import LARGE, SEARCH_LAG, make_plan
from tests.chaos.stack import CHILDREN, WINDOW
from tests.sandbox.faults import parse_rule

SEEDS = st.integers(min_value=0, max_value=2**32)
SIZES = st.integers(min_value=1, max_value=2 * LARGE)


@given(SEEDS, SIZES)
def test_seed_repeats_the_plan(seed: int, tickets: int) -> None:
    assert make_plan(seed, tickets) == make_plan(seed, tickets)


@given(SEEDS, SIZES)
def test_plan_sends_every_ticket_and_kills_every_process(seed: int, tickets: int) -> None:
    plan = make_plan(seed, tickets)
    blows = Counter((deed.verb, deed.target) for deed in plan.deeds)
    assert sum(deed.tickets for deed in plan.deeds) == tickets
    assert all(blows["kill", child] for child in CHILDREN)
    assert blows["crash", "everything"] == 1


@given(SEEDS, SIZES)
def test_large_plan_goes_to_every_step_and_small_one_to_every_class(seed: int, tickets: int) -> None:
    steps = make_plan(seed, tickets).steps
    assert {step_class(step) for step in steps} == {step_class(step) for step in STEPS}
    assert tickets < LARGE or steps == set(STEPS)


@given(SEEDS, SIZES)
def test_faults_are_known_to_the_sandbox_and_stay_inside_the_window(seed: int, tickets: int) -> None:
    plan = make_plan(seed, tickets)
    rules = [parse_rule(raw, "one") for deed in plan.deeds for raw in deed.rules]
    delays = [float(rule.params.get("seconds", 0)) for rule in rules]
    frozen = [deed.seconds for deed in plan.deeds if deed.verb == "freeze"]
    assert max([*delays, *frozen, SEARCH_LAG]) < WINDOW / 2
    assert all(rule.count for rule in rules)


def test_naive_worker_is_sent_to_steps_that_exist() -> None:
    assert set(STEPS) > naive_steps.STEPS
    assert {"intake", "claim", "send", "settle", "watcher"} == {step_class(step) for step in naive_steps.STEPS}


def test_order_is_carried_out_by_exactly_one(tmp_path: Path) -> None:
    orders = Orders(tmp_path)
    taken: list[bool] = []
    start = threading.Barrier(8)

    def pass_by() -> None:
        start.wait()
        taken.append(orders.claim("send.before"))

    for _ in range(20):
        orders.give("send.before")
        threads = [threading.Thread(target=pass_by) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert taken.count(True) == 20
    assert orders.pending() == set()


def test_withdrawn_order_kills_nobody(tmp_path: Path) -> None:
    orders = Orders(tmp_path)
    orders.give("look.before")
    assert orders.withdraw("look.before")
    orders.pass_by("look.before")
    assert orders.hits() == Counter()


def test_unknown_step_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("no step is called nowhere")):
        Orders(tmp_path).give("nowhere")
