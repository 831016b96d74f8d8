import copy
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supporthub.core.html import sanitise
from supporthub.integrations.jira.adf import from_html, repair, to_html, to_text, validate
from supporthub.integrations.jira.adf.schema import MARKS, NODES
from tests.unit.core.markup import nasty_html, squeeze

EMPTY: dict[str, Any] = {"type": "paragraph"}


def doc(*content: Any) -> dict[str, Any]:
    return {"version": 1, "type": "doc", "content": list(content)}


def text(value: Any, *marks: Any) -> dict[str, Any]:
    return {"type": "text", "text": value} | ({"marks": list(marks)} if marks else {})


def p(*content: Any) -> dict[str, Any]:
    return {"type": "paragraph", "content": list(content)}


def node(kind: str, *content: Any, **attrs: Any) -> dict[str, Any]:
    return {"type": kind, "content": list(content)} | ({"attrs": attrs} if attrs else {})


def table(*cells: Any) -> dict[str, Any]:
    return node("table", node("tableRow", *cells))


LEGAL = [
    doc(),
    doc(
        EMPTY,
        p(text("a"), {"type": "hardBreak"}, text("b", {"type": "code"}, {"type": "link", "attrs": {"href": "tel:1"}})),
    ),
    doc(node("heading", text("a"), level=6), {"type": "rule"}, {"type": "codeBlock"}),
    doc(node("bulletList", node("listItem", p(text("a")), node("orderedList", node("listItem", EMPTY), order=3)))),
    doc(node("blockquote", p(text("a")), node("codeBlock", text("x"), language="py"))),
    doc(table(node("tableHeader", EMPTY), node("tableCell", {"type": "rule"}, colspan=2))),
    doc(node("panel", node("heading", text("x"), level=1), panelType="info")),
    doc(p({"type": "mention", "attrs": {"id": "1", "text": "@J"}}, {"type": "date", "attrs": {"timestamp": "0"}})),
    doc(
        node("mediaSingle", {"type": "media", "attrs": {"type": "file", "id": "x", "collection": ""}}, layout="center")
    ),
]

ILLEGAL = [
    ("version", {"version": 2, "type": "doc", "content": []}),
    ("version", {"type": "doc", "content": []}),
    ("content", {"version": 1, "type": "doc"}),
    ("", {"version": 1, "type": "paragraph", "content": []}),
    ("", "doc"),
    ("content[0]", doc(text("a"))),
    ("content[0]", doc("a")),
    ("content[0]", doc({"type": "whatever"})),
    ("content[0].content[0].text", doc(p(text("")))),
    ("content[0].content[0].text", doc(p(text(5)))),
    ("content[0].content[0].text", doc(p(text("a\x00")))),
    ("content[0].content[0].text", doc(p(text("\ud800")))),
    ("content[0].content[0].marks", doc(p(text("a", {"type": "code"}, {"type": "strong"})))),
    ("content[0].content[0].marks", doc(p(text("a", {"type": "em"}, {"type": "em"})))),
    ("content[0].content[0].marks[0]", doc(p(text("a", {"type": "big"})))),
    ("content[0].content[0].marks[0].attrs.href", doc(p(text("a", {"type": "link"})))),
    (
        "content[0].content[0].marks[0].attrs.href",
        doc(p(text("a", {"type": "link", "attrs": {"href": "javascript:x"}}))),
    ),
    ("content[0].content[0].marks[0].attrs.type", doc(p(text("a", {"type": "subsup", "attrs": {"type": "top"}})))),
    ("content[0].content[0].marks", doc(node("codeBlock", text("a", {"type": "em"})))),
    ("content[0].content[0]", doc(node("codeBlock", {"type": "hardBreak"}))),
    ("content[0].attrs.level", doc(node("heading", text("a")))),
    ("content[0].attrs.level", doc(node("heading", text("a"), level=7))),
    ("content[0].attrs.level", doc(node("heading", text("a"), level=True))),
    ("content[0].content", doc(node("bulletList"))),
    ("content[0].content[0]", doc(node("bulletList", p(text("a"))))),
    ("content[0].content[0].content", doc(node("bulletList", node("listItem")))),
    ("content[0].content[0].content[0]", doc(node("bulletList", node("listItem", node("heading", level=1))))),
    ("content[0].content[0].content[0]", doc(node("bulletList", node("listItem", node("blockquote", EMPTY))))),
    ("content[0].content[0].content[0]", doc(node("bulletList", node("listItem", {"type": "rule"})))),
    ("content[0].content", doc(node("blockquote"))),
    ("content[0].content[0]", doc(node("blockquote", node("blockquote", EMPTY)))),
    ("content[0].content[0]", doc(node("blockquote", node("heading", text("a"), level=1)))),
    ("content[0].content[0]", doc(node("panel", node("blockquote", EMPTY), panelType="info"))),
    ("content[0].attrs.panelType", doc(node("panel", EMPTY))),
    ("content[0].content", doc(node("table"))),
    ("content[0].content[0].content", doc(node("table", node("tableRow")))),
    ("content[0].content[0].content[0].content", doc(node("table", node("tableRow", node("tableCell"))))),
    (
        "content[0].content[0].content[0].content[0]",
        doc(table(node("tableCell", table(node("tableCell", EMPTY))))),
    ),
    ("content[0].content[0].content[0].content[0]", doc(table(node("tableCell", text("a"))))),
    ("content[0].content[0].content[0].attrs.colspan", doc(table(node("tableCell", EMPTY, colspan=0)))),
    ("content[0].content", doc({"type": "rule", "content": []})),
    ("content[0].style", doc({"type": "rule", "style": "x"})),
    ("content[0].attrs.style", doc({"type": "paragraph", "attrs": {"style": "x"}})),
    ("content[0].content[0]", doc(p(p(text("a"))))),
    ("content[0].content", doc(node("mediaSingle", layout="center"))),
]  # fmt: skip


