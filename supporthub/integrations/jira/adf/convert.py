"""HTML and plain text made into documents that Jira accepts. Pure."""

import re
from typing import Any

from supporthub.core.html_events import CELLS, HEADINGS, LISTS, Close, Event, Open, Run, Void, read
from supporthub.core.text import clean_text
from supporthub.integrations.jira.adf.inline import Line
from supporthub.integrations.jira.adf.measure import LIMIT, NOTICE, fit_rowspans, shorten
from supporthub.integrations.jira.adf.repair import repair
from supporthub.integrations.jira.adf.schema import Doc, Node
from supporthub.integrations.jira.adf.tables import data_tables

_DEEPEST_LIST = 6
_WIDEST_SPAN = 50
_SMALLEST_NODE = len('{"type":"rule"}')
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_HEADING_PLACES = frozenset({"doc", "tableCell", "tableHeader"})
_TYPES = {
    "ul": "bulletList",
    "ol": "orderedList",
    "li": "listItem",
    "tr": "tableRow",
    "td": "tableCell",
    "th": "tableHeader",
}


def from_html(sanitised_html: str, *, limit: int = LIMIT, notice: str = NOTICE) -> Doc:
    """A valid document with all visible text of the HTML in order, measuring at most `limit` (see `measure`).

    Expects the output of `supporthub.core.html.sanitise`, but other HTML gives a valid document too. Mentions, cards
    and media are never made, links only to addresses that `safe_link` accepts. Tables stay tables at the top level
    when they have a header cell, or several columns and no table inside; others are taken apart, cell by cell.
    Quotes and headings inside lists, and headings inside quotes, become paragraphs (a heading's text strong).
    What does not fit is left out at the end, where a paragraph in italics says `notice`. Raises ValueError when
    `limit` leaves no room even for that, or when `notice` is empty.
    """
    events = read(sanitised_html)
    builder = _Builder(data_tables(events), stop_above=limit)
    for index, event in enumerate(events):
        builder.take(index, event)
        if builder.full:
            break
    return shorten(repair(builder.finish()), limit, notice, incomplete=builder.full)


def from_text(text: str, *, limit: int = LIMIT, notice: str = NOTICE) -> Doc:
    """The plainest document: unmarked paragraphs at blank lines, hard breaks at line ends.

    The fallback when Jira refused the document made from HTML. Limit, notice and error as for `from_html`.
    """
    clean = clean_text(text[: 4 * limit])
    paragraphs: list[Node] = []
    for part in _BLANK_LINES.split(clean):
        if not part.strip():
            continue
        nodes: list[Node] = []
        for line in part.strip("\n").rstrip().split("\n"):
            nodes.append({"type": "hardBreak"})
            if line.rstrip():
                nodes.append({"type": "text", "text": line.rstrip()})
        paragraphs.append({"type": "paragraph", "content": nodes[1:]})
    doc: Doc = {"version": 1, "type": "doc", "content": paragraphs}
    return shorten(doc, limit, notice, incomplete=len(text) > 4 * limit)


