"""Finding the issue with a tag, and judging what not finding it is worth.

Two ways that fail differently: the search index knows labels but lags behind; reading keys one after the other needs no
index but only reaches so far. A hit of either counts once its issue property has been seen to hold the tag.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from supporthub.core.errors import AuthError, IntegrationError, TransientError
from supporthub.integrations.jira import jql
from supporthub.integrations.jira.client import JiraClient
from supporthub.integrations.jira.schemas import BulkIssues, Issue
from tickets.clients.jira_issue import PROPERTY

PAGE = 50
MOST_PAGES = 40
# No project has an issue with this number. How Jira answers for it tells what "not there" looks like.
_NO_NUMBER = 999_999_999


@dataclass(slots=True)
class Walk:
    """What reading keys upwards has shown so far.

    `control_moved`: the known issue can be read, but in another project, so it says nothing about reading this one.
    """

    first_number: int
    last_number: int
    hits: dict[str, Issue] = field(default_factory=dict)
    control_seen: bool = False
    control_moved: bool = False
    unread: bool = False
    reached_end: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """Everything one look has shown. `walk` and `searched` are None and False where that way failed."""

    hits: Sequence[Issue]
    walk: Walk | None
    searched: bool


def carries(issue: Issue, tag: str) -> bool:
    """Whether the issue's property holds the tag. A label alone is no proof: cloning an issue copies its labels."""
    value = (issue.get("properties") or {}).get(PROPERTY)
    return isinstance(value, dict) and value.get("tag") == tag


def age(issue: Issue) -> tuple[int, str]:
    """Sorts issues by their numeric id, which grows with time; oldest first."""
    return len(issue["id"]), issue["id"]


def look_for(
    client: JiraClient, *, tag: str, project_key: str, watermark: int, control_key: str, in_time: Callable[[], bool]
) -> Look:
    """Look both ways. `in_time` is asked before each further request of the walk.

    One way failing leaves the other; both failing raises TransientError. Refused credentials always raise AuthError.
    """
    failures: list[IntegrationError] = []
    found: list[Issue] = []
    walk: Walk | None = None
    try:
        found = search(client, tag, project_key)
    except AuthError:
        raise
    except IntegrationError as error:
        failures.append(error)
    try:
        walk = walk_keys(
            client, tag=tag, project_key=project_key, watermark=watermark, control_key=control_key, in_time=in_time
        )
    except AuthError:
        raise
    except IntegrationError as error:
        failures.append(error)
    if len(failures) == 2:  # noqa: PLR2004
        raise _both_failed(failures)
    hits = {issue["id"]: issue for issue in found} | (walk.hits if walk else {})
    return Look(sorted(hits.values(), key=age), walk, searched=walk is None or not failures)


def _both_failed(failures: Sequence[IntegrationError]) -> TransientError:
    transient = [error for error in failures if isinstance(error, TransientError)]
    waits = [error.retry_after for error in transient if error.retry_after is not None]
    return TransientError(
        f"Jira let us neither search nor read: {failures[0].reason}",
        code="cannot_look",
        detail="; ".join(error.detail for error in failures),
        retry_after=max(waits, default=None),
        pause=any(error.pause for error in transient),
    )


def search(client: JiraClient, tag: str, project_key: str) -> list[Issue]:
    """Proven hits of the search index."""
    hits = client.search(jql.labelled(project_key, tag), fields=["key", "labels"], properties=[PROPERTY])
    return [issue for issue in hits if carries(issue, tag)]


def walk_keys(
    client: JiraClient, *, tag: str, project_key: str, watermark: int, control_key: str, in_time: Callable[[], bool]
) -> Walk:
    """Read the keys above `watermark`, a page at a time, until a whole page is not there.

    Numbers are given out upwards and never twice, so an issue made after the watermark was known has a higher one.
    """
    walk = Walk(first_number=watermark + 1, last_number=watermark)
    for _ in range(MOST_PAGES):
        if not in_time():
            break
        first = walk.last_number + 1
        keys = [f"{project_key}-{number}" for number in range(first, first + PAGE)]
        control = [control_key] if control_key and first == walk.first_number and control_key not in keys else []
        page = _read(client, [*keys, *control, f"{project_key}-{_NO_NUMBER}"])
        unread = _unread(page, f"{project_key}-{_NO_NUMBER}")
        walk.last_number += PAGE
        walk.unread = walk.unread or unread
        walk.hits |= {issue["id"]: issue for issue in page["issues"] if carries(issue, tag)}
        walk.control_seen = walk.control_seen or any(issue["key"] == control_key for issue in page["issues"])
        there = [issue for issue in page["issues"] if issue["key"] != control_key or control_key in keys]
        if not there and not unread:
            walk.reached_end = True
            break
    if control_key and not walk.control_seen and in_time():
        # A moved issue answers under its new key, so it is only recognised when asked for alone.
        walk.control_moved = len(_read(client, [control_key])["issues"]) == 1
    return walk


def _read(client: JiraClient, keys: Sequence[str]) -> BulkIssues:
    return client.bulk_fetch(keys, fields=["labels"], properties=[PROPERTY])


def _unread(page: BulkIssues, impossible: str) -> bool:
    """Whether Jira failed to read a key, rather than found nothing there.

    By its documentation Jira lists only failures among the errors and passes over what does not exist. Some sites list
    both; then what does not exist is answered like the key that cannot exist, whatever the language.
    """
    errors = page["issueErrors"]
    absent = {error.get("errorMessage") for error in errors if error.get("id") == impossible}
    return any(error.get("errorMessage") not in absent for error in errors)