@pytest.mark.parametrize("document", LEGAL)
def test_legal_documents_have_no_problems_and_need_no_repair(document: Any) -> None:
    assert validate(document) == []
    assert repair(document) == document


@pytest.mark.parametrize(("path", "document"), ILLEGAL)
def test_illegal_documents_have_one_problem_where_it_is_and_can_be_repaired(path: str, document: Any) -> None:
    assert [problem.path for problem in validate(document)] == [path]
    assert validate(repair(document)) == []


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "content", "text"]), inner),
    max_leaves=5,
)
_mark = st.fixed_dictionaries(
    {"type": st.sampled_from([*MARKS, "odd"])},
    optional={
        "attrs": st.dictionaries(
            st.sampled_from(["href", "type", "color", "id"]),
            st.sampled_from(["sub", "tel:1", "#fff000", "javascript:x"]) | _json,
        )
    },
)
_attrs = st.dictionaries(
    st.sampled_from(["level", "order", "panelType", "colspan", "rowspan", "id", "text", "timestamp", "title", "url"]),
    st.integers(-1, 7) | st.sampled_from(["info", "x"]) | _json,
)
_kinds = st.sampled_from([kind for kind in NODES if kind != "text"] + ["decisionList", "extension"])
_leaf = st.fixed_dictionaries(
    {"type": st.just("text"), "text": st.text(max_size=4)}, optional={"marks": st.lists(_mark, max_size=3)}
)
_nodes = st.recursive(
    _leaf | _json,
    lambda inner: st.fixed_dictionaries(
        {"type": _kinds, "content": st.lists(inner, max_size=4)}, optional={"attrs": _attrs}
    ),
    max_leaves=25,
)
documents = st.fixed_dictionaries(
    {"version": st.just(1), "type": st.just("doc"), "content": st.lists(_nodes, max_size=4)}
)


def plain(value: Any) -> str:
    """The text of all text nodes below objects, in order."""
    if not isinstance(value, dict):
        return ""
    own = value["text"] if value.get("type") == "text" and isinstance(value.get("text"), str) else ""
    inner = value.get("content")
    return own + "".join(map(plain, inner if isinstance(inner, list) and value.get("type") != "text" else []))


@given(documents)
@settings(max_examples=400)
def test_every_repaired_document_is_valid_and_repair_is_idempotent(document: Any) -> None:
    before = copy.deepcopy(document)
    fixed = repair(document)
    assert document == before
    assert validate(fixed) == []
    assert repair(fixed) == fixed


