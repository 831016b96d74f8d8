"""Which queries parse, and what they mean against a small index."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.exchange import Call
from tests.sandbox.jira.catalogue import DONE
from tests.sandbox.jira.details import set_status
from tests.sandbox.jira.issues import create_disturbance
from tests.sandbox.jira.jql import EMPTY, Clause, Group, JqlError, Negation, parse
from tests.sandbox.jira.jql_sql import compile_jql
from tests.sandbox.jira.schema import SCHEMA
from tests.sandbox.jira.search import find, refresh_index
from tests.sandbox.jira.seeds import ADA, seed
from tests.sandbox.jira.site import Site
from tests.sandbox.options import Options
from tests.sandbox.store import Store

CALL = Call("GET", "/", {}, {}, b"", request_id=1)


def clause(field: str, *values: str, operator: str = "=") -> Clause:
    return Clause(field, operator, values)


def test_and_binds_stronger_than_or() -> None:
    query = parse("a = 1 OR b = 2 AND NOT c = 3")
    right = Group("AND", (clause("b", "2"), Negation(clause("c", "3"))))
    assert query.where == Group("OR", (clause("a", "1"), right))


def test_words_are_read_without_regard_to_case() -> None:
    assert parse('PROJECT in (A, "b c") Order BY created DESC, key').order == (("created", True), ("key", False))
    assert parse("assignee is not empty").where == clause("assignee", EMPTY, operator="is not")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_quoted_value_comes_back_whatever_it_holds(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    assert parse(f'labels = "{escaped}"').where == clause("labels", value)


@given(st.text())
def test_any_text_either_parses_or_is_refused(value: str) -> None:
    try:
        parse(value)
    except JqlError:
        pass  # the refusal is the point


@pytest.mark.parametrize(
    "text",
    ["labels", "labels =", "labels = a b", "(labels = a", "labels in ()", "project = order", 'a = "\\q"', "a = b AND"],
)
def test_broken_query_is_refused(text: str) -> None:
    with pytest.raises(JqlError):
        parse(text)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    store = Store(tmp_path / "db", [(SCHEMA, seed)])
    site = Site(store, Options("127.0.0.1", 1, tmp_path, "s", "http://x", "t", "e"))
    store.begin()
    create_disturbance(site, 1, "HELP", {"summary": "Printer on fire", "labels": ["ext-a", "hot"]})
    create_disturbance(site, 1, "HELP", {"summary": "Mouse: the cable", "reporter": ADA})
    create_disturbance(site, 1, "NET", {"summary": "No network", "labels": ["hot"]})
    issue = site.find_issue("NET-1")
    assert issue is not None
    set_status(site, 1, issue, DONE, "10000")
    refresh_index(site)
    yield site
    store.commit()
    store.close()


def keys(site: Site, jql: str) -> list[str]:
    return [row["key"] for row in find(site, compile_jql(site, CALL, jql), 50)]


@pytest.mark.parametrize(
    ("jql", "expected"),
    [
        ('labels = "ext-a"', ["HELP-1"]),
        ('labels = "nobody-has-it"', []),
        ("labels in (hot, other) ORDER BY key ASC", ["HELP-1", "NET-1"]),
        ("project = help AND labels != hot", []),
        ("labels is EMPTY", ["HELP-2"]),
        ("project in (HELP, 10002) ORDER BY created ASC, id ASC", ["HELP-1", "HELP-2", "NET-1"]),
        ("project = HELP AND NOT labels = hot", ["HELP-2"]),
        ("status = Done", ["NET-1"]),
        ('statusCategory != "Done" ORDER BY id', ["HELP-1", "HELP-2"]),
        ("resolution is empty ORDER BY id", ["HELP-1", "HELP-2"]),
        ("key = NET-1 OR id = 10001 ORDER BY id", ["HELP-1", "NET-1"]),
        ('reporter = "ada.jansen@contoso.example" AND creator_unused is empty', None),
        (f'reporter = "{ADA}" AND project = HELP ORDER BY id ASC', ["HELP-1", "HELP-2"]),
        ("assignee = currentUser()", []),
        ("assignee is EMPTY AND updated >= -15m ORDER BY id", ["HELP-1", "HELP-2", "NET-1"]),
        ("created < -1h", []),
        ('updated >= "2020-01-01 10:00" AND project = NET', ["NET-1"]),
        ('created <= "2020-01-01"', []),
        ("summary ~ PRINTER", ["HELP-1"]),
        ('text ~ "fire printer"', ["HELP-1"]),
        ('summary ~ "\\"fire printer\\""', []),
        ('summary ~ "Mouse\\\\: cable"', ["HELP-2"]),
        ('summary ~ "Mouse: cable"', None),
        ('summary ~ "*rinter"', None),
        ("project = GONE", None),
        ("key = HELP-99", None),
        ("status = Unknown", None),
        ("flavour = sweet", None),
        ("labels > a", None),
        ("ORDER BY created", None),
        ("", None),
        ('updated >= "yesterday"', None),
        ('issue.property[ext].tag = "x"', None),
    ],
)
def test_query_finds_what_jira_would(site: Site, jql: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(JqlError):
            keys(site, jql)
    else:
        assert keys(site, jql) == expected


def test_lagging_index_shows_neither_new_issues_nor_new_labels(site: Site) -> None:
    site.store.set_setting("jira.search_lag", 60)
    create_disturbance(site, 1, "HELP", {"summary": "Late", "labels": ["ext-late"]})
    refresh_index(site)
    assert keys(site, "labels = ext-late") == []
    site.store.set_setting("jira.search_lag", 0)
    refresh_index(site)
    assert keys(site, "labels = ext-late") == ["HELP-3"]
