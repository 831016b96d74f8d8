"""Shapes of Jira Cloud's REST API v3, as far as the hub sends or reads them.

Members that Jira may leave out are `NotRequired`; unknown ones are ignored. From Atlassian's OpenAPI document.
"""

from typing import Any, NotRequired, TypedDict

from supporthub.integrations.jira.adf import Doc


class Id(TypedDict):
    id: str


class ProjectRef(TypedDict):
    id: NotRequired[str]
    key: NotRequired[str]


class IssueFields(TypedDict):
    """What a create call sets."""

    project: ProjectRef
    issuetype: Id
    summary: str
    description: NotRequired[Doc]
    labels: NotRequired[list[str]]
    priority: NotRequired[Id]
    reporter: NotRequired[Id]


class EntityProperty(TypedDict):
    key: str
    value: Any


class CreateIssue(TypedDict):
    """Body of `POST /issue`."""

    fields: IssueFields
    properties: list[EntityProperty]


class CreatedIssue(TypedDict):
    id: str
    key: str


class Issue(TypedDict):
    """An issue as search, bulk fetch and GET give it, with the fields and properties that were asked for."""

    id: str
    key: str
    fields: NotRequired[dict[str, Any]]
    properties: NotRequired[dict[str, Any]]


class IssueError(TypedDict):
    """Why one issue of a bulk fetch could not be given."""

    id: NotRequired[str]
    errorMessage: NotRequired[str]


class BulkIssues(TypedDict):
    issues: list[Issue]
    issueErrors: list[IssueError]


class User(TypedDict):
    """`emailAddress` is missing or empty when the person's privacy settings hide it."""

    accountId: str
    accountType: NotRequired[str]
    active: NotRequired[bool]
    displayName: NotRequired[str]
    emailAddress: NotRequired[str | None]


class IssueType(TypedDict):
    id: str
    name: str
    subtask: NotRequired[bool]


class CreateField(TypedDict):
    """A field on a project's create screen. `allowedValues` of `project` tells the project's type."""

    fieldId: str
    name: NotRequired[str]
    required: NotRequired[bool]
    hasDefaultValue: NotRequired[bool]
    allowedValues: NotRequired[list[dict[str, Any]]]


class Priority(TypedDict):
    id: str
    name: str
    isDefault: NotRequired[bool]


class AttachmentMeta(TypedDict):
    """`uploadLimit` in bytes."""

    enabled: bool
    uploadLimit: int
