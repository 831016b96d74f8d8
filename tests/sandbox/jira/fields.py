"""Reading the field values of a create or edit request as strictly as Jira does. Writes nothing."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.sandbox.exchange import Call
from tests.sandbox.jira.adf import TEXT_LIMIT, converted_length, problems
from tests.sandbox.jira.catalogue import CHANNELS, FIELDS, ISSUE_TYPES, PRIORITIES
from tests.sandbox.jira.errors import NOT_A_DOCUMENT, TOO_LONG, bad_fields, bad_request, not_on_screen
from tests.sandbox.jira.projects import is_required, on_screen
from tests.sandbox.jira.site import Site

SUMMARY_LIMIT = 255
LABEL_LIMIT = 255
PROPERTY_KEY_LIMIT = 255
PROPERTY_LIMIT = 32_768
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class FieldProblemError(Exception):
    """The text that stands under a field's id in the refusal."""


class WholeRequestError(Exception):
    """A refusal that names no field: Jira's ``INVALID_INPUT`` for a broken document."""


@dataclass(slots=True)
class Change:
    """Checked values. ``columns`` belong to the issue's row, ``extra`` to its JSON of rarer fields."""

    columns: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    labels: list[str] | None = None
    comments: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a field's check may look at."""

    site: Site
    call: Call
    project: sqlite3.Row
    creating: bool
    labels: tuple[str, ...] = ()
    """What the issue has before the request."""


