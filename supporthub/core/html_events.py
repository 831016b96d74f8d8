"""HTML of any quality read as a small, well-nested, bounded stream of events.

Blocks are nested (at most `MAX_DEPTH` deep); marks are not nested but stand on each run of text. What is not
known loses its tag and keeps its text, in order. Nothing here decides what is safe to show: `html.sanitise` does.
"""

import re
from typing import NamedTuple

from supporthub.core.html_tokens import Tag, tokens
from supporthub.core.text import compose, safe_link, strip_controls

MAX_DEPTH = 128
MAX_SPAN = 1_000
MARKS = ("strong", "em", "u", "s", "sub", "sup", "code")
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
LISTS = frozenset({"ul", "ol"})
CELLS = frozenset({"td", "th"})
SPACE = " \t\n\r\f"

_MARK_OF = {name: name for name in MARKS} | {
    "b": "strong", "i": "em", "dfn": "em", "var": "em", "ins": "u", "strike": "s", "del": "s",
    "tt": "code", "kbd": "code", "samp": "code",
}  # fmt: skip
_BLOCK_OF = {name: name for name in (*HEADINGS, *LISTS, "div", "p", "blockquote", "pre")} | {
    "listing": "pre", "xmp": "pre", "dir": "ul", "menu": "ul",
}  # fmt: skip
_BLOCK_OF |= dict.fromkeys(
    (
        "address", "article", "aside", "center", "dd", "details", "dl", "dt", "fieldset", "figcaption", "figure",
        "footer", "form", "header", "legend", "main", "nav", "search", "section", "summary",
    ),
    "div",
)  # fmt: skip
_ROW_GROUPS = frozenset({"tbody", "thead", "tfoot", "caption", "colgroup"})
# What a block needs below itself before it can hold text.
_ROOM = {"table": 4, "ul": 2, "ol": 2}
_SPAN = re.compile(r"[0-9]{1,4}", re.ASCII)
_REPEATED_LINK_ALLOWANCE = 10_000


class Open(NamedTuple):
    """A block begins. Tags: div p h1-h6 ul ol li blockquote pre table tbody tr td th."""

    tag: str
    attrs: dict[str, str]


class Close(NamedTuple):
    """The innermost open block ends."""

    tag: str


class Run(NamedTuple):
    """Non-empty text with its marks (in the order of `MARKS`) and the harmless address it links to."""

    text: str
    marks: tuple[str, ...]
    href: str | None


class Void(NamedTuple):
    """A `br` or an `hr`."""

    tag: str


Event = Open | Close | Run | Void


class _Frame:
    """An open block: the dropped start tags whose end tags must be ignored, and what to restore at its end."""

    __slots__ = ("ignored", "inline", "saved", "tag")

    def __init__(self, tag: str, saved: tuple[dict[str, int], str | None] | None = None) -> None:
        self.tag = tag
        self.ignored: dict[str, int] = {}
        self.inline = False
        self.saved = saved


def read(html: str) -> list[Event]:
    """The events of `html`, in linear time; never raises. A table always holds one tbody with rows with cells."""
    reader = _Reader(len(html))
    for token in tokens(strip_controls(html)):
        if isinstance(token, str):
            reader.text(token)
        elif token.closing:
            reader.end(token.name)
        else:
            reader.start(token)
    return reader.finish()


