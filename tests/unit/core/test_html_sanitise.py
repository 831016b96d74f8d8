import re
import time

import pytest
from hypothesis import given, settings

from supporthub.core.html import sanitise, to_text
from tests.unit.core.markup import FIXTURE_NAMES, FIXTURES, html_with_words, nasty_html, squeeze, visible_runs

TAG = re.compile(r"<(/?)([a-z0-9]+)((?: [a-z]+=\"[^\"<>]*\")*)>")
ALLOWED = {
    "a", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s",
    "strong", "sub", "sup", "table", "tbody", "td", "th", "tr", "u", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "rel"}, "ol": {"start"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}


def assert_safe(html: str) -> None:
    for _, name, attributes in TAG.findall(html):
        assert name in ALLOWED
        found = dict(re.findall(r' ([a-z]+)="([^"]*)"', attributes))
        assert set(found) <= ATTRIBUTES.get(name, set())
        if name == "a":
            assert re.match(r"(https?://|mailto:|tel:)", found.get("href", "http://"), re.IGNORECASE)
            assert not attributes or found["rel"] == "noopener noreferrer nofollow"
    assert "<" not in TAG.sub("", html)


@given(nasty_html)
@settings(max_examples=300)
def test_only_allowed_tags_attributes_and_links_survive(html: str) -> None:
    assert_safe(sanitise(html))


@given(nasty_html)
@settings(max_examples=300)
def test_sanitising_twice_changes_nothing(html: str) -> None:
    once = sanitise(html)
    assert sanitise(once) == once


@given(html_with_words)
@settings(max_examples=200)
def test_all_words_survive_in_order(generated: tuple[str, list[str]]) -> None:
    html, words = generated
    assert squeeze("".join(visible_runs(sanitise(html)))) == squeeze("".join(words))


@pytest.mark.parametrize("name", FIXTURE_NAMES)
def test_real_mail_is_made_safe_and_stays_so(name: str) -> None:
    clean = sanitise((FIXTURES / name).read_text(encoding="utf-8"))
    assert_safe(clean)
    assert sanitise(clean) == clean


def test_outlook_mail_keeps_its_content_and_loses_its_styles() -> None:
    clean = sanitise((FIXTURES / "outlook.html").read_text(encoding="utf-8"))
    assert "<p>the <strong>shared mailbox</strong> is gone since <em>Monday</em>.</p>" in clean
    assert "[image001.png]" in clean
    assert 'href="https://intranet.example.org/how%20to?x=1&amp;y=2"' in clean
    assert "S:\\share\\manual.docx" in clean
    assert '<td colspan="2"><p>Account</p></td>' in clean
    for gone in ("MsoNormal", "behavior", "file:", "o:p", "shapedefaults"):
        assert gone not in clean


def test_newsletter_loads_nothing_and_runs_nothing() -> None:
    clean = sanitise((FIXTURES / "newsletter.html").read_text(encoding="utf-8"))
    assert "[Example Cloud]" in clean
    assert '<a href="https://news.example.net/buy"' in clean
    for gone in ("<img", "fetch", "px.example.net", "javascript", "data:", "script"):
        assert gone not in clean
    assert "Unsubscribe Privacy" in clean


def test_broken_mail_is_read_as_a_browser_would() -> None:
    clean = sanitise((FIXTURES / "broken.html").read_text(encoding="utf-8"))
    assert clean.startswith(
        "<p>First line<br>second <strong>bold </strong><strong><em>both</em></strong><em> italic</em>"
    )
    assert "<li>stray item</li><li>another" in clean
    assert "<tr><td>left</td><td>right</td></tr><tr><td>loose text in a row</td><td>cell</td></tr>" in clean
    assert "1 &lt; 2 and 3 &gt; 2 &amp;lt; " in clean
    assert "never shown" not in clean
    assert "hidden" not in clean
    assert "<p>after</p>" in clean
    assert "kept text" in clean


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<ul><li>a<ul><li>b</ul></ul>", "<ul><li>a<ul><li>b</li></ul></li></ul>"),
        ("<ul><li>a</li><ul><li>b</ul></ul>", "<ul><li>a</li><li><ul><li>b</li></ul></li></ul>"),
        ("<h2><p>x</p></h2>", "<h2>x</h2>"),
        ("<pre>\n\nx\n y</pre>", "<pre>x\n y</pre>"),
        ("<pre><code class=py>x</code></pre>", "<pre>x</pre>"),
        ("<b>a<p>b</b>c", "<strong>a</strong><p><strong>b</strong>c</p>"),
        (
            "<table><tr><td><b>a<td>b</table>",
            "<table><tbody><tr><td><strong>a</strong></td><td>b</td></tr></tbody></table>",
        ),
        ("<table>x</table>", "<table><tbody><tr><td>x</td></tr></tbody></table>"),
        ('<a href="https://e.org/?a=1&b=<">x</a>', None),
        ("<img alt='a &lt;b&gt;' src=x>", "[a &lt;b&gt;]"),
        ("<img src=cid:4711@x>", ""),
        ("<p>&lt;script&gt;</p>", "<p>&lt;script&gt;</p>"),
        ("<script>x", ""),
        ("<div a='", ""),
    ],
)
def test_shapes(html: str, expected: str | None) -> None:
    clean = sanitise(html)
    assert_safe(clean)
    if expected is not None:
        assert clean == expected


def test_the_text_after_the_deepest_level_stays_apart() -> None:
    assert "a<br>b<br>c" in sanitise("<div>" * 300 + "a<div>b</div>c")


HOSTILE = {
    "divs": "<div>" * 10_000 + "x" + "</div>" * 10_000,
    "quotes": "<blockquote>" * 10_000 + "x",
    "lists": "<ul><li>" * 10_000 + "x",
    "tables": "<table><tr><td>" * 10_000 + "x",
    "marks": "<b><i><u>" * 10_000 + "x",
    "misnested": "<b><p>" * 10_000 + "x",
    "one link around everything": "<a href='https://e.org/" + "y" * 2_000 + "'>" + "<p>x" * 20_000,
    "a link around cells": "<a href='https://e.org/" + "y" * 2_000 + "'><table>" + "<td><a>x" * 20_000,
    "end tags": "<div>" * 200 + "</li></p></td>" * 10_000 + "x",
    "unclosed comments": "x" + "<!-" * 50_000,
    "unclosed quotes": "x" + "<a b='" * 20_001,
    "marks on marks": "x" + "\u0315\u0334" * 50_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_read_in_linear_time(name: str) -> None:
    html = HOSTILE[name]
    started = time.process_time()
    clean = sanitise(html)
    text = to_text(html)
    assert time.process_time() - started < 5
    assert "x" in clean
    assert "x" in text
    assert len(clean) < 40 * len(html)
