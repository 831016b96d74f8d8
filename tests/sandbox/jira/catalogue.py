"""What an administrator has set up: issue types, priorities, statuses, workflows, link types, fields, permissions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class IssueType:
    """An issue type; a sub-task needs a parent."""

    id: str
    name: str
    description: str
    subtask: bool = False


@dataclass(frozen=True, slots=True)
class Priority:
    """A priority of the one scheme all projects use."""

    id: str
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Status:
    """A status; ``category`` is one of the keys ``new``, ``indeterminate``, ``done``."""

    id: str
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class Transition:
    """A step of a workflow; ``sources`` empty means from every status but its own target."""

    id: str
    name: str
    to: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkType:
    """A kind of link between two issues."""

    id: str
    name: str
    inward: str
    outward: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field on the create and edit screens. ``schema`` is what metadata calls show."""

    id: str
    name: str
    schema: Mapping[str, Any]
    required: bool = False
    has_default: bool = False
    operations: tuple[str, ...] = ("set",)
    rich: bool = False


TASK, BUG, SERVICE, SUBTASK = "10001", "10002", "10003", "10004"
ISSUE_TYPES = {
    kind.id: kind
    for kind in (
        IssueType(TASK, "Task", "A small, distinct piece of work."),
        IssueType(BUG, "Bug", "A problem or error."),
        IssueType(SERVICE, "Service Request", "Somebody asks for help."),
        IssueType(SUBTASK, "Subtask", "A part of a larger task.", subtask=True),
    )
}
PRIORITIES = {
    priority.id: priority
    for priority in (
        Priority("1", "Highest", "#d04437"),
        Priority("2", "High", "#f15c75"),
        Priority("3", "Medium", "#f79232"),
        Priority("4", "Low", "#707070"),
        Priority("5", "Lowest", "#999999"),
    )
}
DEFAULT_PRIORITY = "3"
TODO, IN_PROGRESS, DONE = "10000", "3", "10002"
STATUSES = {
    status.id: status
    for status in (
        Status(TODO, "To Do", "new"),
        Status(IN_PROGRESS, "In Progress", "indeterminate"),
        Status(DONE, "Done", "done"),
    )
}
CATEGORIES: Mapping[str, tuple[int, str, str]] = {
    "new": (2, "To Do", "blue-gray"),
    "indeterminate": (4, "In Progress", "yellow"),
    "done": (3, "Done", "green"),
}
WORKFLOWS: Mapping[str, tuple[Transition, ...]] = {
    "simple": (
        Transition("11", "To Do", TODO),
        Transition("21", "In Progress", IN_PROGRESS),
        Transition("31", "Done", DONE),
    ),
    "strict": (
        Transition("41", "Start work", IN_PROGRESS, (TODO,)),
        Transition("51", "Resolve", DONE, (IN_PROGRESS,)),
        Transition("61", "Reject", DONE, (TODO,)),
        Transition("71", "Reopen", TODO, (DONE, IN_PROGRESS)),
    ),
}
RESOLUTIONS = {"10000": "Done", "10001": "Won't Do", "10002": "Duplicate"}
LINK_TYPES = {
    kind.id: kind
    for kind in (
        LinkType("10000", "Blocks", "is blocked by", "blocks"),
        LinkType("10001", "Cloners", "is cloned by", "clones"),
        LinkType("10002", "Duplicate", "is duplicated by", "duplicates"),
        LinkType("10003", "Relates", "relates to", "relates to"),
    )
}
_CUSTOM = "com.atlassian.jira.plugin.system.customfieldtypes"
FIELDS = {
    field.id: field
    for field in (
        Field("summary", "Summary", {"type": "string", "system": "summary"}, required=True),
        Field("issuetype", "Issue Type", {"type": "issuetype", "system": "issuetype"}, required=True, operations=()),
        Field("project", "Project", {"type": "project", "system": "project"}, required=True),
        Field("description", "Description", {"type": "doc", "system": "description"}, rich=True),
        Field("environment", "Environment", {"type": "doc", "system": "environment"}, rich=True),
        Field(
            "labels",
            "Labels",
            {"type": "array", "items": "string", "system": "labels"},
            operations=("add", "set", "remove"),
        ),
        Field("priority", "Priority", {"type": "priority", "system": "priority"}, has_default=True),
        Field("reporter", "Reporter", {"type": "user", "system": "reporter"}, required=True, has_default=True),
        Field("assignee", "Assignee", {"type": "user", "system": "assignee"}),
        Field("parent", "Parent", {"type": "issuelink", "system": "parent"}),
        Field("duedate", "Due date", {"type": "date", "system": "duedate"}),
        Field(
            "customfield_10050",
            "External reference",
            {"type": "string", "custom": f"{_CUSTOM}:textfield", "customId": 10050},
        ),
        Field(
            "customfield_10051",
            "Notes",
            {"type": "doc", "custom": f"{_CUSTOM}:textarea", "customId": 10051},
            rich=True,
        ),
        Field("customfield_10052", "Impact", {"type": "number", "custom": f"{_CUSTOM}:float", "customId": 10052}),
        Field("customfield_10053", "Channel", {"type": "option", "custom": f"{_CUSTOM}:select", "customId": 10053}),
    )
}
CHANNELS = {"10100": "Mail", "10101": "Phone", "10102": "Web"}

_PERMISSIONS = """
ADMINISTER ADMINISTER_PROJECTS SYSTEM_ADMIN USER_PICKER BULK_CHANGE CREATE_SHARED_OBJECTS
MANAGE_GROUP_FILTER_SUBSCRIPTIONS BROWSE_PROJECTS VIEW_DEV_TOOLS VIEW_READONLY_WORKFLOW SERVICEDESK_AGENT
MANAGE_SPRINTS_PERMISSION CREATE_PROJECT ASSIGNABLE_USER ASSIGN_ISSUES CLOSE_ISSUES CREATE_ISSUES
DELETE_ISSUES EDIT_ISSUES LINK_ISSUES MODIFY_REPORTER MOVE_ISSUES RESOLVE_ISSUES SCHEDULE_ISSUES
SET_ISSUE_SECURITY TRANSITION_ISSUES MANAGE_WATCHERS VIEW_VOTERS_AND_WATCHERS ADD_COMMENTS DELETE_ALL_COMMENTS
DELETE_OWN_COMMENTS EDIT_ALL_COMMENTS EDIT_OWN_COMMENTS CREATE_ATTACHMENTS DELETE_ALL_ATTACHMENTS
DELETE_OWN_ATTACHMENTS DELETE_ALL_WORKLOGS DELETE_OWN_WORKLOGS EDIT_ALL_WORKLOGS EDIT_OWN_WORKLOGS
WORK_ON_ISSUES UNARCHIVE_ISSUES ARCHIVE_ISSUES
"""
PERMISSIONS = tuple(_PERMISSIONS.split())
GLOBAL_PERMISSIONS = frozenset(PERMISSIONS[:7]) | {"CREATE_PROJECT"}
NEVER_GRANTED = frozenset({"ADMINISTER", "SYSTEM_ADMIN", "ADMINISTER_PROJECTS", "CREATE_PROJECT"})
"""The hub's account is an ordinary member, no administrator."""


def open_transitions(workflow: str, status_id: str) -> list[Transition]:
    """The steps that lead out of a status."""
    steps = WORKFLOWS[workflow]
    return [step for step in steps if (status_id in step.sources if step.sources else step.to != status_id)]
