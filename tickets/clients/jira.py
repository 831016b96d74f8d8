"""Jira Cloud as the hub's issue tracker: translates between `tickets.ports` and Jira's REST API."""

import time
from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import urlsplit

import structlog
from django.conf import settings

from supporthub.core.errors import AuthError, IntegrationError, NotFound, OutcomeUnknown, Rejected, TransientError
from supporthub.integrations.jira import jql
from supporthub.integrations.jira.client import JiraClient
from supporthub.integrations.jira.schemas import CreatedIssue, Issue
from tickets.clients.jira_access import jira_client
from tickets.clients.jira_cache import Memory, memory
from tickets.clients.jira_files import Files
from tickets.clients.jira_issue import (
    MOST_POSTS,
    PROPERTY,
    Plan,
    explained,
    first_plan,
    labels_of,
    payload,
    without_refused,
)
from tickets.clients.jira_metadata import Metadata, find_priority, unknown_project
from tickets.clients.jira_people import People
from tickets.clients.jira_search import Look, Walk, age, carries, look_for
from tickets.models.boards import Tracker
from tickets.ports import (
    Adjustment,
    Created,
    FileFinding,
    Finding,
    Found,
    IssueDraft,
    IssueRef,
    Missing,
    OutgoingFile,
)

logger = structlog.get_logger(__name__)

DUPLICATE_LABEL = "duplicate"
_DUPLICATE_LINK = "Duplicate"
_GATEWAY = "api.atlassian.com"
_OLDER_ONES = 50
_SITE_KNOWN_FOR = 24 * 3600.0


def jira_tracker(tracker: Tracker) -> "JiraTracker":
    """The adapter for a tracker's row. Raises AuthError when there are no credentials for it."""
    return JiraTracker(
        jira_client(tracker),
        memory,
        patience=settings.JIRA_READ_TIMEOUT * settings.DELIVERY_TIME_SCALE,
        default_type=settings.JIRA_TICKET_TYPE,
        upload_patience=settings.JIRA_UPLOAD_TIMEOUT * settings.DELIVERY_TIME_SCALE,
    )


