import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supporthub.core.html import from_plain, sanitise
from supporthub.core.text import clean_text
from supporthub.integrations.jira.adf import LIMIT, NOTICE, from_html, from_text, repair, to_text, validate
from tests.unit.core.markup import FIXTURE_NAMES, FIXTURES, lost_run, nasty_html, squeeze, visible_runs


def doc(html: str) -> Any:
    return from_html(sanitise(html))


def content(html: str) -> Any:
    return doc(html)["content"]


def fixture(name: str) -> str:
    return sanitise((FIXTURES / name).read_text(encoding="utf-8"))


def nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in node.get("content", []):
        yield from nodes(child)


def written(blocks: list[Any]) -> str:
    return squeeze("".join(node.get("text", "") for block in blocks for node in nodes(block)))


def units(document: Any) -> int:
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-16-le")) // 2


def text(value: str, *marks: str) -> dict[str, Any]:
    return {"type": "text", "text": value} | ({"marks": [{"type": mark} for mark in marks]} if marks else {})


def paragraph(*inline: Any) -> dict[str, Any]:
    return {"type": "paragraph", "content": [text(part) if isinstance(part, str) else part for part in inline]}


BREAK = {"type": "hardBreak"}


def assert_built_well(document: Any) -> None:
    """What makes Jira accept a document, and the build rules that no schema states."""
    assert validate(document) == []
    assert repair(document) == document
    for node in nodes(document):
        assert node["type"] not in ("mention", "inlineCard", "media", "mediaSingle", "mediaInline", "emoji")
        for left, right in zip(node.get("content", []), node.get("content", [])[1:], strict=False):
            both_text = left["type"] == right["type"] == "text"
            assert not (both_text and left.get("marks") == right.get("marks"))


@given(nasty_html)
@settings(max_examples=400)
def test_every_mail_gives_a_valid_document_without_losing_text(html: str) -> None:
    clean = sanitise(html)
    document = from_html(clean)
    assert_built_well(document)
    assert lost_run(visible_runs(clean), to_text(document)) is None


@given(nasty_html)
@settings(max_examples=100)
def test_html_that_was_not_sanitised_gives_the_same_valid_document(html: str) -> None:
    assert from_html(html) == from_html(sanitise(html))


@given(st.one_of(nasty_html, st.text(alphabet='ab "\\\n\U0001f600\x00', max_size=300)), st.integers(180, 700))
@settings(max_examples=300)
def test_the_limit_is_kept_and_the_notice_says_so(html: str, limit: int) -> None:
    for whole, document in (
        (from_html(html), from_html(html, limit=limit)),
        (from_text(html), from_text(html, limit=limit)),
    ):
        assert units(document) <= limit
        assert validate(document) == []
        if document != whole:
            assert document["content"][-1] == paragraph(text(NOTICE, "em"))
            assert written(whole["content"]).startswith(written(document["content"][:-1]))


@pytest.mark.parametrize(
    "html",
    [
        "<p>" + '"' * 999,
        "<p>" + "\\" * 999,
        "<p>" + "\U0001f600" * 999,
        "<pre>" + "\n\t." * 333,
        "<p>a</p>" * 99,
        "a<br>" * 99,
        "<hr>" * 99,
        "<ul><li>a</li><li>b" + "<li>c" * 99,
        "<table>" + "<tr><th>a<td>b" * 99,
        "<b>a</b><i>b</i>" * 99,
        "<a href='https://e.org/'>a</a>b" * 99,
        "<blockquote><h1>a</h1><pre>b</pre>" * 99,
    ],
)
def test_the_limit_is_kept_to_the_unit_and_used(html: str) -> None:
    sizes = []
    for limit in range(200, 420):
        document = from_html(html, limit=limit)
        assert validate(document) == []
        assert units(document) <= limit
        sizes.append(limit - units(document))
    assert min(sizes) <= 2  # at most a comma's worth is given away


@given(st.text(st.characters(), max_size=120))
@settings(max_examples=200)
def test_plain_text_gives_a_valid_document_with_all_text(source: str) -> None:
    document = from_text(source)
    assert_built_well(document)
    shown = "".join(node.get("text", "") for node in nodes(document))
    assert squeeze(shown) == squeeze(clean_text(source))
    assert_built_well(from_html(from_plain(source)))


@pytest.mark.parametrize("name", FIXTURE_NAMES)
def test_real_mail_gives_a_valid_document_with_all_text(name: str) -> None:
    clean = fixture(name)
    document = from_html(clean)
    assert_built_well(document)
    assert lost_run(visible_runs(clean), to_text(document)) is None


def test_layout_tables_are_taken_apart_and_data_tables_stay() -> None:
    tables = [node for node in from_html(fixture("newsletter.html"))["content"] if node["type"] == "table"]
    assert [node["content"][0]["content"][0]["type"] for node in tables] == ["tableCell", "tableHeader"]
    assert len(tables[1]["content"]) == 3


def test_a_nested_quote_with_heading_and_table_is_flattened_into_one_quote() -> None:
    quotes = [node for node in from_html(fixture("gmail_reply.html"))["content"] if node["type"] == "blockquote"]
    assert len(quotes) == 1
    inside = quotes[0]["content"]
    assert paragraph(text("Steps", "strong")) in inside
    assert [node["attrs"]["order"] for node in inside if node["type"] == "orderedList"] == [3]
    assert paragraph("It does not start.") in inside
    assert paragraph("0x8004") in inside


def test_outlook_spacers_vanish() -> None:
    document = from_html(fixture("outlook.html"))
    assert all(node.get("content") for node in document["content"])
    assert paragraph(text("From:", "strong"), " Jane Roe <jane.roe@example.org>", BREAK, *sent()) in document["content"]


