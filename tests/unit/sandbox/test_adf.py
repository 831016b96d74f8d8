"""What Jira accepts as an Atlassian document."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.jira.adf import converted_length, plain_text, problems
from tests.sandbox.jira.rendering import render

Node = dict[str, Any]


def text(value: str, *marks: Node) -> Node:
    return {"type": "text", "text": value, **({"marks": list(marks)} if marks else {})}


def node(kind: str, *content: Node, **attrs: Any) -> Node:
    return {"type": kind, "content": list(content), **({"attrs": attrs} if attrs else {})}


def doc(*content: Node) -> Node:
    return {"type": "doc", "version": 1, "content": list(content)}


P = node("paragraph", text("words"))
CELL = node("tableCell", P)
LINK = {"type": "link", "attrs": {"href": "https://example.org"}}

VALID = {
    "empty document": doc(),
    "empty paragraph": doc(node("paragraph")),
    "heading": doc(node("heading", text("a"), level=6)),
    "lists in lists": doc(node("bulletList", node("listItem", P, node("orderedList", node("listItem", P), order=3)))),
    "table": doc(node("table", node("tableRow", node("tableHeader", P), node("tableCell", P, colspan=2)))),
    "code block without content": doc({"type": "codeBlock"}),
    "panel": doc(node("panel", P, panelType="info")),
    "code with link": doc(node("paragraph", text("a", {"type": "code"}, LINK))),
    "quote with list": doc(node("blockquote", node("bulletList", node("listItem", P)))),
    "rule and break": doc({"type": "rule"}, node("paragraph", text("a"), {"type": "hardBreak"}, text("b"))),
    "external media": doc(
        node("mediaSingle", {"type": "media", "attrs": {"type": "external", "url": "https://x"}}, layout="center")
    ),
    "mention": doc(node("paragraph", {"type": "mention", "attrs": {"id": "1", "text": "@A"}})),
    "expand with table": doc(node("expand", node("table", node("tableRow", CELL)), title="more")),
}
INVALID = {
    "no document": node("paragraph"),
    "no version": {"type": "doc", "content": []},
    "version 2": {"type": "doc", "version": 2, "content": []},
    "version true": {"type": "doc", "version": True, "content": []},
    "no content": {"type": "doc", "version": 1},
    "unknown root member": {**doc(), "extra": 1},
    "text at the top": doc(text("a")),
    "empty text": doc(node("paragraph", text(""))),
    "control character": doc(node("paragraph", text("a\x00"))),
    "lone surrogate": doc(node("paragraph", text("\ud800"))),
    "unknown node": doc(node("marquee")),
    "heading level 7": doc(node("heading", level=7)),
    "heading without level": doc(node("heading")),
    "empty list": doc(node("bulletList")),
    "empty list item": doc(node("bulletList", node("listItem"))),
    "heading in list item": doc(node("bulletList", node("listItem", node("heading", level=1)))),
    "quote in list item": doc(node("bulletList", node("listItem", node("blockquote", P)))),
    "quote in quote": doc(node("blockquote", node("blockquote", P))),
    "heading in quote": doc(node("blockquote", node("heading", level=1))),
    "table in table": doc(node("table", node("tableRow", node("tableCell", node("table", node("tableRow", CELL)))))),
    "text in cell": doc(node("table", node("tableRow", node("tableCell", text("a"))))),
    "empty cell": doc(node("table", node("tableRow", node("tableCell")))),
    "table without rows": doc(node("table")),
    "panel in panel": doc(node("panel", node("panel", P, panelType="info"), panelType="info")),
    "panel without type": doc(node("panel", P)),
    "unknown panel type": doc(node("panel", P, panelType="shouting")),
    "code with strong": doc(node("paragraph", text("a", {"type": "code"}, {"type": "strong"}))),
    "marks in code block": doc(node("codeBlock", text("a", {"type": "strong"}))),
    "break in code block": doc(node("codeBlock", {"type": "hardBreak"})),
    "mark twice": doc(node("paragraph", text("a", {"type": "em"}, {"type": "em"}))),
    "unknown mark": doc(node("paragraph", text("a", {"type": "blink"}))),
    "link without address": doc(node("paragraph", text("a", {"type": "link", "attrs": {}}))),
    "colour by name": doc(node("paragraph", text("a", {"type": "textColor", "attrs": {"color": "red"}}))),
    "unknown attribute": doc(node("paragraph", text("a"), style="x")),
    "expand in cell": doc(node("table", node("tableRow", node("tableCell", node("expand", P))))),
    "rule with content": doc({"type": "rule", "content": []}),
    "media without collection": doc(node("mediaSingle", {"type": "media", "attrs": {"type": "file", "id": "1"}})),
    "mention without id": doc(node("paragraph", {"type": "mention", "attrs": {"text": "@A"}})),
}


@pytest.mark.parametrize("name", VALID)
def test_valid_document_is_accepted(name: str) -> None:
    assert problems(VALID[name]) == []


@pytest.mark.parametrize("name", INVALID)
def test_invalid_document_is_refused(name: str) -> None:
    assert problems(INVALID[name])


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_no_json_breaks_the_check(value: Any) -> None:
    assert problems(value)
    assert problems({"type": "doc", "version": 1, "content": [value]})


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1)))
def test_plain_paragraphs_are_always_valid_and_keep_their_words(lines: list[str]) -> None:
    document = doc(*(node("paragraph", text(line)) for line in lines))
    assert problems(document) == []
    assert plain_text(document) == "\n".join(lines).strip()


def test_deep_nesting_is_refused_instead_of_exhausting_the_stack() -> None:
    inner = node("bulletList", node("listItem", P))
    for _ in range(200):
        inner = node("bulletList", node("listItem", inner))
    assert any("deeply" in problem for problem in problems(doc(inner)))


def test_markup_counts_towards_the_limit() -> None:
    plain = doc(node("paragraph", text("aaaa")))
    linked = doc(node("paragraph", text("aaaa", LINK)))
    assert converted_length(linked) > converted_length(plain) >= 4


def test_text_and_script_links_are_harmless_as_html() -> None:
    bad_link = {"type": "link", "attrs": {"href": "javascript:alert(1)"}}
    shown = render(doc(node("paragraph", text("<script>", bad_link))))
    assert shown == "<p>&lt;script&gt;</p>"
