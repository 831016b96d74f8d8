"""Documents of doubtful origin made legal, with all their text kept."""

from collections.abc import Iterator
from typing import Any

from supporthub.core.text import clean_text, safe_link
from supporthub.integrations.jira.adf.schema import ANYWHERE, BESIDE_CODE, INLINE, MARKS, NODES, Attrs, Doc, Node
from supporthub.integrations.jira.adf.validate import validate

_DEEPEST = 40
_ITEM_OF = {"bulletList": "listItem", "orderedList": "listItem", "table": "tableRow", "tableRow": "tableCell"}
_REBUILT = frozenset(
    {"paragraph", "heading", "listItem", "blockquote", "codeBlock", "panel", "expand", "nestedExpand", "rule"}
    | {"tableHeader", "tableCell", *_ITEM_OF}
)
_DEFAULTS: dict[str, dict[str, Any]] = {"heading": {"level": 1}, "panel": {"panelType": "info"}}


def repair(doc: object) -> Doc:
    """A valid document with the text of `doc` in order; a valid `doc` comes back equal, except that neighbouring
    texts with equal marks are joined and that what lies deeper than 40 levels becomes plain text.

    What a parent forbids is unwrapped, stray text gets a paragraph, stray blocks in lists and tables get an item or
    cell, empty items, quotes and cells get an empty paragraph, empty lists and tables go. Unknown nodes give their
    children, illegal attributes and marks go, and so do links other than http, https, mailto and tel. Never raises.
    """
    return {"version": 1, "type": "doc", "content": _content("doc", _children(doc), 0)}


def _children(node: object) -> list[Any]:
    content = node.get("content") if isinstance(node, dict) else None
    return content if isinstance(content, list) else []


def _kind(node: object) -> str:
    kind = node.get("type") if isinstance(node, dict) else None
    return kind if isinstance(kind, str) else ""


def _content(parent: str, nodes: list[Any], depth: int) -> list[Node]:
    """Legal children of `parent` made of any `nodes`."""
    allowed = NODES[parent].content or frozenset()
    if parent in _ITEM_OF:
        return _items(parent, nodes, depth)
    if "text" in allowed:
        return _joined(list(_inline(nodes, depth)))
    out: list[Node] = []
    stray: list[Node] = []
    for node in _flat(nodes, allowed, depth):
        if _kind(node) in INLINE:
            stray.append(node)
            continue
        _wrap_stray(stray, out)
        out.append(node)
    _wrap_stray(stray, out)
    return out


def _flat(nodes: list[Any], allowed: frozenset[str], depth: int) -> Iterator[Node]:
    """Legal blocks and inline nodes; a block that is not allowed gives its children in its place."""
    for node in nodes:
        kind = _kind(node)
        if depth >= _DEEPEST:
            yield from _plain(node)
        elif kind in INLINE:
            yield from _inline([node], depth)
        elif kind in allowed:
            fixed = _block(node, kind, depth + 1)
            if fixed is not None:
                yield fixed
            elif kind not in _REBUILT:
                yield from _boundaries(_flat(_children(node), allowed, depth + 1))
        else:
            yield from _boundaries(_flat(_children(node), allowed, depth + 1))


def _boundaries(nodes: Iterator[Node]) -> Iterator[Node]:
    """The nodes, with their inline ones in paragraphs of their own, apart from what stands around."""
    stray: list[Node] = []
    out: list[Node] = []
    for node in nodes:
        if _kind(node) in INLINE:
            stray.append(node)
        else:
            _wrap_stray(stray, out)
            out.append(node)
    _wrap_stray(stray, out)
    yield from out


def _wrap_stray(stray: list[Node], out: list[Node]) -> None:
    if stray:
        out.append({"type": "paragraph", "content": _joined(stray)})
        stray.clear()


def _items(parent: str, nodes: list[Any], depth: int) -> list[Node]:
    item = _ITEM_OF[parent]
    allowed = NODES[parent].content or frozenset()
    out: list[Node] = []
    for node in nodes:
        if _kind(node) in allowed:
            fixed = _block(node, _kind(node), depth + 1)
        else:
            fixed = _block({"type": item, "content": [node]}, item, depth + 1) if _has_content(node) else None
        if fixed is not None:
            out.append(fixed)
    return out


