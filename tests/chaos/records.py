"""What both sides hold at the end of a campaign, as plain values. The verdict looks at nothing else."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt of a submission, as the hub tells it."""

    fence: int
    mode: str
    result: str


@dataclass(frozen=True, slots=True)
class HubTicket:
    """A ticket as the hub's database holds it, and the key that its API shows for the issue."""

    key: str
    title: str
    state: str
    tag: str
    tries: tuple[Try, ...] = ()
    issue_id: str = ""
    issue_key: str = ""
    issue_url: str = ""
    shown_key: str = ""
    submitted_entries: int = 0  # how often its timeline says that it reached the tracker
    watchers: frozenset[str] = frozenset()
    changes: tuple[tuple[str, str], ...] = ()  # (watcher's address, state) of each change of the issue


@dataclass(frozen=True, slots=True)
class JiraIssue:
    """An issue as Jira's own store holds it, past its search index."""

    issue_id: str
    key: str
    summary: str
    tag: str
    ticket: str
    labels: frozenset[str] = frozenset()
    watchers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class World:
    """Everything at the end. `accepted`: Idempotency-Key to the hub's key, as the clients were told."""

    accepted: dict[str, str]
    answered_keys: frozenset[str]  # keys whose answer the hub has stored
    tickets: tuple[HubTicket, ...]
    issues: tuple[JiraIssue, ...]
    jira_url: str
    accounts: dict[str, str] = field(default_factory=dict)  # a watcher's address to Jira's account id
