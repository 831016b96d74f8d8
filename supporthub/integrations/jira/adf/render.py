"""Documents read back: a tolerant walk, because Jira's own documents hold more than `schema` knows."""

import datetime
from collections.abc import Callable
from html import escape
from typing import Any

from supporthub.core import html as core_html
from supporthub.core.text import safe_link
from supporthub.integrations.jira.adf.schema import Doc, Node

_TAGS = {
    "paragraph": "p", "bulletList": "ul", "orderedList": "ol", "listItem": "li", "blockquote": "blockquote",
    "codeBlock": "pre", "table": "table", "tableRow": "tr", "tableHeader": "th", "tableCell": "td", "panel": "div",
    "expand": "div", "nestedExpand": "div", "caption": "p", "taskList": "ul", "taskItem": "li", "decisionList": "ul",
    "decisionItem": "li", "mediaSingle": "div", "mediaGroup": "div",
}  # fmt: skip
_MARK_TAGS = {"strong": "strong", "em": "em", "underline": "u", "strike": "s", "code": "code"}
_HIGHEST_LEVEL = 6


def to_html(doc: Doc | Node) -> str:
    """HTML of a document from Jira or of our own, everything escaped; unknown nodes give their children.

    Callers must pass the result through `supporthub.core.html.sanitise` before showing it. Never raises on
    malformed documents, and does not recurse.
    """
    out: list[str] = []
    work: list[object] = [dict(doc)]
    while work:
        item = work.pop()
        if isinstance(item, str):
            out.append(item)
        elif isinstance(item, dict):
            opening, closing = _around(item)
            out.append(opening)
            work.append(closing)
            content = item.get("content")
            work.extend(
                part for part in reversed(content if isinstance(content, list) else []) if isinstance(part, dict)
            )
    return "".join(out)


def to_text(doc: Doc | Node) -> str:
    """Readable plain text of a document, laid out as `supporthub.core.html.to_text` does."""
    return core_html.to_text(to_html(doc))


def _around(node: Node) -> tuple[str, str]:
    kind = node.get("type")
    attrs = node.get("attrs")
    attrs = attrs if isinstance(attrs, dict) else {}
    if not isinstance(kind, str):
        return "", ""
    if kind in _LEAVES:
        return _LEAVES[kind](node, attrs), ""
    if kind == "heading":
        level = attrs.get("level")
        tag = f"h{level}" if type(level) is int and 1 <= level <= _HIGHEST_LEVEL else "p"
        return f"<{tag}>", f"</{tag}>"
    tag = _TAGS.get(kind, "")
    if not tag:
        return "", ""
    title = attrs.get("title")
    inside = f"<p><strong>{escape(title)}</strong></p>" if isinstance(title, str) and title else ""
    return f"<{tag}{_attributes(kind, attrs)}>{inside}", f"</{tag}>"


def _attributes(kind: str, attrs: dict[str, Any]) -> str:
    names = {"orderedList": {"order": "start"}, "tableCell": {"colspan": "colspan", "rowspan": "rowspan"}}
    names["tableHeader"] = names["tableCell"]
    return "".join(
        f' {name}="{attrs[key]}"' for key, name in names.get(kind, {}).items() if type(attrs.get(key)) is int
    )


def _text(node: Node, _attrs: dict[str, Any]) -> str:
    text = node.get("text")
    html = escape(text, quote=False) if isinstance(text, str) else ""
    marks = node.get("marks")
    for mark in marks if isinstance(marks, list) and html else []:
        if isinstance(mark, dict):
            html = _marked(html, mark)
    return html


def _marked(html: str, mark: Node) -> str:
    kind, attrs = mark.get("type"), mark.get("attrs")
    attrs = attrs if isinstance(attrs, dict) else {}
    tag = _MARK_TAGS.get(kind, "") if isinstance(kind, str) else ""
    if kind == "subsup" and attrs.get("type") in ("sub", "sup"):
        tag = attrs["type"]
    if kind == "link":
        href = safe_link(str(attrs.get("href", "")))
        return f'<a href="{escape(href)}">{html}</a>' if href else html
    return f"<{tag}>{html}</{tag}>" if tag else html


def _named(*names: str) -> Callable[[Node, dict[str, Any]], str]:
    """A leaf shown by the first of its attributes that holds text."""

    def show(_node: Node, attrs: dict[str, Any]) -> str:
        return next((escape(attrs[name], quote=False) for name in names if _filled(attrs.get(name))), "")

    return show


def _filled(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _card(_node: Node, attrs: dict[str, Any]) -> str:
    url = attrs.get("url")
    return _marked(escape(url, quote=False), {"type": "link", "attrs": {"href": url}}) if isinstance(url, str) else ""


def _media(_node: Node, attrs: dict[str, Any]) -> str:
    alt = attrs.get("alt")
    return f"[{escape(alt, quote=False) if isinstance(alt, str) and alt else 'attachment'}]"


def _date(_node: Node, attrs: dict[str, Any]) -> str:
    """The day of a timestamp in milliseconds; the editor stores midnight UTC."""
    stamp = attrs.get("timestamp")
    try:
        moment = datetime.datetime.fromtimestamp(int(str(stamp)[:20]) / 1000, tz=datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.date().isoformat()


_LEAVES: dict[str, Callable[[Node, dict[str, Any]], str]] = {
    "text": _text,
    "hardBreak": lambda _node, _attrs: "<br>",
    "rule": lambda _node, _attrs: "<hr>",
    "mention": _named("text", "id"),
    "emoji": _named("text", "shortName"),
    "status": _named("text"),
    "date": _date,
    "inlineCard": _card,
    "blockCard": _card,
    "embedCard": _card,
    "media": _media,
    "mediaInline": _media,
}
