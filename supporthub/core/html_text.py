"""Readable plain text of HTML."""

import re

from supporthub.core.html_events import CELLS, HEADINGS, LISTS, Close, Event, Open, Run, read
from supporthub.core.text import compose

_SPACES = re.compile("[ \t\n\r\f\u00a0]+")
# Deeper quotes and lists are still written, but no longer moved to the right.
_DEEPEST_INDENT = 10
_SPACED = HEADINGS | {"p", "blockquote", "pre", "table"}


def to_text(html: str) -> str:
    """Plain text of `html`: blocks on lines of their own, lists with bullets or numbers, quotes behind `> `.

    A link's target follows its text in parentheses when it says something else. A table's row is a line with
    ` | ` between its cells; a row with one cell, or with cells of several lines, is written as blocks.
    """
    writer = _Writer()
    for event in read(html):
        writer.take(event)
    return writer.finish()


class _Indent:
    __slots__ = ("first", "rest")

    def __init__(self, first: str, rest: str) -> None:
        self.first = first
        self.rest = rest

    def take(self) -> str:
        prefix, self.first = self.first, self.rest
        return prefix


class _Sheet:
    """Lines under construction: the whole text, or one cell of a table."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.indents: list[_Indent] = []
        self._gap: int | None = None

    def ask_for_gap(self) -> None:
        """Put an empty line before the next one, indented as the outermost place that asked for it."""
        here = len(self.indents)
        self._gap = here if self._gap is None else min(self._gap, here)

    def write(self, line: str) -> None:
        if self._gap is not None and self.lines:
            self.lines.append("".join(indent.rest for indent in self.indents[: self._gap]).rstrip())
        self._gap = None
        self.lines.append(("".join([indent.take() for indent in self.indents]) + line).rstrip())


class _Writer:
    def __init__(self) -> None:
        self._sheets = [_Sheet()]
        self._rows: list[list[_Sheet]] = []
        self._counters: list[int | None] = []
        self._indented: list[bool] = []
        self._inline: list[str] = []
        self._pre = False
        self._link: str | None = None
        self._link_text: list[str] = []

    def take(self, event: Event) -> None:
        if isinstance(event, Run):
            self._run(event)
        elif isinstance(event, Open):
            self._end_line()
            self._open(event)
        elif isinstance(event, Close):
            self._end_line()
            self._close(event.tag)
        elif event.tag == "br":
            self._inline.append("\n")
        else:
            self._end_line()
            self._sheets[-1].write("---")

    def finish(self) -> str:
        self._end_line()
        return compose("\n".join(self._sheets[0].lines).strip("\n"))

    def _run(self, run: Run) -> None:
        if run.href != self._link:
            self._end_link()
            self._link = run.href
        text = run.text if self._pre else _SPACES.sub(" ", run.text)
        self._inline.append(text)
        if run.href:
            self._link_text.append(text)

    def _end_link(self) -> None:
        if self._link:
            text = "".join(self._link_text).strip()
            if not _says_the_same(text, self._link):
                self._inline.append(f" ({self._link})")
        self._link = None
        self._link_text.clear()

    def _end_line(self) -> None:
        self._end_link()
        if not self._inline:
            return
        text = "".join(self._inline)
        self._inline.clear()
        lines = text.split("\n") if self._pre else [_SPACES.sub(" ", line).strip() for line in text.split("\n")]
        while lines and not lines[-1].strip():
            lines.pop()
        if any(line.strip() for line in lines):
            for line in lines:
                self._sheets[-1].write(line)

    def _open(self, event: Open) -> None:
        tag, sheet = event.tag, self._sheets[-1]
        if (tag in _SPACED or tag in LISTS) and not self._counters:
            sheet.ask_for_gap()
        if tag in LISTS:
            self._counters.append(int(event.attrs.get("start", "1")) if tag == "ol" else None)
        elif tag == "li":
            bullet = self._bullet()
            self._indent(_Indent(bullet, " " * len(bullet)))
        elif tag == "blockquote":
            self._indent(_Indent("> ", "> "))
        elif tag == "pre":
            self._pre = True
        elif tag == "tr":
            self._rows.append([])
        elif tag in CELLS:
            self._sheets.append(_Sheet())

    def _close(self, tag: str) -> None:
        sheet = self._sheets[-1]
        if tag in LISTS:
            self._counters.pop()
        elif tag in ("li", "blockquote"):
            if self._indented.pop():
                sheet.indents.pop()
        elif tag == "tr":
            self._end_row(self._rows.pop())
        elif tag in CELLS:
            self._rows[-1].append(self._sheets.pop())
        elif tag == "pre":
            self._pre = False
        if (tag in _SPACED or tag in LISTS) and not self._counters:
            sheet.ask_for_gap()

    def _bullet(self) -> str:
        number = self._counters[-1]
        if number is None:
            return "- "
        self._counters[-1] = number + 1
        return f"{number}. "

    def _indent(self, indent: _Indent) -> None:
        room = sum(self._indented) < _DEEPEST_INDENT
        self._indented.append(room)
        if room:
            self._sheets[-1].indents.append(indent)

    def _end_row(self, cells: list[_Sheet]) -> None:
        sheet = self._sheets[-1]
        if len(cells) > 1 and all(len(cell.lines) <= 1 for cell in cells):
            line = " | ".join("".join(cell.lines) for cell in cells)
            if line.strip(" |"):
                sheet.write(line)
            return
        for cell in cells:
            for line in cell.lines:
                sheet.write(line)


def _says_the_same(text: str, link: str) -> bool:
    if text == link:
        return True
    without_scheme = link.partition(":")[2].removeprefix("//")
    return text.rstrip("/") in (link.rstrip("/"), without_scheme.rstrip("/"))