class _Builder:
    """Turns events into nodes. Every open tag has an entry in `_open`: its container, or None when it has none."""

    def __init__(self, tables: frozenset[int], stop_above: int) -> None:
        self._tables = tables
        self._stop_above = stop_above
        self._size = 0
        self._containers: list[Node] = [{"type": "doc", "content": []}]
        self._open: list[Node | None] = []
        self._lists = 0
        self._line = Line()
        self._heading: int | None = None
        self._code: list[str] | None = None

    @property
    def full(self) -> bool:
        """More was taken than can be kept, so the rest need not be read."""
        return self._size > self._stop_above

    def take(self, index: int, event: Event) -> None:
        if isinstance(event, Run):
            self._run(event)
        elif isinstance(event, Void):
            self._void(event.tag)
        elif isinstance(event, Close):
            self._close(event.tag)
        else:
            self._end_line()
            self._open.append(self._begin(index, event))

    def finish(self) -> Doc:
        self._end_code()
        self._end_line()
        while self._open:
            self._end(self._open.pop())
        return {"version": 1, "type": "doc", "content": self._containers[0]["content"]}

    # -- inline

    def _run(self, run: Run) -> None:
        if self._code is not None:
            self._code.append(run.text)
            self._size += len(run.text)
        else:
            strong = self._heading is not None and not self._heading_fits()
            self._size += self._line.add(run, strong=strong)

    def _void(self, tag: str) -> None:
        if tag == "hr":
            self._end_line()
            if self._place() in _HEADING_PLACES:
                self._append({"type": "rule"})
        elif self._code is not None:
            self._code.append("\n")
            self._size += 1
        else:
            self._line.line_break()

    def _end_line(self) -> None:
        nodes = self._line.take()
        if not nodes:
            return
        if self._heading is not None and self._heading_fits():
            self._append({"type": "heading", "attrs": {"level": self._heading}, "content": nodes})
        else:
            self._append({"type": "paragraph", "content": nodes})

    def _heading_fits(self) -> bool:
        return self._place() in _HEADING_PLACES

    # -- blocks

    def _place(self) -> str:
        return str(self._containers[-1]["type"])

    def _append(self, node: Node) -> None:
        self._size += _SMALLEST_NODE
        self._containers[-1]["content"].append(node)

    def _begin(self, index: int, event: Open) -> Node | None:
        tag, place = event.tag, self._place()
        if tag in HEADINGS:
            self._heading = int(tag[1])
        elif tag == "pre":
            self._code = []
        elif tag in LISTS:
            self._lists += 1
            if self._lists <= _DEEPEST_LIST:
                return self._push(_TYPES[tag], _list_attrs(event))
        elif tag == "blockquote":
            if place in _HEADING_PLACES:
                return self._push("blockquote", {})
        elif tag == "table":
            if place == "doc" and index in self._tables:
                return self._push("table", {})
        elif self._is_expected(tag, place):
            attrs = {key: int(value) for key, value in event.attrs.items() if int(value) <= _WIDEST_SPAN}
            return self._push(_TYPES[tag], attrs)
        return None

    @staticmethod
    def _is_expected(tag: str, place: str) -> bool:
        """Whether the tag is a part of the container it stands in, and not of one that was taken apart."""
        if tag == "li":
            return place in ("bulletList", "orderedList")
        return (tag == "tr" and place == "table") or (tag in CELLS and place == "tableRow")

    def _push(self, kind: str, attrs: dict[str, Any]) -> Node:
        node: Node = {"type": kind} | ({"attrs": attrs} if attrs else {}) | {"content": []}
        self._containers.append(node)
        return node

    def _close(self, tag: str) -> None:
        self._end_code()
        self._end_line()
        if tag in HEADINGS:
            self._heading = None
        elif tag in LISTS:
            self._lists -= 1
        self._end(self._open.pop())

    def _end_code(self) -> None:
        if self._code is not None:
            text = "".join(self._code).strip("\n").rstrip()
            self._code = None
            if text:
                self._append({"type": "codeBlock", "content": [{"type": "text", "text": text}]})

    def _end(self, container: Node | None) -> None:
        """Hand a finished container to its parent; without content it is left out, a cell gets an empty paragraph."""
        if container is None:
            return
        self._containers.pop()
        content = container["content"]
        if container["type"] in ("tableCell", "tableHeader") and not content:
            content.append({"type": "paragraph"})
        if container["type"] == "table":
            fit_rowspans(content)
        if container["type"] == "listItem" and content and content[0]["type"] in ("bulletList", "orderedList"):
            content.insert(0, {"type": "paragraph"})  # older editors want text before an inner list
        if content:
            self._append(container)


def _list_attrs(event: Open) -> dict[str, Any]:
    start = int(event.attrs.get("start", "1"))
    return {"order": start} if start != 1 else {}