def _has_content(node: object) -> bool:
    return bool(_children(node)) or _kind(node) in INLINE or _kind(node) == "rule"


def _block(node: Any, kind: str, depth: int) -> Node | None:
    """The node made legal, or None when nothing is left of it or it cannot be rebuilt."""
    if kind not in _REBUILT:
        return node if _is_flawless(node, kind) else None
    rule = NODES[kind]
    fixed: Node = {"type": kind}
    attrs = _attrs(node.get("attrs"), rule.attrs, _DEFAULTS.get(kind, {}))
    if attrs:
        fixed["attrs"] = attrs
    if rule.content is None:
        return fixed
    if kind == "codeBlock":
        text = clean_text("".join(part["text"] if part["type"] == "text" else "\n" for part in _plain(node)))
        return fixed | ({"content": [{"type": "text", "text": text}]} if text else {})
    content = _content(kind, _children(node), depth)
    if not content and rule.least:
        if kind in _ITEM_OF:
            return None
        content = [{"type": "paragraph"}]
    if content or "content" in node:
        fixed["content"] = content
    return fixed


def _is_flawless(node: Node, kind: str) -> bool:
    """Whether a node that is not rebuilt is legal as it stands, checked in a place where it may stand."""
    shell: Node = {"type": "panel", "attrs": {"panelType": "info"}, "content": [node]}
    if kind in INLINE:
        shell = {"type": "paragraph", "content": [node]}
    return not validate({"version": 1, "type": "doc", "content": [shell]}, deepest=_DEEPEST)


def _inline(nodes: list[Any], depth: int) -> Iterator[Node]:
    for node in nodes:
        kind = _kind(node)
        if kind == "text":
            yield from _text(node)
        elif kind == "hardBreak":
            yield {"type": "hardBreak"}
        elif kind in INLINE:
            if _is_flawless(node, kind):
                yield node
            else:
                yield from _plain(node)
        elif depth >= _DEEPEST:
            yield from _plain(node)
        else:
            yield from _inline(_children(node), depth + 1)


def _text(node: Node) -> Iterator[Node]:
    text = node.get("text")
    text = clean_text(text) if isinstance(text, str) else ""
    if text:
        marks = _marks(node.get("marks"))
        yield {"type": "text", "text": text} | ({"marks": marks} if marks else {})


def _marks(marks: object) -> list[Node]:
    fixed: dict[str, Node] = {}
    for mark in marks if isinstance(marks, list) else []:
        kind = _kind(mark)
        if kind not in MARKS or kind in fixed:
            continue
        attrs = _attrs(mark.get("attrs"), MARKS[kind], {})
        if kind == "link":
            href = safe_link(str(attrs.get("href", "")))
            if href is None:
                continue
            attrs["href"] = href
        if all(name in attrs for name in MARKS[kind].required):
            fixed[kind] = {"type": kind} | ({"attrs": attrs} if attrs else {})
    if "code" in fixed:
        return [mark for kind, mark in fixed.items() if kind in BESIDE_CODE]
    return list(fixed.values())


def _attrs(attrs: object, rule: Attrs, defaults: dict[str, Any]) -> dict[str, Any]:
    known = {**ANYWHERE, **rule.optional, **rule.required}
    given = attrs if isinstance(attrs, dict) else {}
    return defaults | {name: value for name, value in given.items() if name in known and known[name](value)}


def _joined(nodes: list[Node]) -> list[Node]:
    """The nodes, neighbouring texts with equal marks made one."""
    out: list[Node] = []
    for node in nodes:
        last = out[-1] if out else {}
        if node["type"] == "text" == last.get("type") and node.get("marks", []) == last.get("marks", []):
            out[-1] = {**last, "text": clean_text(last["text"] + node["text"])}
        else:
            out.append(node)
    return out


def _plain(node: Any) -> Iterator[Node]:
    """Unmarked text and breaks of a node of any depth, without recursion."""
    work = [node]
    while work:
        current = work.pop()
        kind = _kind(current)
        if kind == "hardBreak":
            yield {"type": "hardBreak"}
        elif kind:
            attrs = current.get("attrs")
            text = current.get("text") if kind == "text" else attrs.get("text") if isinstance(attrs, dict) else None
            yield from _text({"text": text})
            work.extend(reversed(_children(current)))
