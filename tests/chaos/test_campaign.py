"""The first promise: nothing accepted is lost, nothing is done twice, whatever dies and whenever."""

import sys

import pytest

from tests.chaos.campaign import Campaign, seed_of_run, tickets_of_run
from tests.chaos.orders import STEPS, step_class
from tests.chaos.plan import LARGE, make_plan
from tests.chaos.stack import CHILDREN, Stack
from tests.chaos.survey import survey


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_accepted_ticket_has_exactly_one_issue_whatever_dies(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    tickets = tickets_of_run()
    plan = make_plan(seed_of_run(), tickets)
    assert survey(stack, {}).tickets == (), "a campaign begins with an empty hub"
    with capsys.disabled():
        sys.stdout.write(f"\nthe hub, {tickets} tickets, CHAOS_SEED={plan.seed}\n")
        report = Campaign(stack, plan).run()
        sys.stdout.write(f"{report.table()}\n")
    assert report.refusals == [], report.story()
    assert report.faults == [], report.story()
    # The campaign did what it says: every process died, Jira failed, and processes died at the steps meant for it.
    assert len(report.world.accepted) >= tickets
    assert all(report.done["kill", child] for child in CHILDREN), report.story()
    assert report.done["crash", "everything"] == 1
    assert plan.steps <= set(report.hits), report.story()
    assert {step_class(step) for step in report.hits} == {step_class(step) for step in STEPS}, report.story()
    if tickets >= LARGE:
        assert set(report.hits) == set(STEPS), report.story()
        assert {raw["kind"] for deed in plan.deeds for raw in deed.rules} <= set(report.jira_faults), report.story()
    assert report.jira_faults["drop_after"] > 0, report.story()
