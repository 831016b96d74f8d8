import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supporthub.core.html import from_markdown, from_plain, sanitise, to_text
from supporthub.core.text import clean_text
from tests.unit.core.markup import FIXTURES, lost_run, nasty_html, squeeze, visible_runs

REL = 'rel="noopener noreferrer nofollow"'


def test_plain_text_becomes_paragraphs_and_lines() -> None:
    assert from_plain("a\r\nb\n \n\nc <b>") == "<p>a<br>b</p><p>c &lt;b&gt;</p>"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("see https://e.org/a_(b).", "https://e.org/a_(b)"),
        ("(https://e.org/x)", "https://e.org/x"),
        ("https://e.org/?a=1&b=2!", "https://e.org/?a=1&b=2"),
        ("<http://e.org>", "http://e.org"),
    ],
)
def test_addresses_in_plain_text_become_links(text: str, url: str) -> None:
    escaped = url.replace("&", "&amp;")
    assert f'<a href="{escaped}" {REL}>{escaped}</a>' in from_plain(text)


@pytest.mark.parametrize("text", ["javascript:alert(1)", "ftp://e.org", "www.e.org", "https://", 'http://"onclick=x'])
def test_other_addresses_stay_text(text: str) -> None:
    assert "<a" not in from_plain(text)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")) | st.sampled_from("\n \t"), max_size=80))
@settings(max_examples=300)
def test_plain_text_comes_back(text: str) -> None:
    html = from_plain(text)
    assert sanitise(html) == html
    assert squeeze(to_text(html)) == squeeze(clean_text(text))


def test_lines_of_plain_text_come_back_as_lines() -> None:
    text = "Hello,\n\nit is https://e.org/x?a=1&b=2 <down>.\nThanks\n\n-- \nJane"
    assert to_text(from_plain(text)) == text.replace("-- ", "--")


def test_markdown_with_tables_and_strikethrough() -> None:
    html = from_markdown("# T\n\n~~a~~ **b** `c`\n\n|x|y|\n|-|-|\n|1|2|\n\n```py\nz\n```\n")
    for part in ("<h1>T</h1>", "<s>a</s> <strong>b</strong> <code>c</code>", "<th>x</th>", "<pre>z\n</pre>"):
        assert part in html


def test_markdown_shows_html_and_refuses_scripts() -> None:
    html = from_markdown("<script>x</script> [a](javascript:x) ![pic](http://e.org/p.png) [b](https://e.org)")
    assert "&lt;script&gt;" in html
    assert "[pic]" in html
    assert html.count("<a ") == 1
    assert "<img" not in html


@given(st.text(alphabet="*_`~[]()<>|-#> \nab!1.", max_size=80))
def test_markdown_is_always_sanitised(text: str) -> None:
    html = from_markdown(text)
    assert sanitise(html) == html


@given(nasty_html)
@settings(max_examples=200)
def test_text_of_html_loses_nothing(html: str) -> None:
    clean = sanitise(html)
    assert lost_run(visible_runs(clean), to_text(clean)) is None


def test_text_of_a_reply() -> None:
    text = to_text((FIXTURES / "gmail_reply.html").read_text(encoding="utf-8"))
    for part in (
        "- Why did it break?\n- Where is the log?\n  - on the server",
        "\n+43 1 234567 (tel:+431234567)\n",
        "Support <support@example.org> wrote:",
        "> Please try outlook.exe /safe.",
        "> 3. Close it\n> 4. Open it",
        "> > Code | Text\n> > 0x8004 | not found",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b<br>c</p>", "a\n\nb\nc"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ('<a href="https://e.org/x">here</a>!', "here (https://e.org/x)!"),
        ('<a href="https://e.org/">e.org</a>', "e.org"),
        ("<ol start=9><li>a<p>b<li>c</ol>", "9. a\n   b\n10. c"),
        ("<table><tr><td><p>one<p>two<td>x</table>", "one\n\ntwo\nx"),
        ("<pre>a\n  b</pre>c", "a\n  b\n\nc"),
        ("a<hr>b", "a\n---\nb"),
        ("<p>a</p><blockquote>b<p>c</blockquote>d", "a\n\n> b\n>\n> c\n\nd"),
    ],
)
def test_layout_of_text(html: str, text: str) -> None:
    assert to_text(html) == text


@pytest.mark.parametrize("piece", ["> ", "- ", "[", "*a ", "`a", "|a", "![a]("])
def test_markdown_of_strangers_ends(piece: str) -> None:
    started = time.process_time()
    from_markdown(piece * (50_000 // len(piece)))
    assert time.process_time() - started < 5


def test_addresses_without_end_end() -> None:
    started = time.process_time()
    from_plain("http://" * 20_000 + ")" * 50_000 + "(https://e.co/)" * 10_000)
    assert time.process_time() - started < 5