@given(st.lists(st.text(alphabet="abc<&\u00e9", min_size=1, max_size=4), min_size=1, max_size=6), st.data())
def test_repair_keeps_all_text_in_order(words: list[str], data: st.DataObject) -> None:
    content: list[Any] = [text(word) for word in words]
    for _ in range(data.draw(st.integers(0, 6))):
        start = data.draw(st.integers(0, len(content) - 1))
        end = data.draw(st.integers(start + 1, len(content)))
        kind = data.draw(
            st.sampled_from(
                ["paragraph", "heading", "listItem", "blockquote", "table", "tableCell", "odd", "bulletList"]
            )
        )
        content[start:end] = [{"type": kind, "content": content[start:end]}]
    assert plain(repair(doc(*content))) == "".join(words)


@given(documents)
@settings(max_examples=200)
def test_the_reader_never_fails_and_escapes_everything(document: Any) -> None:
    html = to_html(document)
    assert isinstance(to_text(document), str)
    assert "javascript:" not in sanitise(html)
    assert "<script" not in to_html(doc(p(text("<script>")))) + html


@given(nasty_html)
@settings(max_examples=100)
def test_our_documents_come_back_from_their_html(html: str) -> None:
    document = from_html(sanitise(html))
    assert squeeze(to_text(from_html(to_html(document)))) == squeeze(to_text(document))


DEEP = ["blockquote", "bulletList", "listItem", "table", "tableCell", "panel", "paragraph", "taskList", "expand", "odd"]


@pytest.mark.parametrize("kind", DEEP)
def test_ten_thousand_levels_are_read_checked_and_repaired_in_time(kind: str) -> None:
    inner: Any = text("x")
    for _ in range(10_000):
        inner = {"type": kind, "content": [inner]}
    document = doc(inner)
    started = time.process_time()
    assert validate(document)
    fixed = repair(document)
    assert validate(fixed) == []
    assert squeeze(to_text(document)).endswith("x")
    assert plain(fixed) == "x"
    assert time.process_time() - started < 3


def test_repair_unwraps_wraps_and_fills() -> None:
    broken = doc(
        text("stray"),
        node("bulletList", p(text("a")), node("listItem"), node("listItem", node("heading", text("b"), level=2))),
        node("blockquote", node("blockquote", p(text("c")))),
        node("extension", p(text("d"))),
    )
    assert repair(broken)["content"] == [
        p(text("stray")),
        node("bulletList", node("listItem", p(text("a"))), node("listItem", EMPTY), node("listItem", p(text("b")))),
        node("blockquote", p(text("c"))),
        p(text("d")),
    ]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (doc(p(text("a"), {"type": "hardBreak"}, text("b"))), "a\nb"),
        (doc(p({"type": "mention", "attrs": {"id": "7", "text": "@Jane"}}, text(" hi"))), "@Jane hi"),
        (doc(p({"type": "date", "attrs": {"timestamp": "1707091200000"}})), "2024-02-05"),
        (doc(p({"type": "date", "attrs": {"timestamp": "later"}}, text("x"))), "x"),
        (doc(p({"type": "status", "attrs": {"text": "DONE", "color": "green"}})), "DONE"),
        (doc(p({"type": "emoji", "attrs": {"shortName": ":x:", "text": "\u2716"}})), "\u2716"),
        (doc(p({"type": "inlineCard", "attrs": {"url": "https://e.org/x"}})), "https://e.org/x"),
        (doc(node("mediaSingle", {"type": "media", "attrs": {"type": "file", "id": "1", "alt": "a.png"}})), "[a.png]"),
        (doc(node("futureBlock", node("futureInline", text("kept")))), "kept"),
        (doc(node("expand", p(text("in")), title="More")), "More\n\nin"),
        (doc(p(text("x", {"type": "link", "attrs": {"href": "javascript:y"}}))), "x"),
        (doc(p(text("x", {"type": "link", "attrs": {"href": "https://e.org/"}}))), "x (https://e.org/)"),
        (doc(node("taskList", node("taskItem", text("do"), localId="1", state="TODO"), localId="0")), "- do"),
        (doc(node("codeBlock", text("a\n  b"))), "a\n  b"),
        ({}, ""),
        ({"content": "x"}, ""),
    ],
)
def test_documents_from_jira_are_readable(document: Any, expected: str) -> None:
    assert to_text(document) == expected


def test_html_of_a_document_is_escaped() -> None:
    assert to_html(doc(p(text("<b>&", {"type": "strong"})))) == "<p><strong>&lt;b&gt;&amp;</strong></p>"
    hostile = {"type": "link", "attrs": {"href": 'https://e.org/"onclick="x'}}
    assert 'onclick="' not in to_html(doc(p(text("a", hostile))))
