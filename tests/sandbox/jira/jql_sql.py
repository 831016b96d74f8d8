"""JQL against the search index: a parsed query becomes one SQL condition over ``index_issue``."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from tests.sandbox.exchange import Call
from tests.sandbox.jira.catalogue import CATEGORIES, ISSUE_TYPES, PRIORITIES, RESOLUTIONS, STATUSES
from tests.sandbox.jira.jql import CURRENT_USER, EMPTY, Clause, Group, JqlError, Negation, Node, Query, parse
from tests.sandbox.jira.site import HUB_ACCOUNT, HUB_ZONE, Site
from tests.sandbox.store import now_ms

RELATIVE = re.compile(r"([+-]?)(\d+)\s*([mhdw])")
UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
FORMATS = ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")
LUCENE_OPERATORS = re.compile(r"(?<!\\)[+\-&|!(){}\[\]^~*?:/]")
LUCENE_ESCAPE = re.compile(r"\\(.)")
ALIASES = {
    "issue": "key",
    "issuekey": "key",
    "labels": "labels",
    "type": "issuetype",
    "createddate": "created",
    "updateddate": "updated",
}
EQUALITY = frozenset({"=", "!=", "in", "not in"})
EMPTINESS = frozenset({"is", "is not"})
ORDERS: Mapping[str, str] = {
    "created": "index_issue.created",
    "updated": "index_issue.updated",
    "key": "index_issue.project_id {0}, index_issue.number",
    "id": "index_issue.id",
    "priority": "-CAST(index_issue.priority_id AS INTEGER)",
    "status": "CAST(index_issue.status_id AS INTEGER)",
    "summary": "index_issue.summary COLLATE NOCASE",
}
Lookup = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A condition, its parameters, and an ORDER BY list."""

    where: str
    values: tuple[object, ...]
    order: str


