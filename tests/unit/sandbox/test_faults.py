"""When a fault rule fires."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.client import rule
from tests.sandbox.faults import InvalidRuleError, dice, fire, parse_rule
from tests.sandbox.limiter import Limiter


def kinds(rules: list[Any], method: str = "POST", path: str = "/jira/rest/api/3/issue") -> list[str]:
    return [fault.kind for fault in fire(rules, method, path)[0]]


def test_rule_fires_only_for_its_method_and_path() -> None:
    rules = [parse_rule(rule("drop_before", method="post", path="/issue$"), "a")]
    assert kinds(rules, "GET") == []
    assert kinds(rules, "POST", "/jira/rest/api/3/issue/HELP-1") == []
    assert kinds(rules) == ["drop_before"]


def test_counted_rule_stops_after_its_shots() -> None:
    rules = [parse_rule(rule("429", count=2), "a")]
    assert [kinds(rules) for _ in range(4)] == [["429"], ["429"], [], []]


def test_first_deciding_rule_wins_and_the_second_keeps_its_shot() -> None:
    rules = [parse_rule(rule("drop_after", count=1), "a"), parse_rule(rule("status", count=1, status=503), "b")]
    assert kinds(rules) == ["drop_after"]
    assert kinds(rules) == ["status"]


def test_delays_and_changed_behaviour_join_a_deciding_fault() -> None:
    raw = [rule("latency", ms=5), rule("no_permission", permission="MODIFY_REPORTER"), rule("broken_json")]
    assert kinds([parse_rule(item, str(n)) for n, item in enumerate(raw)]) == [
        "latency",
        "no_permission",
        "broken_json",
    ]


@given(st.integers(), st.integers(min_value=1, max_value=60), st.integers(min_value=0, max_value=59))
def test_dice_go_on_where_they_were_when_the_counters_are_restored(seed: int, throws: int, cut: int) -> None:
    def run(rules: list[Any], times: int) -> list[bool]:
        return [bool(kinds(rules)) for _ in range(times)]

    raw = rule("drop_before", probability=0.5, seed=seed)
    whole = run([parse_rule(raw, "a")], throws)
    first = [parse_rule(raw, "a")]
    done = run(first, min(cut, throws))
    second = parse_rule(first[0].described(), "a")
    second.seen, second.fired = first[0].seen, first[0].fired
    assert done + run([second], throws - len(done)) == whole


@given(st.integers(), st.integers())
def test_dice_stay_below_one(seed: int, throw: int) -> None:
    assert 0 <= dice(seed, throw) < 1


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"kind": "explode"},
        {"kind": "latency"},
        {"kind": "latency", "params": {"ms": 1, "s": 2}},
        {"kind": "429", "probability": 2},
        {"kind": "429", "count": 0},
        {"kind": "429", "match": {"path": "/"}},
        {"kind": "429", "match": {"path_regex": "("}},
        {"kind": "429", "when": "now"},
        "429",
    ],
)
def test_senseless_rule_is_refused(raw: Any) -> None:
    with pytest.raises(InvalidRuleError):
        parse_rule(raw, "a")


def test_burst_limit_refuses_the_request_after_one_seconds_worth_and_recovers() -> None:
    limiter = Limiter({"POST": 3})
    path = "/jira/rest/api/3/issue"
    assert [limiter.refused("POST", path, 10.0) is None for _ in range(4)] == [True, True, True, False]
    assert limiter.refused("GET", path, 10.0) is None
    assert limiter.refused("POST", path, 10.5) is None


def test_writes_to_one_issue_are_capped_apart_from_others() -> None:
    limiter = Limiter()
    for number in range(20):
        assert limiter.refused("POST", "/jira/rest/api/3/issue/HELP-1/comment", 5 + number / 100) is None
    refused = limiter.refused("PUT", "/jira/rest/api/3/issue/help-1", 5.3)
    assert refused is not None
    assert refused["reason"] == "jira-per-issue-on-write"
    assert limiter.refused("PUT", "/jira/rest/api/3/issue/HELP-2", 5.3) is None
    assert limiter.refused("PUT", "/jira/rest/api/3/issue/HELP-1", 7.5) is None
