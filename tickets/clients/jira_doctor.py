"""Checks the set-up against the real Jira: credentials, clock, and for each board its project, rights and screen."""

from collections.abc import Iterable, Iterator, Mapping

from django.conf import settings

from supporthub.core.doctor import Finding, Verdict
from supporthub.core.errors import AuthError, IntegrationError, NotFound, OutcomeUnknown, Rejected
from supporthub.integrations.jira.client import JiraClient
from supporthub.integrations.jira.reader import JiraReader
from tickets.choices import TrackerKind
from tickets.clients.jira_access import credentials_of, jira_client
from tickets.clients.jira_metadata import Screen, find_type, screen_of, unfilled
from tickets.models.boards import Board, Tracker

_CLOCK_TOLERANCE = 60.0
_WE_FILL = frozenset({"project", "issuetype", "summary", "description", "labels", "priority", "reporter"})

# What is lost without the permission; those of the first group stop every ticket of the board.
_NEEDED: Mapping[str, str] = {
    "BROWSE_PROJECTS": "the project cannot be seen",
    "CREATE_ISSUES": "no issue can be made",
}
_WANTED: Mapping[str, str] = {
    "EDIT_ISSUES": "labels cannot be corrected and duplicates not marked",
    "ADD_COMMENTS": "replies cannot be copied to Jira",
    "CREATE_ATTACHMENTS": "files stay in the hub only",
    "MODIFY_REPORTER": "issues show our account as their reporter, and name the requester in the text",
    "MANAGE_WATCHERS": "watchers stay in the hub only",
    "LINK_ISSUES": "duplicates are labelled but not linked",
    "USER_PICKER": "people are not found by their address, so our account is every issue's reporter",
}
_NAMES: Mapping[str, str] = {
    "BROWSE_PROJECTS": "Browse projects",
    "CREATE_ISSUES": "Create issues",
    "EDIT_ISSUES": "Edit issues",
    "ADD_COMMENTS": "Add comments",
    "CREATE_ATTACHMENTS": "Create attachments",
    "MODIFY_REPORTER": "Modify reporter",
    "MANAGE_WATCHERS": "Manage watchers",
    "LINK_ISSUES": "Link issues",
    "USER_PICKER": "Browse users and groups",
}
_FIELDS: Mapping[str, str] = {
    "labels": "an issue whose creation got no answer is then found by reading keys only",
    "reporter": "issues show our account as their reporter, and name the requester in the text",
    "priority": "issues get the project's default priority",
    "description": "issues hold no text, only a title",
}


def jira_findings() -> Iterable[Finding]:
    """Look at every Jira site in use and at the boards that go there. Talks to Jira; raises nothing it can find out."""
    trackers = list(Tracker.objects.filter(kind=TrackerKind.JIRA_CLOUD).order_by("name"))
    if not trackers:
        yield Finding("jira", Verdict.SKIPPED, "No tracker is a Jira site.")
    for tracker in trackers:
        yield from _tracker_findings(tracker)


def _tracker_findings(tracker: Tracker) -> Iterator[Finding]:
    check = f"jira: {tracker.slug}"
    try:
        yield from _account_findings(check, tracker)
        client = jira_client(tracker)
        client.myself()
        yield from _attachment_findings(check, client)
    except AuthError as error:
        fix = "Make an API token at id.atlassian.com for the account, and enter both in the admin or the settings."
        yield Finding(check, Verdict.BAD, f"{error.reason}.", fix)
        return
    except (IntegrationError, OutcomeUnknown) as error:
        fix = f"Check the address {tracker.base_url}, this server's way to it, and Jira's status page."
        yield Finding(check, Verdict.BAD, f"{error.reason}.", fix)
        return
    for board in Board.objects.filter(tracker=tracker, is_active=True):
        yield from board_findings(client, board)


def _account_findings(check: str, tracker: Tracker) -> Iterator[Finding]:
    who = credentials_of(tracker)
    reader = JiraReader(
        tracker.base_url.rstrip("/"), who.account, who.token,
        connect_timeout=settings.JIRA_CONNECT_TIMEOUT, read_timeout=settings.JIRA_READ_TIMEOUT,
    )  # fmt: skip
    info = reader.server_info()
    yield Finding(check, Verdict.GOOD, f"Jira accepts our credentials; we are “{reader.myself()}”.")
    if info.deployment != "Cloud":
        text = f"This is Jira '{info.deployment}'; the hub speaks to Jira Cloud."
        yield Finding(check, Verdict.BAD, text, "Use a Jira Cloud site.")
    skew = info.clock_ahead
    if skew is not None and abs(skew) > _CLOCK_TOLERANCE:
        text = f"Jira's clock and ours differ by {abs(skew):.0f} s; ours is {'behind' if skew > 0 else 'ahead'}."
        yield Finding(check, Verdict.WARNING, text, "Set this server's clock by NTP.")