class JiraTracker:
    """Implements `tickets.ports.IssueTracker`; made for one call.

    `patience`: seconds after which a call begins no further request, so that it ends within its delivery's lease.
    `upload_patience`: seconds that the sending of one file may take on top of that.
    """

    def __init__(
        self, client: JiraClient, remembered: Memory, *, patience: float, default_type: str,
        upload_patience: float = 300.0,
    ) -> None:  # fmt: skip
        self._client = client
        self._memory = remembered
        self._metadata = Metadata(client, remembered)
        self._people = People(client, remembered)
        self._files = Files(client, remembered, patience=upload_patience)
        self._default_type = default_type
        self._patience = patience
        self._until = time.monotonic() + patience

    # -- making

    def create_issue(self, draft: IssueDraft) -> Created:
        """Create once: one request when project and reporter are known already, up to three more to learn them.

        Jira's refusal of a field that the issue can do without is answered by leaving it out (a 400 made nothing), with
        at most four POSTs in all.
        """
        self._begin()
        plan = self._plan(draft)
        for _ in range(MOST_POSTS):
            try:
                made = self._client.create_issue(payload(plan))
            except (Rejected, NotFound) as refusal:
                plan = self._after(refusal, plan)
            else:
                return Created(self._ref(made), self._labelled_later(made, plan))
        raise Rejected("Jira went on refusing parts of the issue", code="field_refused")

    def _plan(self, draft: IssueDraft) -> Plan:
        screen = self._metadata.screen(draft.project_key, draft.issue_type or self._default_type)
        self._hurry()
        match = self._people.find(draft.reporter_email)
        self._hurry()
        reporter = match.for_project(screen.project_type)
        return first_plan(draft, screen, reporter, find_priority(screen, draft.priority))

    def _after(self, refusal: Rejected | NotFound, plan: Plan) -> Plan:
        """The plan to try next; raises when the refusal is final."""
        self._metadata.forget(plan.draft.project_key, plan.screen.type_id)
        if isinstance(refusal, NotFound):
            raise unknown_project(plan.draft.project_key) from refusal
        lighter = without_refused(plan, refusal)
        if lighter is None:
            raise explained(refusal, plan) from refusal
        self._hurry()
        return lighter

    def _labelled_later(self, made: CreatedIssue, plan: Plan) -> tuple[Adjustment, ...]:
        """Put labels on that the create screen lacks. The issue exists by now, so nothing here may fail the call."""
        if plan.labels or not self._in_time():
            return plan.adjustments
        try:
            self._client.add_labels(made["id"], labels_of(plan.draft))
        except (IntegrationError, OutcomeUnknown) as error:
            logger.warning("jira.labels_refused", issue=made["key"], code=error.code)
            return plan.adjustments
        return tuple(item for item in plan.adjustments if item.field != "labels")

    # -- finding

    def find_issue(
        self, *, tag: str, project_key: str, watermark: int, control_key: str, since: date | None = None
    ) -> Finding:
        """Look by search and by reading keys; see `tickets.clients.jira_search`.

        Raises AuthError when our credentials do not count, because then an empty answer would mean nothing.
        """
        self._begin()
        self._client.myself()
        self._hurry()
        if not watermark and since is not None:
            watermark = self._number_before(project_key, since)
            self._hurry()
        look = look_for(
            self._client, tag=tag, project_key=project_key, watermark=watermark, control_key=control_key,
            in_time=self._in_time,
        )  # fmt: skip
        if look.hits:
            first, *others = (self._ref(issue) for issue in look.hits)
            return Found(first, tuple(others))
        return self._judged(look, project_key, control_key)

    def _judged(self, look: Look, project_key: str, control_key: str) -> Missing:
        walk = look.walk
        if walk is None:
            return Missing(conclusive=False, reason="Jira's search shows nothing yet, and reading by key failed.")
        if walk.last_number < walk.first_number:
            return Missing(conclusive=False, reason="Jira answers too slowly: there was no time to read by key.")
        last = f"{project_key}-{walk.last_number}"
        read = f"Read {project_key}-{walk.first_number} to {last}" + (
            " and searched" if look.searched else "; the search failed"
        )
        doubt = self._doubt(walk, project_key, control_key)
        if doubt:
            return Missing(conclusive=False, reason=f"{read}: not found, but {doubt}.")
        proof = f"the known issue {control_key} was seen" if walk.control_seen else "our account may read the project"
        return Missing(conclusive=True, reason=f"{read}: not there, and {proof}.")

    def _doubt(self, walk: Walk, project_key: str, control_key: str) -> str:
        """Why the walk proves nothing; empty when it does."""
        if walk.unread:
            return "Jira could not read some of these keys"
        if not walk.reached_end:
            return "there are more issues than one look can read"
        if not self._in_time():
            return "there was no time to see what that is worth"
        if walk.control_seen:
            return ""
        if control_key and not walk.control_moved:
            return f"the known issue {control_key} was not seen either"
        return self._unreadable(project_key)

    def _unreadable(self, project_key: str) -> str:
        """Why it is not certain that we may read the project; empty when Jira says so."""
        try:
            visible = self._client.permissions(project_key, ["BROWSE_PROJECTS"])["BROWSE_PROJECTS"]
        except IntegrationError as error:
            return f"it is not certain that we may read the project ({error.reason})"
        return "" if visible else f"our account may not read the project {project_key}"

    def newest_number(self, *, project_key: str) -> int:
        """See the port. A project that may not be seen counts as empty: creating will say what is wrong with it."""
        self._begin()
        try:
            newest = self._client.search(jql.newest(project_key), fields=["key"], most=1)
        except Rejected:
            return 0
        return max((self._ref(issue).number for issue in newest), default=0)

    def _number_before(self, project_key: str, day: date) -> int:
        """A number below those of all issues made on `day` or later, as high as can be told; 0 when none is older.

        By the index, which has known old issues for long. The lowest of many counts: an issue that was moved here
        afterwards has a high number, however old it is.
        """
        try:
            older = self._client.search(jql.made_before(project_key, day), fields=["key"], most=_OLDER_ONES)
        except (Rejected, TransientError):
            return 0
        return min((self._ref(issue).number for issue in older), default=0)

    def find_tagged(self, *, project_key: str, tags: Sequence[str]) -> Mapping[str, tuple[IssueRef, ...]]:
        """See the port. Labels are copied when an issue is cloned; the property is what counts."""
        self._begin()
        hits = self._client.search(jql.labelled_any(project_key, tags), fields=["key"], properties=[PROPERTY])
        return {tag: tuple(self._ref(issue) for issue in sorted(hits, key=age) if carries(issue, tag)) for tag in tags}

    # -- changing

    def add_watcher(self, *, issue_id: str, email: str) -> bool:
        """Add a watcher. False when no licensed account shows this address; customers of a portal cannot watch."""
        self._begin()
        person = self._people.find(email).member
        if not person:
            return False
        self._hurry()
        try:
            self._client.add_watcher(issue_id, person)
        except AuthError as error:
            raise self._lacking("Manage watchers", error) from error
        return True

    def mark_duplicates(self, ref: IssueRef, duplicates: tuple[IssueRef, ...]) -> None:
        """Label each duplicate and link it to `ref`. One of the two is enough: screens and link types vary."""
        self._begin()
        for duplicate in duplicates:
            self._hurry()
            refused: Rejected | NotFound | None = None
            try:
                self._client.add_labels(duplicate.issue_id, [DUPLICATE_LABEL])
            except (Rejected, NotFound) as error:
                refused = error
            try:
                self._link(duplicate, ref)
            except (Rejected, NotFound) as error:
                logger.warning("jira.link_refused", issue=duplicate.key, code=error.code)
                if refused is not None:
                    raise

    # -- files

    def add_file(self, *, issue_id: str, file: OutgoingFile) -> str:
        """See the port. One request when the site's limits are known, one more to learn them."""
        self._begin()
        self._files.demand_fit(file)
        self._hurry()
        return self._files.add(issue_id, file)

    def find_file(self, *, issue_id: str, marker: str, size: int) -> FileFinding:
        """See the port."""
        self._begin()
        return self._files.find(issue_id, marker=marker, size=size)

    def _link(self, duplicate: IssueRef, ref: IssueRef) -> None:
        try:
            self._client.create_link(link_type=_DUPLICATE_LINK, source=duplicate.key, target=ref.key)
        except AuthError as error:
            raise self._lacking("Link issues", error) from error

    def _lacking(self, permission: str, error: AuthError) -> Rejected:
        """For calls that Jira answers with 401 also when a permission is missing; our identity tells which it was.

        Raises AuthError when our credentials really do not count.
        """
        self._client.myself()
        text = f"Our Jira account lacks the permission '{permission}' in this project; a Jira admin can grant it."
        return Rejected(text, code="forbidden", detail=error.detail, status=error.status)

    # -- small things

    def _begin(self) -> None:
        self._until = time.monotonic() + self._patience

    def _in_time(self) -> bool:
        return time.monotonic() < self._until

    def _hurry(self) -> None:
        """Raise TransientError when no further request may begin."""
        if not self._in_time():
            raise TransientError("Jira answers too slowly to finish this in one go", code="too_slow")

    def _ref(self, issue: Issue | CreatedIssue) -> IssueRef:
        key = issue["key"]
        number = key.rpartition("-")[2]
        return IssueRef(issue["id"], key, int(number) if number.isdigit() else 0, f"{self._site()}/browse/{key}")

    def _site(self) -> str:
        """The address for people. A scoped token talks to a gateway, which cannot be browsed."""
        base = self._client.base_url
        if urlsplit(base).hostname != _GATEWAY:
            return base
        try:
            return str(self._memory.recall(("site", base), self._ask_site))
        except IntegrationError:
            return base

    def _ask_site(self) -> tuple[str, float]:
        self._hurry()
        return self._client.site_url(), _SITE_KNOWN_FOR
