"""The campaign can fail: against a naive order of steps it does."""

import sys

import pytest

from tests.chaos import naive_steps
from tests.chaos.campaign import Campaign, seed_of_run, tickets_of_run
from tests.chaos.plan import make_plan
from tests.chaos.stack import NAIVE, Stack


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_naive_order_fails_the_same_campaign(capsys: pytest.CaptureFixture[str]) -> None:
    """Create, then record, and try again on any failure: with the same seed and blows it makes issues twice."""
    plan = make_plan(seed_of_run(), tickets_of_run())
    with Stack(worker=NAIVE) as stack:
        with capsys.disabled():
            sys.stdout.write(f"\na naive order of steps, {plan.tickets} tickets, CHAOS_SEED={plan.seed}\n")
            report = Campaign(stack, plan, naive_steps.STEPS).run()
            sys.stdout.write(f"{report.table()}\n")
        assert report.kinds()["issue_doubled"] + report.kinds()["issue_lost"] > 0, report.story()
        # It is the order of steps that fails, not the campaign's own means: intake, which is careful, lost nothing.
        assert report.refusals == [], report.story()
        assert not {"ticket_lost", "ticket_wrong", "ticket_unasked"} & set(report.kinds()), report.story()
