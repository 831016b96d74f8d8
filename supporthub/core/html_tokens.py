"""HTML cut into tags and text in linear time, as browsers cut it.

The standard library's parser is quadratic on some broken input, and the sanitiser's parser is quadratic
on deep nesting. Mail comes from strangers, so this pass goes first; it never backtracks and never recurses.
"""

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

_MARKUP = re.compile(r"<[a-zA-Z/!?]", re.ASCII)
_NAME = re.compile(r"[a-zA-Z][^\s/>]*", re.ASCII)
_GAP = re.compile(r"[\s/]*", re.ASCII)
_ATTRIBUTE = re.compile(r"([^\s/>][^\s/>=]*)(\s*=\s*)?", re.ASCII)
_BARE_VALUE = re.compile(r"[^\s>]*", re.ASCII)
# html.unescape raises ValueError for more digits than int() takes.
_LONG_NUMBER = re.compile(r"&#[0-9]{8,};?", re.ASCII)
_RAW_END = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.ASCII | re.IGNORECASE)
    for name in ("script", "style", "title", "iframe", "noembed", "noframes")
}


class Tag(NamedTuple):
    """A start or an end tag; `name` and the attributes' names are in lower case, values are decoded."""

    name: str
    closing: bool
    attrs: dict[str, str]


Token = str | Tag


def tokens(source: str) -> Iterator[Token]:
    """Tags and decoded text in order; comments, doctypes and the content of scripts, styles and titles are left out.

    An unclosed comment, tag, script, style or title swallows the rest, as in a browser.
    """
    pos = 0
    while markup := _MARKUP.search(source, pos):
        start = markup.start()
        if start > pos:
            yield decode(source[pos:start])
        if markup.group() in ("<!", "<?"):
            pos = _after_declaration(source, start)
            continue
        closing = markup.group() == "</"
        name = _NAME.match(source, markup.end() if closing else start + 1)
        if name is None:  # "</" before anything but a letter begins a comment
            pos = _after(source, ">", markup.end())
            continue
        tag, pos = _tag(source, name, closing=closing)
        if tag:
            yield tag
            if not closing:
                pos = _after_raw(source, tag.name, pos)
    if pos < len(source):
        yield decode(source[pos:])


def decode(text: str) -> str:
    """Character references replaced by their characters; never raises."""
    if "&" not in text:
        return text
    return html.unescape(_LONG_NUMBER.sub("\ufffd", text))


def _after(source: str, mark: str, pos: int) -> int:
    found = source.find(mark, pos)
    return len(source) if found < 0 else found + len(mark)


def _after_declaration(source: str, start: int) -> int:
    if not source.startswith("<!--", start):
        return _after(source, ">", start + 2)
    body = start + 4
    for empty in (">", "->"):
        if source.startswith(empty, body):
            return body + len(empty)
    return _after(source, "-->", body)


def _after_raw(source: str, name: str, pos: int) -> int:
    pattern = _RAW_END.get(name)
    if pattern is None:
        return pos
    end = pattern.search(source, pos)
    return end.start() if end else len(source)


def _tag(source: str, name: re.Match[str], *, closing: bool) -> tuple[Tag | None, int]:
    """The tag that begins at `name` and the position behind it; no tag when the source ends inside it."""
    attrs: dict[str, str] = {}
    pos = name.end()
    while True:
        pos = _skip(_GAP, source, pos)
        if pos >= len(source):
            return None, pos
        if source[pos] == ">":
            return Tag(name.group().lower(), closing, attrs), pos + 1
        attribute = _ATTRIBUTE.match(source, pos)
        if attribute is None:
            return None, len(source)
        pos = attribute.end()
        value = ""
        if attribute.group(2):
            value, pos = _value(source, pos)
        attrs.setdefault(attribute.group(1).lower(), value)


def _skip(pattern: re.Pattern[str], source: str, pos: int) -> int:
    found = pattern.match(source, pos)
    return found.end() if found else pos


def _value(source: str, pos: int) -> tuple[str, int]:
    quote = source[pos : pos + 1]
    if quote and quote in "\"'":
        end = source.find(quote, pos + 1)
        if end < 0:
            return "", len(source)
        return decode(source[pos + 1 : end]), end + 1
    end = _skip(_BARE_VALUE, source, pos)
    return decode(source[pos:end]), end
