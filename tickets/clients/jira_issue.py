"""What is sent to make an issue, and what is left out when Jira refuses a part of it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from html import escape
from typing import assert_never

from supporthub.core.errors import Rejected
from supporthub.core.text import clean_text, one_line, safe_link
from supporthub.integrations.jira.adf import Doc, from_html, from_text
from supporthub.integrations.jira.schemas import CreateIssue, IssueFields
from tickets.clients.jira_metadata import Screen, may_not_create, unknown_project
from tickets.ports import Adjustment, IssueDraft

PROPERTY = "supporthub"
MOST_POSTS = 4
_SUMMARY = 255
_LABEL = 255
_BODY = 28_000  # of the 30,000 that Jira takes safely; the rest is for the first and the last line
_LINE = 900
_WHITE = re.compile(r"\s+")
_TRIED_WITHOUT = frozenset({"reporter", "priority", "labels", "description"})


class Body(StrEnum):
    """How the description is sent."""

    RICH = "rich"
    PLAIN = "plain"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Plan:
    """An issue to be made in a project as it is: what is set, and what was given up on the way."""

    draft: IssueDraft
    screen: Screen
    reporter: str
    priority: str
    labels: bool = True
    body: Body = Body.RICH
    adjustments: tuple[Adjustment, ...] = ()

    def adjusted(self, field: str, reason: str) -> "Plan":
        return replace(self, adjustments=(*self.adjustments, Adjustment(field, reason)))


def first_plan(draft: IssueDraft, screen: Screen, reporter: str, priority: str) -> Plan:
    """The plan before Jira was asked: without what the create screen does not show anyway."""
    plan = Plan(draft, screen, reporter=reporter, priority=priority)
    reason = "the project's create screen does not show this field to our account"
    if reporter and not screen.shows("reporter"):
        plan = replace(plan, reporter="").adjusted("reporter", reason)
    if not screen.shows("labels"):
        plan = replace(plan, labels=False).adjusted("labels", reason)
    if not screen.shows("description"):
        plan = replace(plan, body=Body.NONE).adjusted("description", reason)
    if not screen.shows("priority"):
        return replace(plan, priority="").adjusted("priority", reason)
    if not priority and screen.known:
        return plan.adjusted("priority", f"the project has no priority that stands for '{draft.priority}'")
    return plan


def without_refused(plan: Plan, refusal: Rejected) -> Plan | None:
    """The next plan after a refusal that made nothing; None when nothing that may be left out was refused.

    Decided by status and field ids only: Jira's texts come in the language of the account.
    """
    named = set(refusal.fields)
    if refusal.status not in (400, 413) or not named <= _TRIED_WITHOUT:
        return None
    changed = plan
    for field in sorted(named or {"description"}):  # a broken document is refused without naming its field
        lighter = _without(changed, field, refusal.fields)
        if lighter is None:
            return None
        changed = lighter
    return changed


def _without(plan: Plan, field: str, words: Mapping[str, str]) -> Plan | None:
    said = f"Jira refused it: “{one_line(words[field], 160)}”" if words.get(field, "").strip() else "Jira refused it"
    match field:
        case "reporter" if plan.reporter:
            return replace(plan, reporter="").adjusted(field, said)
        case "priority" if plan.priority:
            return replace(plan, priority="").adjusted(field, said)
        case "labels" if plan.labels:
            return replace(plan, labels=False).adjusted(field, said)
        case "description" if plan.body == Body.RICH:
            return replace(plan, body=Body.PLAIN).adjusted(field, f"sent as plain text; {said}")
        case "description" if plan.body == Body.PLAIN:
            return replace(plan, body=Body.NONE).adjusted(field, said)
    return None


def explained(refusal: Rejected, plan: Plan) -> Rejected:
    """The refusal in words that name the fix, for the person who finds the ticket parked."""
    project, screen = plan.draft.project_key, plan.screen
    names = [name for name in refusal.fields if name not in _TRIED_WITHOUT] or list(refusal.fields)
    if refusal.code == "forbidden":
        return may_not_create(project)
    if "project" in names:
        return unknown_project(project)
    if "issuetype" in names:
        text = f"Jira's project {project} does not take the issue type '{plan.draft.issue_type}'. Correct the board."
        code = "issue_type_unknown"
    elif names:
        listed = ", ".join(f"'{one_line(screen.name_of(name), 60)}'" for name in names[:5])
        noun, it = ("the fields", "them") if len(names) > 1 else ("the field", "it")
        said = one_line(" ".join(refusal.fields[name] for name in names), 160)
        text = (
            f"Jira's project {project} needs {noun} {listed}; a Jira admin can make {it} optional, give {it} a default,"
            f" or take {it} off the create screen. Jira said: “{said}”"
        )
        code = "field_refused"
    else:
        text, code = refusal.reason, refusal.code
    return Rejected(text, code=code, detail=refusal.detail, status=refusal.status, fields=refusal.fields)


def payload(plan: Plan) -> CreateIssue:
    """The body of the create call. The property proves that the issue is ours; the label makes it findable."""
    draft, screen = plan.draft, plan.screen
    fields: IssueFields = {
        "project": {"id": screen.project_id} if screen.project_id else {"key": draft.project_key},
        "issuetype": {"id": screen.type_id},
        "summary": one_line(draft.title, _SUMMARY) or "(no subject)",
    }
    document = description(draft, plan.body, name_requester=not plan.reporter)
    if document is not None:
        fields["description"] = document
    if plan.labels:
        fields["labels"] = labels_of(draft)
    if plan.priority:
        fields["priority"] = {"id": plan.priority}
    if plan.reporter:
        fields["reporter"] = {"id": plan.reporter}
    # Anybody who sees the issue can read its properties: no address, no secret.
    proof = {"tag": draft.tag, "ticket": draft.ticket_key}
    return {"fields": fields, "properties": [{"key": PROPERTY, "value": proof}]}


def labels_of(draft: IssueDraft) -> list[str]:
    """The draft's labels in the form that Jira takes (no white space, at most 255 characters), and the tag."""
    wished = (_WHITE.sub("-", one_line(label, _LABEL)) for label in draft.labels)
    return list(dict.fromkeys((*filter(None, wished), draft.tag)))


def description(draft: IssueDraft, body: Body, *, name_requester: bool) -> Doc | None:
    """Who asked (when the issue cannot say it itself), what they wrote, and the way back to our ticket."""
    who = _requester(draft) if name_requester else ""
    match body:
        case Body.NONE:
            return None
        case Body.PLAIN:
            head = from_text(who, limit=_LINE)
            middle = from_text(draft.text, limit=_BODY)
            tail = from_text(f"{draft.ticket_key}: {draft.link}", limit=_LINE)
        case Body.RICH:
            head = from_html(f"<p>{escape(who)}</p>" if who else "", limit=_LINE)
            middle = from_html(draft.html, limit=_BODY)
            tail = from_html(_way_back(draft), limit=_LINE)
        case _:
            assert_never(body)
    return {"version": 1, "type": "doc", "content": [*head["content"], *middle["content"], *tail["content"]]}


def _requester(draft: IssueDraft) -> str:
    name, email = one_line(draft.reporter_name, 120), one_line(draft.reporter_email, 254)
    if not (name or email):
        return ""
    who = f"{name} <{email}>" if name and email else name or email
    return clean_text(f"Requested by {who}")


def _way_back(draft: IssueDraft) -> str:
    key = escape(draft.ticket_key)
    link = safe_link(draft.link)
    return f'<p><a href="{escape(link)}">{key}</a></p>' if link else f"<p>{key}</p>"