def sent() -> list[Any]:
    return [
        text("Sent:", "strong"),
        text(" Monday, 5 February 2024 09:12"),
        BREAK,
        text("Subject:", "strong"),
        text(" RE: mailbox"),
    ]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("", []),
        ("<p> \n&nbsp;</p><div></div>", []),
        ("a  b\nc", [paragraph("a b c")]),
        ("<p>a<br><br><br>b<br></p>", [paragraph("a", BREAK, BREAK, "b")]),
        ("<b>a</b><b>b</b>", [paragraph(text("ab", "strong"))]),
        ("<b><code>a</code></b>", [paragraph(text("a", "code"))]),
        ("<i><b><u><s>a</s></u></b></i>", [paragraph(text("a", "strong", "em", "underline", "strike"))]),
        ("<hr>", [{"type": "rule"}]),
        ("<h2>a</h2>", [{"type": "heading", "attrs": {"level": 2}, "content": [text("a")]}]),
        ("<h2> </h2>", []),
        ("<pre><b>a</b><br>\tb\n</pre>", [{"type": "codeBlock", "content": [text("a\n\tb")]}]),
        ("<pre></pre>", []),
        ("<ul><li></ul><blockquote></blockquote><table></table>", []),
        ("<blockquote><hr>a</blockquote>", [{"type": "blockquote", "content": [paragraph("a")]}]),
        ("<table><tr><td>a<tr><td>b</table>", [paragraph("a"), paragraph("b")]),
        ("[~accountid:1] @Jane", [paragraph("[~accountid:1] @Jane")]),
    ],
)
def test_tag_map(html: str, expected: list[Any]) -> None:
    assert content(html) == expected


def test_links_keep_code_and_lose_bad_targets() -> None:
    link = {"type": "link", "attrs": {"href": "https://e.org/"}}
    assert content("<a href='https://e.org/'><b><code>x</code></b></a><a href='javascript:x'>y</a>") == [
        paragraph({"type": "text", "text": "x", "marks": [link, {"type": "code"}]}, "y")
    ]


def test_sub_and_sup_exclude_each_other() -> None:
    [node] = content("<sub><sup>x</sup></sub>")[0]["content"]
    assert node["marks"] == [{"type": "subsup", "attrs": {"type": "sub"}}]


def test_list_items_hold_only_what_they_may() -> None:
    [bullets] = content("<ul><li><h1>a</h1><blockquote>b</blockquote><hr><table><tr><th>c</table><pre>d</pre></ul>")
    assert [node["type"] for node in bullets["content"][0]["content"]] == ["paragraph"] * 3 + ["codeBlock"]


def test_an_item_that_begins_with_a_list_gets_a_paragraph_first() -> None:
    [bullets] = content("<ul><li><ul><li>a</ul></ul>")
    assert bullets["content"][0]["content"][0] == {"type": "paragraph"}


def test_sane_spans_stay() -> None:
    [table] = content("<table><tr><th colspan=2>a<tr><td rowspan=9 colspan=999>b<td rowspan=2>c<tr><td>d</table>")
    cells = [[cell.get("attrs") for cell in row["content"]] for row in table["content"]]
    assert cells == [[{"colspan": 2}], [None, {"rowspan": 2}], [None]]


def test_an_empty_cell_holds_an_empty_paragraph() -> None:
    [table] = content("<table><tr><th>a<td></table>")
    assert table["content"][0]["content"][1] == {"type": "tableCell", "content": [{"type": "paragraph"}]}


def test_lists_deeper_than_six_levels_are_flattened() -> None:
    document = doc("<ul><li>x" * 10)
    assert str(document).count("bulletList") == 6
    assert squeeze(to_text(document)).count("x") == 10


def test_the_notice_can_be_worded_and_stands_at_the_end_of_the_document() -> None:
    document = from_html("<ul>" + "<li>word word</li>" * 500, limit=1_000, notice="cut here")
    assert [node["type"] for node in document["content"]] == ["bulletList", "paragraph"]
    assert document["content"][-1] == paragraph(text("cut here", "em"))


def test_a_shortened_text_uses_most_of_its_limit_and_keeps_words_whole() -> None:
    document = from_html("<p>" + "word " * 20_000)
    assert LIMIT - 100 < len(json.dumps(document, separators=(",", ":"), ensure_ascii=False)) <= LIMIT
    assert set(document["content"][0]["content"][0]["text"].split()) == {"word"}


def test_a_limit_without_room_for_the_notice_is_refused() -> None:
    with pytest.raises(ValueError, match="notice"):
        from_html("x", limit=50)
    with pytest.raises(ValueError, match="notice"):
        from_text("x", notice=" ")


def test_plain_text_keeps_its_lines_and_spaces_and_has_no_marks() -> None:
    assert from_text("a\r\n  b https://e.org\n\n \nc\x00")["content"] == [
        paragraph("a", BREAK, "  b https://e.org"),
        paragraph("c"),
    ]


@pytest.mark.parametrize("opening", ["<div>", "<blockquote>", "<ul><li>", "<ol><li>", "<table><tr><td>", "<b><p>"])
def test_ten_thousand_levels_are_flattened_in_time(opening: str) -> None:
    started = time.process_time()
    document = from_html(sanitise(opening * 10_000 + "x"))
    assert time.process_time() - started < 3
    assert_built_well(document)
    assert squeeze(to_text(document)).endswith("x")


def test_a_megabyte_is_shortened_in_time() -> None:
    started = time.process_time()
    document = from_html("<p>x <b>y</b>" * 77_000)
    assert time.process_time() - started < 6
    assert_built_well(document)