def compile_jql(site: Site, call: Call, text: str, *, bounded: bool = True) -> Compiled:
    """The SQL of a query.

    :raises JqlError: no JQL, an unknown field, an operator that the field has not, a value that does not exist, or
        (when ``bounded``) a query without any restriction.
    """
    query = parse(text)
    if query.where is None and bounded:
        raise JqlError("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    compiler = _Compiler(site, call)
    where = "1" if query.where is None else compiler.node(query.where)
    return Compiled(where, tuple(compiler.values), _order(query))


def _order(query: Query) -> str:
    parts = []
    for name, descending in query.order:
        template = ORDERS.get(ALIASES.get(name, name))
        if template is None:
            raise JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")
        direction = "DESC" if descending else "ASC"
        parts.append(f"{template.format(direction)} {direction}")
    return ", ".join([*parts, "index_issue.id DESC"])


class _Compiler:
    """Collects parameters while it writes the condition."""

    def __init__(self, site: Site, call: Call) -> None:
        self._site = site
        self._call = call
        self.values: list[object] = []
        by_name: Mapping[str, tuple[str, Lookup]] = {
            "project": ("index_issue.project_id", self._project),
            "key": ("index_issue.id", self._issue),
            "id": ("index_issue.id", self._issue),
            "status": ("index_issue.status_id", _named("status", ((s.id, s.name) for s in STATUSES.values()))),
            "statuscategory": ("index_issue.category", _category),
            "priority": ("index_issue.priority_id", _named("priority", ((p.id, p.name) for p in PRIORITIES.values()))),
            "issuetype": ("index_issue.type_id", _named("issuetype", ((k.id, k.name) for k in ISSUE_TYPES.values()))),
            "resolution": ("index_issue.resolution", _named("index_issue.resolution", RESOLUTIONS.items())),
            "assignee": ("index_issue.assignee", self._account),
            "reporter": ("index_issue.reporter", self._account),
        }
        self._columns = by_name

    def node(self, node: Node) -> str:
        if isinstance(node, Group):
            return "(" + f" {node.word} ".join(self.node(part) for part in node.parts) + ")"
        if isinstance(node, Negation):
            return f"NOT coalesce({self.node(node.part)}, 0)"
        return self._clause(node)

    def _clause(self, clause: Clause) -> str:
        name = ALIASES.get(clause.field, clause.field)
        if name in self._columns:
            return self._column(name, clause)
        if name == "labels":
            return self._labels(clause)
        if name in {"created", "updated"}:
            return self._date(name, clause)
        if name in {"summary", "text", "description", "comment"}:
            return self._text(name, clause)
        raise JqlError(f"Field '{clause.field}' does not exist or you do not have permission to view it.")

    def _marks(self, values: Iterable[object]) -> str:
        found = list(values)
        self.values.extend(found)
        return ", ".join("?" for _ in found)

    def _column(self, name: str, clause: Clause) -> str:
        column, lookup = self._columns[name]
        _supported(clause, EQUALITY | EMPTINESS)
        negated = clause.operator in {"!=", "not in", "is not"}
        if EMPTY in clause.values:
            if len(clause.values) > 1 or name in {"project", "key", "id", "status", "issuetype"}:
                raise JqlError(
                    f"The field '{clause.field}' does not support searching for EMPTY values together with others."
                )
            return f"{column} IS {'NOT ' if negated else ''}NULL"
        marks = self._marks([lookup(value) for value in clause.values])
        return f"{column} {'NOT ' if negated else ''}IN ({marks})"

    def _labels(self, clause: Clause) -> str:
        _supported(clause, EQUALITY | EMPTINESS)
        negated = clause.operator in {"!=", "not in", "is not"}
        if EMPTY in clause.values:
            some = "EXISTS (SELECT 1 FROM index_label WHERE issue_id = index_issue.id)"
            return some if negated else f"NOT {some}"
        # A label nobody uses is no error: labels are made on the fly. "!=" leaves out issues without any label.
        marks = self._marks(clause.values)
        inside = f"index_issue.id IN (SELECT issue_id FROM index_label WHERE label IN ({marks}))"  # noqa: S608
        labelled = "index_issue.id IN (SELECT issue_id FROM index_label)"
        return f"(NOT {inside} AND {labelled})" if negated else inside

    def _date(self, name: str, clause: Clause) -> str:
        _supported(clause, frozenset({">", ">=", "<", "<=", "=", "!="}))
        moment = _moment(clause.field, clause.values[0])
        if clause.operator in {"=", "!="}:
            negation = "NOT " if clause.operator == "!=" else ""
            self.values.extend((moment, moment + UNITS["m"]))
            return f"{negation}(index_issue.{name} >= ? AND index_issue.{name} < ?)"
        self.values.append(moment)
        return f"index_issue.{name} {clause.operator} ?"

    def _text(self, name: str, clause: Clause) -> str:
        _supported(clause, frozenset({"~", "!~"}))
        column = "lower(index_issue.summary)" if name == "summary" else "words"
        terms = _terms(name, clause.values[0])
        condition = " AND ".join(f"instr({column}, ?) > 0" for _ in terms) or "0"
        self.values.extend(terms)
        return f"({condition})" if clause.operator == "~" else f"NOT ({condition})"

    def _project(self, value: str) -> str:
        sql = """SELECT id, key FROM project WHERE key = ?1 COLLATE NOCASE OR name = ?1 COLLATE NOCASE
                 OR CAST(id AS TEXT) = ?1"""
        row = self._site.store.row(sql, value)
        if row is None or not self._site.allowed(self._call, "BROWSE_PROJECTS", row["key"]):
            raise JqlError(f"The value '{value}' does not exist for the field 'project'.")
        return str(row["id"])

    def _issue(self, value: str) -> str:
        row = self._site.visible_issue(self._call, value)
        if row is None and value.isdigit():
            raise JqlError(f"A value with ID '{value}' does not exist for the field 'id'.")
        if row is None:
            raise JqlError(f"An issue with key '{value}' does not exist for field 'key'.")
        return str(row["id"])

    def _account(self, value: str) -> str:
        if value == CURRENT_USER:
            return HUB_ACCOUNT
        sql = "SELECT id FROM account WHERE id = ?1 OR (email = ?1 COLLATE NOCASE AND NOT hidden)"
        found = self._site.store.value(sql, value)
        if found is None:
            raise JqlError(f"The value '{value}' does not exist for the field 'user'.")
        return str(found)


def _named(field: str, pairs: Iterable[tuple[str, str]]) -> Lookup:
    known = {name.casefold(): number for number, name in pairs}

    def lookup(value: str) -> str:
        found = value if value in known.values() else known.get(value.casefold())
        if found is None:
            raise JqlError(f"The value '{value}' does not exist for the field '{field}'.")
        return found

    return lookup


def _category(value: str) -> str:
    for key, (number, name, _) in CATEGORIES.items():
        if value.casefold() in {key, name.casefold(), str(number)}:
            return key
    raise JqlError(f"The value '{value}' does not exist for the field 'statusCategory'.")


def _supported(clause: Clause, operators: frozenset[str]) -> None:
    if clause.operator not in operators:
        raise JqlError(f"The operator '{clause.operator}' is not supported by the '{clause.field}' field.")


def _moment(field: str, value: str) -> int:
    """Milliseconds of a JQL date: relative to now, or read in the account's time zone with minute resolution."""
    if match := RELATIVE.fullmatch(value):
        sign = 1 if match.group(1) == "+" else -1
        return now_ms() + sign * int(match.group(2)) * UNITS[match.group(3)]
    for form in FORMATS:
        try:
            return int(datetime.strptime(value, form).replace(tzinfo=HUB_ZONE).timestamp() * 1000)
        except ValueError:
            continue  # the next form may fit
    raise JqlError(
        f"Date value '{value}' for field '{field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
        "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
    )


def _terms(field: str, text: str) -> list[str]:
    """What must occur: one phrase for a quoted text, else every word; an unescaped Lucene operator is refused."""
    stripped = text.strip()
    if stripped[:1] in {"*", "?"}:
        raise JqlError(f"The text query '{text}' for field '{field}' is not allowed to start with '{stripped[0]}'.")
    phrase = len(stripped) > 1 and stripped[0] == stripped[-1] == '"'
    inner = stripped[1:-1] if phrase else stripped.rstrip("*")
    if not phrase and LUCENE_OPERATORS.search(inner):
        raise JqlError(f"Unable to parse the text '{text}' for field '{field}'.")
    plain = LUCENE_ESCAPE.sub(r"\1", inner).casefold()
    return [plain] if phrase else plain.split()
