"""How large a document is, and how a document that is too large is shortened."""

import json

from supporthub.core.text import clean_text
from supporthub.integrations.jira.adf.schema import Doc, Node

LIMIT = 30_000
NOTICE = "… (shortened; the whole text is in the hub)"

_NOT_WORTH_CUTTING_FOR = 40  # characters that may be given up so that a word stays whole


def measure(node: Doc | Node) -> int:
    """UTF-16 units of the compact JSON with characters unescaped.

    Jira refuses more than 32,767 characters, counted on a form of its own that nobody documents. Counting all
    of the JSON (text, marks, attributes and brackets) is more than any of those forms is known to count.
    """
    text = json.dumps(node, ensure_ascii=False, separators=(",", ":"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shorten(doc: Doc, limit: int, notice: str, *, incomplete: bool = False) -> Doc:
    """`doc` when it measures at most `limit`, else its beginning and a paragraph in italics with `notice`.

    `incomplete` asks for the notice in any case. Legal documents stay legal. `doc` is a converter's, so that its
    depth is bounded. Raises ValueError when not even the notice fits, or when it is empty.
    """
    sentence = clean_text(notice).strip()
    if not sentence:
        raise ValueError("the notice is empty")
    ending: Node = {"type": "paragraph", "content": [{"type": "text", "text": sentence, "marks": [{"type": "em"}]}]}
    room = limit - measure({"version": 1, "type": "doc", "content": [ending]})
    if room < 0:
        raise ValueError("the limit leaves no room for the notice")
    if not incomplete and measure(doc) <= limit:
        return doc
    content, _ = _fitting(doc["content"], room)
    return {"version": 1, "type": "doc", "content": [*content, ending]}


def _fitting(nodes: list[Node], room: int) -> tuple[list[Node], int]:
    """The first of `nodes` that fit into `room`, the last of them cut if need be, and the room that is left."""
    kept: list[Node] = []
    for node in nodes:
        cost = measure(node) + 1  # with the comma
        if cost > room:
            part = _beginning(node, room)
            if part is not None:
                kept.append(part)
            return kept, 0
        kept.append(node)
        room -= cost
    return kept, room


def _beginning(node: Node, room: int) -> Node | None:
    """A part of `node` that costs at most `room` and is legal where `node` is, or None."""
    if node["type"] == "text":
        text = _cut(node["text"], room - measure({**node, "text": ""}) - 1)
        return {**node, "text": text} if text else None
    if not node.get("content"):
        return None
    content, _ = _fitting(node["content"], room - measure({**node, "content": []}) - 1)
    while content and content[-1]["type"] == "hardBreak":
        content.pop()
    if not content:
        return None
    if node["type"] == "table":
        fit_rowspans(content)
    return {**node, "content": content}


def _cut(text: str, room: int) -> str:
    used = 0
    for index, char in enumerate(text):
        used += measure_char(char)
        if used > room:
            text = text[:index]
            break
    else:
        return text
    space = max(text.rfind(" "), text.rfind("\n"))
    if space > 0 and len(text) - space <= _NOT_WORTH_CUTTING_FOR:
        text = text[:space]
    return text.rstrip()


def measure_char(char: str) -> int:
    """UTF-16 units of one character inside a JSON string."""
    if char < " ":
        return 2 if char in "\b\t\n\f\r" else 6
    return 2 if char in '"\\' or char > "\uffff" else 1


def fit_rowspans(rows: list[Node]) -> None:
    """Replace the cells whose rowspan reaches below the last row by cells without one, in copies of their rows."""
    for index, row in enumerate(rows):
        rest = len(rows) - index
        if any(cell.get("attrs", {}).get("rowspan", 1) > rest for cell in row["content"]):
            rows[index] = {**row, "content": [_fitting_cell(cell, rest) for cell in row["content"]]}


def _fitting_cell(cell: Node, rest: int) -> Node:
    attrs = cell.get("attrs", {})
    if attrs.get("rowspan", 1) <= rest:
        return cell
    fitting = {key: value for key, value in cell.items() if key != "attrs"}
    others = {key: value for key, value in attrs.items() if key != "rowspan"}
    return {**fitting, "attrs": others} if others else fitting