def _attachment_findings(check: str, client: JiraClient) -> Iterator[Finding]:
    meta = client.attachment_meta()
    if not meta["enabled"]:
        yield Finding(check, Verdict.WARNING, "Jira takes no attachments: files stay in the hub only.",
                      "A Jira admin switches them on (System, Attachments).")  # fmt: skip
    elif meta["uploadLimit"] < settings.FILES.max_bytes:
        text = f"Jira takes files of at most {meta['uploadLimit'] / 1024**2:g} MB, less than ATTACHMENT_MAX_MB."
        yield Finding(check, Verdict.WARNING, text, "Raise Jira's limit, or lower ours: larger files stay in the hub.")


def board_findings(client: JiraClient, board: Board) -> Iterator[Finding]:
    """What stands in a board's way. One `good` finding when nothing does."""
    check = f"jira: board {board.slug}"
    found = list(_board_problems(client, board, check))
    if not any(finding.verdict is Verdict.BAD for finding in found):
        kind = board.issue_type or settings.JIRA_TICKET_TYPE
        yield Finding(check, Verdict.GOOD, f"Tickets can go to {board.project_key} as '{kind}'.")
    yield from found


def _board_problems(client: JiraClient, board: Board, check: str) -> Iterator[Finding]:
    project = board.project_key
    try:
        held = client.permissions(project, [*_NEEDED, *_WANTED])
    except (NotFound, Rejected):
        fix = "Correct the board's project, or give the account the permission 'Browse projects' there."
        yield Finding(check, Verdict.BAD, f"Jira has no project {project}, or hides it from our account.", fix)
        return
    except IntegrationError as error:
        yield Finding(check, Verdict.BAD, f"{error.reason}.", "Try again later.")
        return
    yield from _permission_problems(check, project, held)
    if not all(held[key] for key in _NEEDED):
        return
    try:
        yield from _screen_problems(client, board, check)
    except IntegrationError as error:
        yield Finding(check, Verdict.BAD, f"{error.reason}.", "Try again later.")


def _permission_problems(check: str, project: str, held: Mapping[str, bool]) -> Iterator[Finding]:
    for key, loss in (*_NEEDED.items(), *_WANTED.items()):
        if not held[key]:
            verdict = Verdict.BAD if key in _NEEDED else Verdict.WARNING
            place = "globally" if key == "USER_PICKER" else f"in {project}'s permission scheme"
            fix = f"A Jira admin grants our account '{_NAMES[key]}' {place}."
            yield Finding(check, verdict, f"Our account lacks '{_NAMES[key]}' in {project}: {loss}.", fix)


def _screen_problems(client: JiraClient, board: Board, check: str) -> Iterator[Finding]:
    wanted = board.issue_type or settings.JIRA_TICKET_TYPE
    types = client.issue_types(board.project_key)
    kind = find_type(types, wanted)
    if kind is None:
        offered = ", ".join(f"'{item['name']}'" for item in types if not item.get("subtask"))
        fix = f"Choose one of {offered} for the board." if offered else "A Jira admin gives the project an issue type."
        yield Finding(check, Verdict.BAD, f"{board.project_key} has no issue type '{wanted}'.", fix)
        return
    screen: Screen = screen_of(kind["id"], client.fields(board.project_key, kind["id"]))
    for field, loss in _FIELDS.items():
        if not screen.shows(field):
            fix = f"A Jira admin puts the field on the create screen of '{wanted}' in {board.project_key}."
            yield Finding(check, Verdict.WARNING, f"The field '{field}' cannot be set at creation: {loss}.", fix)
    for name in unfilled(screen, _WE_FILL):
        fix = "A Jira admin makes it optional, gives it a default, or takes it off the create screen."
        text = f"{board.project_key} requires the field '{name}', which the hub does not fill: Jira will refuse."
        yield Finding(check, Verdict.BAD, text, fix)
