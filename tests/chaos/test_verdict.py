"""The judge itself: a good world passes, and each way of breaking it is seen."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.records import HubTicket, JiraIssue, Try, World
from tests.chaos.verdict import blind_repetition, judge, title_for

JIRA = "http://127.0.0.1:1/jira"
ADA = "ada@contoso.example"
Change = Callable[[World], World]

# Stories that a careful hub may tell of one submission.
GOOD_STORIES = (
    ("act done",),
    ("act again", "act done"),
    ("act unknown", "reconcile done"),
    ("act lost", "reconcile undecided", "reconcile lost", "reconcile absent", "act done"),
    ("act late", "reconcile done"),
    ("act unknown", "reconcile absent", "act unknown", "reconcile undecided", "reconcile done"),
)


def story(*words: str) -> tuple[Try, ...]:
    pairs = (word.split() for word in words)
    return tuple(Try(number, mode, result) for number, (mode, result) in enumerate(pairs, start=1))


def good_world(stories: list[tuple[str, ...]]) -> World:
    tickets, issues, accepted = [], [], {}
    for number, words in enumerate(stories, start=1):
        key, hub_key, tag = f"k{number}", f"HUB-{number}", f"ext-{number}"
        watched = number % 2 == 0
        accepted[key] = hub_key
        tickets.append(
            HubTicket(
                key=hub_key, title=title_for(key), state="done", tag=tag, tries=story(*words),
                issue_id=str(number), issue_key=f"HELP-{number}", issue_url=f"{JIRA}/browse/HELP-{number}",
                shown_key=f"HELP-{number}", submitted_entries=1,
                watchers=frozenset([ADA] if watched else []), changes=((ADA, "done"),) if watched else (),
            )
        )  # fmt: skip
        issues.append(
            JiraIssue(
                issue_id=str(number), key=f"HELP-{number}", summary=title_for(key), tag=tag, ticket=hub_key,
                labels=frozenset([tag, "helpdesk"]), watchers=frozenset(["hub", "id-of-ada"] if watched else ["hub"]),
            )
        )  # fmt: skip
    return World(accepted, frozenset(accepted), tuple(tickets), tuple(issues), JIRA, {ADA: "id-of-ada"})


def ticket(number: int, **changed: object) -> Change:
    def change(world: World) -> World:
        tickets = list(world.tickets)
        tickets[number] = replace(tickets[number], **changed)  # type: ignore[arg-type]
        return replace(world, tickets=tuple(tickets))

    return change


def issue(number: int, **changed: object) -> Change:
    def change(world: World) -> World:
        issues = list(world.issues)
        issues[number] = replace(issues[number], **changed)  # type: ignore[arg-type]
        return replace(world, issues=tuple(issues))

    return change


def second_issue(world: World) -> World:
    double = replace(world.issues[0], issue_id="900", key="HELP-900")
    return replace(world, issues=(*world.issues, double))


BROKEN: dict[str, tuple[str, Change]] = {
    "an accepted ticket is missing": ("ticket_lost", lambda world: replace(world, tickets=world.tickets[1:])),
    "a ticket stands twice": (
        "ticket_wrong",
        lambda world: replace(world, tickets=(*world.tickets, replace(world.tickets[0], key="HUB-90", tag="ext-90"))),
    ),
    "the client was told another key": (
        "ticket_wrong",
        lambda world: replace(world, accepted={**world.accepted, "k1": "HUB-7"}),
    ),
    "a ticket that nobody was told of": (
        "ticket_unasked",
        lambda world: replace(world, accepted={"k2": "HUB-2"}, answered_keys=frozenset(["k2"])),
    ),
    "a forgotten answer": ("answer_lost", lambda world: replace(world, answered_keys=frozenset(["k2"]))),
    "no issue": ("issue_lost", lambda world: replace(world, issues=world.issues[1:])),
    "two issues with one tag": ("issue_doubled", second_issue),
    "an issue of nobody": ("issue_unasked", issue(0, tag="ext-other")),
    "an issue that names another ticket": ("issue_wrong", issue(0, ticket="HUB-2")),
    "a label that is gone": ("label_wrong", issue(0, labels=frozenset(["helpdesk"]))),
    "a link to another issue": ("link_wrong", ticket(0, issue_key="HELP-2")),
    "a link with another id": ("link_wrong", ticket(0, issue_id="2")),
    "a link without an address": ("link_wrong", ticket(0, issue_url="")),
    "an API that shows another issue": ("link_wrong", ticket(0, shown_key="")),
    "a timeline that tells it twice": ("told_twice", ticket(0, submitted_entries=2)),
    "a submission under way": ("not_done", ticket(0, state="unknown")),
    "a parked submission": ("not_done", ticket(0, state="parked")),
    "a watcher asked for twice": ("watcher_wrong", ticket(1, changes=((ADA, "done"), (ADA, "done")))),
    "a watcher never asked for": ("watcher_wrong", ticket(1, changes=())),
    "a watcher under way": ("not_done", ticket(1, changes=((ADA, "running"),))),
    "a watcher who does not watch": ("watcher_lost", issue(1, watchers=frozenset(["hub"]))),
    "an attempt without an end": ("story_broken", ticket(0, tries=story("act open", "reconcile done"))),
    "two successes": ("story_broken", ticket(0, tries=story("act done", "act done"))),
    "a missing attempt": ("story_broken", ticket(0, tries=story("act again", "act done")[1:])),
    "a blind repetition": ("blind_repetition", ticket(0, tries=story("act unknown", "act done"))),
}


@given(st.lists(st.sampled_from(GOOD_STORIES), max_size=6))
def test_world_in_which_every_promise_was_kept_has_no_fault(stories: list[tuple[str, ...]]) -> None:
    assert judge(good_world(stories)) == []


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_promise_is_seen(name: str) -> None:
    kind, change = BROKEN[name]
    world = good_world([("act done",), ("act unknown", "reconcile done")])
    assert kind in {fault.kind for fault in judge(change(world))}


@given(
    st.lists(st.sampled_from(["reconcile undecided", "reconcile lost", "reconcile unknown"]), max_size=4),
    st.sampled_from(["unknown", "lost", "late", "open"]),
    st.booleans(),
)
def test_sending_after_doubt_needs_proof_of_absence(looks: list[str], doubt: str, proven: bool) -> None:
    words = [f"act {doubt}", *looks, *(["reconcile absent"] if proven else []), "act done"]
    assert blind_repetition(list(story(*words))) == (None if proven else len(words))


@given(st.lists(st.sampled_from(["again", "parked"]), max_size=4))
def test_sending_again_after_a_clear_refusal_is_not_blind(results: list[str]) -> None:
    assert blind_repetition(list(story(*(f"act {result}" for result in results), "act done"))) is None
