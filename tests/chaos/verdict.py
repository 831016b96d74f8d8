"""Is every accepted ticket in Jira exactly once, and does the hub know it? Pure: judges `records.World`."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.records import HubTicket, JiraIssue, Try, World

TITLE = "Campaign ticket "
# Results after which nobody knows whether the issue was made. "open": the worker died and no sweep has come yet.
_DOUBT = {"unknown", "lost", "late", "open"}


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken promise. `kind` is stable; tests ask for it."""

    kind: str
    subject: str
    text: str


def title_for(key: str) -> str:
    """The title of the ticket that is posted with this Idempotency-Key."""
    return f"{TITLE}{key}"


def judge(world: World) -> list[Fault]:
    """Every broken promise; empty when all were kept."""
    return [*_intake(world), *_issues(world), *_tickets(world)]


def _intake(world: World) -> Iterator[Fault]:
    """One ticket for each key, and none beside."""
    by_title = defaultdict(list)
    for ticket in world.tickets:
        by_title[ticket.title].append(ticket.key)
    for key, told in world.accepted.items():
        found = by_title.pop(title_for(key), [])
        if not found:
            yield Fault("ticket_lost", told, f"accepted for {key}, and not there")
        elif found != [told]:
            yield Fault("ticket_wrong", told, f"the client of {key} was told {told}, the hub has {', '.join(found)}")
        if key not in world.answered_keys:
            yield Fault("answer_lost", told, f"the hub does not remember its answer to {key}")
    for title, found in by_title.items():
        yield Fault("ticket_unasked", ", ".join(found), f"nobody was told of {title!r}")


def _issues(world: World) -> Iterator[Fault]:
    """One issue for each tag, by label and by property, and none without a ticket."""
    tags = {ticket.tag: ticket for ticket in world.tickets}
    by_property: dict[str, list[JiraIssue]] = defaultdict(list)
    for issue in world.issues:
        by_property[issue.tag].append(issue)
        if issue.tag not in tags:
            yield Fault("issue_unasked", issue.key, f"belongs to no ticket (tag {issue.tag or 'none'})")
        elif issue.ticket != tags[issue.tag].key:
            yield Fault("issue_wrong", issue.key, f"names {issue.ticket}, its tag is of {tags[issue.tag].key}")
    by_label = Counter(label for issue in world.issues for label in issue.labels if label in tags)
    for tag, ticket in tags.items():
        keys = [issue.key for issue in by_property[tag]]
        if not keys:
            yield Fault("issue_lost", ticket.key, "has no issue")
        elif len(keys) > 1:
            yield Fault("issue_doubled", ticket.key, f"has {len(keys)} issues: {', '.join(keys)}")
        if by_label[tag] != len(keys):
            yield Fault("label_wrong", ticket.key, f"{len(keys)} issues by property, {by_label[tag]} by label")


def _tickets(world: World) -> Iterator[Fault]:
    """What the hub says of each ticket agrees with Jira's store."""
    issues: dict[str, JiraIssue] = {}
    for issue in world.issues:
        issues.setdefault(issue.tag, issue)  # oldest first: of doubles, the first one is the right one
    for ticket in world.tickets:
        if ticket.state != "done":
            yield Fault("not_done", ticket.key, f"its submission is {ticket.state}")
        yield from _attempts(ticket)
        found = issues.get(ticket.tag)
        if found is not None:
            yield from _link(ticket, found, world)
            yield from _watchers(ticket, found, world)


def _link(ticket: HubTicket, issue: JiraIssue, world: World) -> Iterator[Fault]:
    pairs = {
        "id": (ticket.issue_id, issue.issue_id),
        "key": (ticket.issue_key, issue.key),
        "url": (ticket.issue_url, f"{world.jira_url}/browse/{issue.key}"),
        "shown key": (ticket.shown_key, issue.key),
        "title": (ticket.title, issue.summary),
    }
    for name, (ours, theirs) in pairs.items():
        if ours != theirs:
            yield Fault("link_wrong", ticket.key, f"{name}: the hub says {ours!r}, Jira {theirs!r}")
    if ticket.submitted_entries != 1:
        yield Fault("told_twice", ticket.key, f"its timeline says {ticket.submitted_entries} times that it was sent")


def _watchers(ticket: HubTicket, issue: JiraIssue, world: World) -> Iterator[Fault]:
    asked = Counter(address for address, _ in ticket.changes)
    if set(asked) != ticket.watchers or any(count > 1 for count in asked.values()):
        yield Fault("watcher_wrong", ticket.key, f"watchers {sorted(ticket.watchers)}, changes {sorted(asked.items())}")
    for address, state in ticket.changes:
        if state != "done":
            yield Fault("not_done", ticket.key, f"adding {address} is {state}")
    missing = {address for address in ticket.watchers if world.accounts.get(address) not in issue.watchers}
    if missing:
        yield Fault("watcher_lost", ticket.key, f"{', '.join(sorted(missing))} do not watch {issue.key}")


def _attempts(ticket: HubTicket) -> Iterator[Fault]:
    """The attempts tell one story: unbroken numbers, one success at the end, and never a blind repetition."""
    story = sorted(ticket.tries, key=lambda item: item.fence)
    if [item.fence for item in story] != list(range(1, len(story) + 1)):
        yield Fault("story_broken", ticket.key, f"its attempts have the numbers {[item.fence for item in story]}")
    results = [item.result for item in story]
    if ticket.state == "done" and (results.count("done") != 1 or results[-1] != "done"):
        yield Fault("story_broken", ticket.key, f"its attempts ended {results}")
    if "open" in results:
        yield Fault("story_broken", ticket.key, "an attempt of it was never ended")
    blind = blind_repetition(story)
    if blind is not None:
        yield Fault("blind_repetition", ticket.key, f"attempt {blind} sent it again before it was known to be absent")


def blind_repetition(story: list[Try]) -> int | None:
    """The number of the first attempt that sent although an earlier one was in doubt; None when there is none."""
    doubt = False
    for item in story:
        if item.mode == "act" and doubt:
            return item.fence
        if item.mode == "act" and item.result in _DOUBT:
            doubt = True
        if item.mode == "reconcile" and item.result == "absent":
            doubt = False
    return None


def found_after_doubt(ticket: HubTicket) -> bool:
    """Whether the issue was made by an attempt in doubt and found by looking."""
    return any(item.mode == "reconcile" and item.result == "done" for item in ticket.tries)


def sent_again(ticket: HubTicket) -> bool:
    """Whether an attempt in doubt was proven to have made nothing, so that the ticket was sent again."""
    return any(item.result == "absent" for item in ticket.tries)
