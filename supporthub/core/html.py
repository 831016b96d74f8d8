"""HTML from outside made safe and small, and the ways between HTML, Markdown and plain text.

Pure: no settings, no network. Every function is linear in its input and indifferent to deep nesting.
"""

import re
from html import escape

import nh3
from markdown_it import MarkdownIt

from supporthub.core.html_events import MARKS, Close, Event, Open, Run, read
from supporthub.core.html_text import to_text
from supporthub.core.text import LINK_SCHEMES, clean_text, one_line, safe_link

__all__ = ["clean_text", "from_markdown", "from_plain", "one_line", "safe_link", "sanitise", "to_text"]

_TAGS = {
    *MARKS, "a", "blockquote", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
    "table", "tbody", "td", "th", "tr", "ul",
}  # fmt: skip
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes={"a": {"href"}, "ol": {"start"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
    url_schemes=set(LINK_SCHEMES),
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_URL = re.compile(r"""https?://[^\s<>"'`{}|\\^]{1,2000}""", re.IGNORECASE)
_AFTER_URL = ".,;:!?*_~…"


def sanitise(html: str) -> str:
    """`html` reduced to an allow-list, safe to put into a page; idempotent.

    Kept: paragraphs, headings, lists, quotes, code, tables (with spans), rules and strong, em, u, s, sub, sup.
    Links keep only absolute http, https, mailto and tel addresses and get `rel`; every other attribute goes.
    Images become their alternative text (or an attached file's name) in brackets, so nothing remote is loaded.
    Scripts and styles lose their content, other unknown tags keep it. Blocks nest at most 128 deep.
    """
    return _CLEANER.clean("".join(map(_markup, read(html))))


def from_plain(text: str) -> str:
    """Sanitised HTML of plain text: a paragraph per block of lines, `<br>` per line, http(s) addresses as links."""
    paragraphs = _BLANK_LINES.split(clean_text(text))
    return sanitise("".join(f"<p>{_linked(part)}</p>" for part in (p.strip("\n") for p in paragraphs) if part.strip()))


def from_markdown(text: str) -> str:
    """Sanitised HTML of CommonMark with tables and strikethrough; HTML inside it is shown, not obeyed."""
    return sanitise(_MARKDOWN.render(clean_text(text)))


def _markup(event: Event) -> str:
    if isinstance(event, Run):
        text = escape(event.text, quote=False)
        for mark in reversed(event.marks):
            text = f"<{mark}>{text}</{mark}>"
        return f'<a href="{escape(event.href)}">{text}</a>' if event.href else text
    if isinstance(event, Close):
        return f"</{event.tag}>"
    if isinstance(event, Open):
        return "<" + event.tag + "".join(f' {key}="{escape(value)}"' for key, value in event.attrs.items()) + ">"
    return f"<{event.tag}>"


def _linked(text: str) -> str:
    parts: list[str] = []
    done = 0
    for match in _URL.finditer(text):
        url = _without_punctuation(match.group())
        if safe_link(url) != url:
            continue
        parts.append(_lines(text[done : match.start()]))
        parts.append(f'<a href="{escape(url)}">{escape(url, quote=False)}</a>')
        done = match.start() + len(url)
    parts.append(_lines(text[done:]))
    return "".join(parts)


def _without_punctuation(url: str) -> str:
    """`url` without the sentence's punctuation, and without a closing bracket that it does not open itself."""
    while True:
        shorter = url.rstrip(_AFTER_URL)
        for opening, closing in ("()", "[]"):
            if shorter.endswith(closing) and shorter.count(closing) > shorter.count(opening):
                shorter = shorter[:-1]
        if shorter == url:
            return url
        url = shorter


def _lines(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>")
