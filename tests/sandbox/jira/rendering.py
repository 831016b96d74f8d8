"""ADF as HTML, tolerant: an unknown node shows its children."""

from collections.abc import Mapping
from typing import Any

from tests.sandbox.html import Html, el, join

BLOCKS: Mapping[str, str] = {
    "paragraph": "p",
    "bulletList": "ul",
    "orderedList": "ol",
    "listItem": "li",
    "blockquote": "blockquote",
    "table": "table",
    "tableRow": "tr",
    "tableHeader": "th",
    "tableCell": "td",
    "panel": "aside",
    "codeBlock": "pre",
}
MARKS: Mapping[str, str] = {"strong": "strong", "em": "em", "strike": "s", "underline": "u", "code": "code"}
SAFE_LINKS = ("http://", "https://", "mailto:", "tel:")


def render(node: Any) -> Html:
    """HTML of a document or of any node in it."""
    if not isinstance(node, dict):
        return Html("")
    kind, attrs = str(node.get("type")), node.get("attrs") or {}
    if kind == "text":
        return _text(node)
    if kind in {"hardBreak", "rule"}:
        return el("br" if kind == "hardBreak" else "hr")
    inner = join(*(render(child) for child in node.get("content") or []))
    tag = f"h{attrs.get('level', 6)}" if kind == "heading" else BLOCKS.get(kind)
    if tag is not None:
        return el(tag, inner)
    shown = attrs.get("text") or attrs.get("url") or attrs.get("shortName") or attrs.get("title")
    return join(shown, inner)


def _text(node: Mapping[str, Any]) -> Html:
    shown = join(str(node.get("text", "")))
    for mark in node.get("marks") or []:
        kind, attrs = mark.get("type"), mark.get("attrs") or {}
        if kind in MARKS:
            shown = el(MARKS[kind], shown)
        elif kind == "link" and str(attrs.get("href", "")).lower().startswith(SAFE_LINKS):
            shown = el("a", shown, href=attrs["href"], rel="noreferrer")
    return shown
