"""What a Jira project allows: its issue types, the fields on the create screen, its priorities. Remembered a while."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from supporthub.core.errors import NotFound, Rejected
from supporthub.integrations.jira.client import JiraClient
from supporthub.integrations.jira.schemas import CreateField, IssueType
from tickets.clients.jira_cache import Memory

_T = TypeVar("_T")
_KEEP = 15 * 60.0

# Jira's own names of its default scheme, and the order of its ids, which a translated scheme keeps.
_PRIORITY_NAMES: Mapping[str, tuple[str, ...]] = {
    "low": ("low", "minor", "niedrig", "gering"),
    "normal": ("medium", "normal", "major", "mittel"),
    "high": ("high", "critical", "hoch"),
    "urgent": ("highest", "urgent", "blocker", "höchste", "dringend"),
}
_PRIORITY_IDS: Mapping[str, str] = {"urgent": "1", "high": "2", "normal": "3", "low": "4"}


@dataclass(frozen=True, slots=True)
class Screen:
    """The create screen of one issue type in one project. `known` is False when Jira showed no fields at all."""

    project_id: str
    project_type: str
    type_id: str
    fields: Mapping[str, CreateField]

    @property
    def known(self) -> bool:
        return bool(self.fields)

    def shows(self, field_id: str) -> bool:
        """Whether the field can be set; without knowledge it is tried."""
        return not self.known or field_id in self.fields

    def name_of(self, field_id: str) -> str:
        return (self.fields[field_id].get("name") if field_id in self.fields else "") or field_id


def find_type(types: Sequence[IssueType], wanted: str) -> IssueType | None:
    """The issue type with this id, or else with this name (ignoring case); never a sub-task, which needs a parent."""
    usable = [kind for kind in types if not kind.get("subtask")]
    name = wanted.strip().casefold()
    by_id = (kind for kind in usable if kind["id"] == wanted.strip())
    return next(by_id, next((kind for kind in usable if kind["name"].casefold() == name), None))


def find_priority(screen: Screen, ours: str) -> str:
    """The id of the project's priority for one of ours; empty when the screen offers none that fits."""
    allowed = screen.fields["priority"].get("allowedValues", []) if "priority" in screen.fields else []
    names = {str(value.get("name", "")).casefold(): str(value.get("id", "")) for value in allowed}
    for name in _PRIORITY_NAMES.get(ours, ()):
        if name in names:
            return names[name]
    default = _PRIORITY_IDS.get(ours, "")
    return default if default in names.values() else ""


def unfilled(screen: Screen, filled: frozenset[str]) -> list[str]:
    """Names of fields that the project requires and that nobody fills."""
    return [
        screen.name_of(name)
        for name, field in screen.fields.items()
        if field.get("required") and not field.get("hasDefaultValue") and name not in filled
    ]


class Metadata:
    """Screens by project and issue type, asked for once in a while."""

    def __init__(self, client: JiraClient, memory: Memory) -> None:
        self._client = client
        self._memory = memory

    def screen(self, project_key: str, issue_type: str) -> Screen:
        """The create screen. Raises Rejected, with the fix, for a project or issue type that cannot be used."""
        types: list[IssueType] = self._memory.recall(
            self._types_key(project_key), lambda: _keep(self._types(project_key))
        )
        if not types:
            raise self._closed_project(project_key)
        kind = find_type(types, issue_type)
        if kind is None:
            self._memory.forget(self._types_key(project_key))
            offered = ", ".join(f"'{kind['name']}'" for kind in types[:8] if not kind.get("subtask"))
            raise Rejected(
                f"Jira's project {project_key} has no issue type '{issue_type}'; it has {offered}. Correct the board.",
                code="issue_type_unknown",
            )
        fields: list[CreateField] = self._memory.recall(
            self._fields_key(project_key, kind["id"]), lambda: _keep(self._client.fields(project_key, kind["id"]))
        )
        return screen_of(kind["id"], fields)

    def _types(self, project_key: str) -> list[IssueType]:
        try:
            return self._client.issue_types(project_key)
        except NotFound:
            return []

    def forget(self, project_key: str, type_id: str) -> None:
        """Jira contradicted what is remembered: ask again next time."""
        self._memory.forget(self._types_key(project_key))
        self._memory.forget(self._fields_key(project_key, type_id))

    def _types_key(self, project_key: str) -> tuple[str, ...]:
        return "types", self._client.base_url, project_key

    def _fields_key(self, project_key: str, type_id: str) -> tuple[str, ...]:
        return "fields", self._client.base_url, project_key, type_id

    def _closed_project(self, project_key: str) -> Rejected:
        """An empty list of types has several causes; ask which, so that the reason names the right one."""
        try:
            may_create = self._client.permissions(project_key, ["CREATE_ISSUES"])["CREATE_ISSUES"]
        except (NotFound, Rejected):
            return unknown_project(project_key)
        if may_create:
            text = f"Jira's project {project_key} offers no issue type; a Jira admin must give it one."
            return Rejected(text, code="issue_type_unknown")
        return may_not_create(project_key)


def unknown_project(project_key: str) -> Rejected:
    text = f"Jira has no project {project_key}, or hides it from our account. Correct the board, or give the account"
    return Rejected(f"{text} the permission 'Browse projects' there.", code="project_unknown")


def may_not_create(project_key: str) -> Rejected:
    text = f"Our Jira account lacks the permission 'Create issues' in the project {project_key}"
    return Rejected(f"{text}; a Jira admin can grant it.", code="forbidden", status=403)


def _keep(values: list[_T]) -> tuple[list[_T], float]:
    """What is empty is not remembered: it is how Jira shows a missing permission, which somebody may be mending."""
    return values, _KEEP if values else 0.0


def screen_of(type_id: str, fields: Sequence[CreateField]) -> Screen:
    """The screen that `createmeta` describes. The project's id and type are those of its only allowed value."""
    by_id = {field["fieldId"]: field for field in fields}
    offered = by_id["project"].get("allowedValues", []) if "project" in by_id else []
    project = offered[0] if len(offered) == 1 else {}
    return Screen(str(project.get("id", "")), str(project.get("projectTypeKey", "")), type_id, by_id)