class _Reader:
    def __init__(self, size: int) -> None:
        self._events: list[Event] = []
        self._stack = [_Frame("body")]
        self._pending: list[str] = []
        self._pending_style: tuple[tuple[str, ...], str | None] = ((), None)
        self._counts: dict[str, int] = {}
        self._href: str | None = None
        self._href_used = False
        # One link around many blocks is written once per block: what that may cost is bounded.
        self._allowance = size + _REPEATED_LINK_ALLOWANCE
        self._soft_break = False
        self._lost_tables = 0

    # -- tokens

    def text(self, text: str) -> None:
        text = strip_controls(text)
        top = self._stack[-1]
        blank = not text.strip(SPACE)
        if not text or (blank and (self._soft_break or top.tag in ("ul", "ol", "tbody", "tr"))):
            return
        if not blank:
            self._make_legal_parent()
            top = self._stack[-1]
        if self._soft_break:
            self._soft_break = False
            if top.inline:
                self._line_break()
        top.inline = top.inline or not blank
        style = self._style(top.tag, blank=blank)
        if style != self._pending_style:
            self._flush()
            self._pending_style = style
        self._pending.append(text)

    def start(self, tag: Tag) -> None:
        name = tag.name
        if name in _MARK_OF:
            mark = _MARK_OF[name]
            self._counts[mark] = self._counts.get(mark, 0) + 1
        elif name == "a":
            self._set_link(safe_link(tag.attrs.get("href", "")))
        elif name in _BLOCK_OF:
            self._open_block(_BLOCK_OF[name], tag.attrs)
        elif name == "br":
            self._make_legal_parent()
            self._soft_break = False
            self._line_break()
        elif name == "img":
            self.text(_instead_of_image(tag.attrs))
        elif name == "li":
            self._open_item()
        elif name in ("table", "hr"):
            self._open_block(name, tag.attrs)
        elif name in CELLS or name == "tr" or name in _ROW_GROUPS:
            self._open_table_part(tag)

    def end(self, name: str) -> None:
        if name in _MARK_OF:
            mark = _MARK_OF[name]
            self._counts[mark] = max(0, self._counts.get(mark, 0) - 1)
        elif name == "a":
            self._set_link(None)
        elif name in CELLS or name == "tr" or name in _ROW_GROUPS:
            if not self._lost_tables:
                self._close_table_part(name)
        elif name == "br":
            self.start(Tag("br", closing=False, attrs={}))
        elif name in _BLOCK_OF or name in ("li", "table"):
            self._close_block(_BLOCK_OF.get(name, name))

    def finish(self) -> list[Event]:
        self._pop_to(1)
        self._flush()
        return self._events

    # -- inline

    def _style(self, parent: str, *, blank: bool) -> tuple[tuple[str, ...], str | None]:
        if blank:
            return (), None
        counts = self._counts
        marks = tuple(mark for mark in MARKS if counts.get(mark) and not (mark == "code" and parent == "pre"))
        return marks, self._href

    def _set_link(self, href: str | None) -> None:
        self._href, self._href_used = href, False

    def _line_break(self) -> None:
        self._flush()
        self._events.append(Void("br"))

    def _flush(self) -> None:
        if not self._pending:
            return
        text = compose("".join(self._pending))
        self._pending.clear()
        marks, href = self._pending_style
        if self._stack[-1].tag == "pre" and isinstance(self._events[-1], Open):
            text = text.lstrip("\n")  # a parser drops the first one, so none can be kept faithfully
        if not text:
            return
        if href is not None and href == self._href:
            if self._href_used:
                self._allowance -= len(href)
            self._href_used = True
            if self._allowance < 0:
                href = None
        self._events.append(Run(text, marks, href))

    # -- blocks

    def _push(self, tag: str, attrs: dict[str, str] | None = None) -> None:
        self._flush()
        self._soft_break = False
        saved = (dict(self._counts), self._href) if tag in CELLS else None
        self._stack[-1].inline = False
        self._stack.append(_Frame(tag, saved))
        self._events.append(Open(tag, attrs or {}))

    def _pop_to(self, size: int) -> None:
        while len(self._stack) > size:
            self._flush()
            self._soft_break = False
            frame = self._stack.pop()
            self._lost_tables -= frame.ignored.get("table", 0)
            if frame.saved:
                self._counts, self._href = frame.saved
                self._href_used = True
            self._events.append(Close(frame.tag))

    def _ignore(self, tag: str) -> None:
        """Drop a start tag and remember it, so that its end tag does not close another block."""
        ignored = self._stack[-1].ignored
        ignored[tag] = ignored.get(tag, 0) + 1
        self._lost_tables += tag == "table"
        self._soft_break = True

    def _make_legal_parent(self) -> None:
        tag = self._stack[-1].tag
        if tag in LISTS:
            self._push("li")
        elif tag == "tbody":
            self._push("tr")
            self._push("td")
        elif tag == "tr":
            self._push("td")

    def _open_block(self, tag: str, attrs: dict[str, str]) -> None:
        top = self._stack[-1].tag
        if top in HEADINGS or top == "pre":
            if tag in ("div", "p"):
                self._ignore(tag)
                return
            self._pop_to(len(self._stack) - 1)
        elif top == "p":
            self._pop_to(len(self._stack) - 1)
        self._make_legal_parent()
        if tag == "hr":
            self._flush()
            self._soft_break = False
            self._stack[-1].inline = False
            self._events.append(Void("hr"))
        elif len(self._stack) + _ROOM.get(tag, 1) > MAX_DEPTH:
            self._ignore(tag)
        else:
            self._push(
                tag, {"start": attrs["start"]} if tag == "ol" and _SPAN.fullmatch(attrs.get("start", "")) else {}
            )
            if tag == "table":
                self._push("tbody")

    def _open_item(self) -> None:
        index = self._find("li", until=("ul", "ol", "blockquote", *CELLS))
        if index:
            self._pop_to(index)
        elif self._stack[-1].tag not in LISTS:
            self._open_block("ul", {})
        if self._stack[-1].tag in LISTS:
            self._push("li")

    def _open_table_part(self, tag: Tag) -> None:
        table = self._find("tbody", until=())
        if self._lost_tables or not table:
            self._soft_break = True
            return
        if tag.name not in CELLS:
            self._pop_to(table + 1)
            if tag.name == "tr":
                self._push("tr")
            return
        self._pop_to(table + 2)
        if len(self._stack) == table + 1:
            self._push("tr")
        spans = {key: _span(tag.attrs.get(key, "")) for key in ("colspan", "rowspan")}
        self._push(tag.name, {key: str(number) for key, number in spans.items() if number > 1})

    def _close_table_part(self, name: str) -> None:
        table = self._find("tbody", until=())
        if table:
            self._pop_to(table + (2 if name in CELLS else 1))

    def _close_block(self, tag: str) -> None:
        ignored = self._stack[-1].ignored
        if ignored.get(tag):
            ignored[tag] -= 1
            self._lost_tables -= tag == "table"
            self._soft_break = True
            return
        if tag == "table":
            index = self._find("table", until=())
        elif tag == "p" or tag in HEADINGS:  # these hold no blocks, so an open one is the innermost
            top = self._stack[-1].tag
            index = len(self._stack) - 1 if top == tag or (top in HEADINGS and tag in HEADINGS) else 0
        else:
            index = self._find(tag, until=("ul", "ol", *CELLS) if tag == "li" else ("td", "th"))
        if index:
            self._pop_to(index)

    def _find(self, tag: str, *, until: tuple[str, ...]) -> int:
        """Index of the innermost open `tag` that no block of `until` hides; 0 when there is none."""
        for index in range(len(self._stack) - 1, 0, -1):
            found = self._stack[index].tag
            if found == tag:
                return index
            if found in until:
                return 0
        return 0


def _span(value: str) -> int:
    value = value.strip()
    return min(int(value), MAX_SPAN) if _SPAN.fullmatch(value) else 1


def _instead_of_image(attrs: dict[str, str]) -> str:
    """An image's alternative text in brackets, else the file name of an attached one; nothing for a remote one."""
    alt = " ".join(attrs.get("alt", "").split())
    source = attrs.get("src", "")
    if not alt and source[:4].lower() == "cid:":
        name = source[4:].partition("@")[0]
        alt = name if "." in name else ""
    return f"[{alt}]" if alt else ""