def document(value: Any) -> Any:
    """A rich-text value.

    :raises FieldProblemError: a string, or too long. :raises WholeRequestError: not valid ADF.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise FieldProblemError(NOT_A_DOCUMENT)
    if found := problems(value):
        raise WholeRequestError("INVALID_INPUT", *found[:3])
    if converted_length(value) > TEXT_LIMIT:
        raise FieldProblemError(TOO_LONG)
    return value


def _summary(frame: Frame, value: Any) -> str:
    if not isinstance(value, str):
        raise FieldProblemError(
            "Operation value must be a string" if value else "You must specify a summary of the issue."
        )
    if not value.strip():
        raise FieldProblemError("You must specify a summary of the issue.")
    if "\n" in value or "\r" in value:
        raise FieldProblemError("The summary is invalid because it contains newline characters.")
    if len(value) > SUMMARY_LIMIT:
        raise FieldProblemError(f"Summary can't exceed {SUMMARY_LIMIT} characters.")
    return value.strip()


def label(value: Any) -> str:
    """One label: a string without whitespace, at most 255 characters."""
    if not isinstance(value, str) or not value:
        raise FieldProblemError("Operation value must be a string")
    if any(character.isspace() for character in value):
        raise FieldProblemError(f"The label '{value}' contains spaces which is invalid.")
    if len(value) > LABEL_LIMIT:
        raise FieldProblemError(f"The label '{value[:20]}…' exceeds the maximum length of {LABEL_LIMIT} characters.")
    return value


def _labels(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise FieldProblemError("data was not an array")
    return list(dict.fromkeys(label(item) for item in value))


def _id_of(value: Any, what: str) -> str:
    if not isinstance(value, dict):
        raise FieldProblemError(f"Specify the {what} (id) in the object format")
    found = value.get("id")
    if not isinstance(found, str):
        raise FieldProblemError(f"Specify the {what} (id) in string format")
    return found


def _priority(frame: Frame, value: Any) -> str:
    if isinstance(value, dict) and "id" not in value and "name" in value:
        found = next((p.id for p in PRIORITIES.values() if p.name == value["name"]), "")
    else:
        found = _id_of(value, "Priority")
    if found not in PRIORITIES:
        raise FieldProblemError("The priority selected is invalid.")
    return found


def _account_id(value: Any) -> str:
    if not isinstance(value, dict):
        raise FieldProblemError("data was not an object")
    found = value.get("accountId", value.get("id"))
    if not isinstance(found, str):
        raise FieldProblemError("expected Object containing an 'accountId' property")
    return found


def _reporter(frame: Frame, value: Any) -> str:
    if value is None:
        raise FieldProblemError("Reporter is required.")
    account = frame.site.account(_account_id(value))
    serves = frame.project["type_key"] == "service_desk"
    if account is None or not account["active"] or (account["type"] == "customer" and not serves):
        raise FieldProblemError("The reporter specified is not a user.")
    return str(account["id"])


def _assignee(frame: Frame, value: Any) -> str | None:
    if value is None:
        return None
    wanted = _account_id(value)
    if wanted == "-1":
        return None
    account = frame.site.account(wanted)
    if account is None or not account["active"] or account["type"] == "customer":
        raise FieldProblemError(f"User '{wanted}' cannot be assigned issues.")
    return wanted


def _parent(frame: Frame, value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("key", value.get("id")), str):
        raise FieldProblemError("Could not find valid 'id' or 'key' for parent issue.")
    found = frame.site.visible_issue(frame.call, str(value.get("key", value.get("id"))))
    if found is None:
        raise FieldProblemError("Given parent work item does not exist or you do not have permission to see it.")
    return int(found["id"])


def _issue_type(frame: Frame, value: Any) -> str:
    if isinstance(value, dict) and "id" not in value and "name" in value:
        found: Any = next((kind.id for kind in ISSUE_TYPES.values() if kind.name == value["name"]), None)
    else:
        found = value.get("id") if isinstance(value, dict) else None
    if not isinstance(found, str) or found not in ISSUE_TYPES:
        raise FieldProblemError("Specify a valid issue type")
    return found


def _due_date(value: Any) -> str | None:
    if value is None:
        return None
    try:
        if isinstance(value, str) and DATE.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass  # the refusal below is the same for a wrong form and for the 31st of June
    raise FieldProblemError("Error parsing date string: " + str(value))


def _short_text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise FieldProblemError("Operation value must be a string")
    if value is not None and ("\n" in value or len(value) > SUMMARY_LIMIT):
        raise FieldProblemError(f"Text must be one line of at most {SUMMARY_LIMIT} characters.")
    return value


def _number(value: Any) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise FieldProblemError("Operation value must be a number")
    return value


def _option(value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    if isinstance(value, dict):
        for option, name in CHANNELS.items():
            if value.get("id") == option or value.get("value") == name:
                return {"id": option, "value": name}
    raise FieldProblemError("Specify a valid 'id' or 'name' for Channel")


COLUMNS: Mapping[str, tuple[str, Callable[[Frame, Any], Any]]] = {
    "summary": ("summary", _summary),
    "priority": ("priority_id", _priority),
    "reporter": ("reporter", _reporter),
    "assignee": ("assignee", _assignee),
    "parent": ("parent_id", _parent),
    "issuetype": ("type_id", _issue_type),
}
EXTRAS: Mapping[str, Callable[[Any], Any]] = {
    "environment": document,
    "duedate": _due_date,
    "customfield_10050": _short_text,
    "customfield_10051": document,
    "customfield_10052": _number,
    "customfield_10053": _option,
}
OUTSIDE_SCREEN = frozenset({"comment", "status"})


def read_change(frame: Frame, body: Mapping[str, Any]) -> Change:
    """The checked values of ``fields`` and ``update`` together.

    :raises JiraError: 400 with every field's problem, as Jira reports them together.
    """
    fields, update = body.get("fields") or {}, body.get("update") or {}
    if not isinstance(fields, dict) or not isinstance(update, dict):
        raise bad_request("Invalid request payload. Refer to the REST API documentation and try again.")
    if twice := sorted(fields.keys() & update.keys()):
        raise bad_fields({name: f"Field '{name}' cannot appear in both 'fields' and 'update'" for name in twice})
    change, errors = Change(), {}
    operations = [*((name, [{"set": value}]) for name, value in fields.items()), *update.items()]
    try:
        for name, steps in operations:
            try:
                _apply(frame, change, name, steps)
            except FieldProblemError as problem:
                errors[name] = str(problem)
    except WholeRequestError as problem:
        raise bad_request(*map(str, problem.args)) from problem
    if frame.creating:
        errors.update(_missing(frame, change, errors, body))
    if errors:
        raise bad_fields(errors)
    return change


def _apply(frame: Frame, change: Change, name: str, steps: Any) -> None:
    shown = on_screen(frame.site, frame.call, frame.project["key"], name, creating=frame.creating)
    if name == "project" and frame.creating:
        return
    if name == "status" and not frame.creating:
        return  # an edit cannot change the status; Jira ignores it
    if name == "project" or not (shown or name == "comment"):
        raise FieldProblemError(not_on_screen(name))
    if not isinstance(steps, list) or not all(isinstance(step, dict) and len(step) == 1 for step in steps):
        raise FieldProblemError("Operations must be a list of objects with one member each.")
    for operation, value in (next(iter(step.items())) for step in steps):
        _apply_one(frame, change, name, operation, value)


def _apply_one(frame: Frame, change: Change, name: str, operation: str, value: Any) -> None:
    if name == "labels":
        change.labels = _label_step(list(frame.labels) if change.labels is None else change.labels, operation, value)
    elif name == "comment" and operation == "add":
        change.comments.append(_comment(value))
    elif operation != "set":
        raise FieldProblemError(f"Field with id '{name}' and name '{name}' does not support operation '{operation}'")
    elif name == "description":
        checked = document(value)
        change.columns["description"] = None if checked is None else json.dumps(checked)
    elif name in COLUMNS:
        column, check = COLUMNS[name]
        change.columns[column] = check(frame, value)
    elif name in EXTRAS:
        change.extra[name] = EXTRAS[name](value)


def _label_step(labels: list[str], operation: str, value: Any) -> list[str]:
    if operation == "set":
        return _labels(value)
    checked = label(value)
    if operation == "add":
        return [*labels, checked] if checked not in labels else list(labels)
    if operation == "remove":
        return [item for item in labels if item != checked]
    raise FieldProblemError(f"Field with id 'labels' and name 'labels' does not support operation '{operation}'")


def _comment(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or document(value.get("body")) is None:
        raise FieldProblemError("Comment body can not be empty!")
    return value


def _missing(
    frame: Frame, change: Change, errors: Mapping[str, str], body: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    if "summary" not in change.columns and "summary" not in errors:
        yield "summary", "You must specify a summary of the issue."
    if "type_id" not in change.columns and "issuetype" not in errors:
        yield "issuetype", "Specify a valid issue type"
    kind = ISSUE_TYPES.get(change.columns.get("type_id", ""))
    if kind is not None and kind.subtask and not change.columns.get("parent_id") and "parent" not in errors:
        yield "parent", "Work item type is a sub-task but parent work item key or id not specified."
    given = (body.get("fields") or {}).keys() | (body.get("update") or {}).keys()
    for item in FIELDS.values():
        if item.id not in given and not item.has_default and is_required(frame.call, item) and not item.required:
            yield item.id, f"{item.name} is required."


def read_properties(raw: Any) -> dict[str, str]:
    """The ``properties`` list of a create, edit or comment, as key to JSON text.

    :raises JiraError: 400 for wrong members, a key used twice, an empty or too long key or value.
    """
    if raw is None:
        return {}
    if not isinstance(raw, list):
        raise bad_request("The properties must be a list of objects with 'key' and 'value'.")
    found: dict[str, str] = {}
    for item in raw:
        if not isinstance(item, dict) or item.keys() != {"key", "value"} or not isinstance(item["key"], str):
            raise bad_request("The properties must be a list of objects with 'key' and 'value'.")
        if item["key"] in found:
            raise bad_request(f"Duplicate property key '{item['key']}'.")
        found[item["key"]] = property_value(item["key"], item["value"])
    return found


def property_value(key: str, value: Any) -> str:
    """A property's value as JSON text: key of 1 to 255 characters, non-empty value of at most 32,768."""
    if not key or len(key) > PROPERTY_KEY_LIMIT:
        raise bad_request(f"The property key must be between 1 and {PROPERTY_KEY_LIMIT} characters long.")
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if value in (None, ""):
        raise bad_request("The property value must be a valid, non-empty JSON value.")
    if len(text) > PROPERTY_LIMIT:
        raise bad_request(f"The property value must not be longer than {PROPERTY_LIMIT} characters.")
    return text
