"""A strict check of Atlassian Document Format, and the plain text in a document.

Source: Atlassian's published ADF JSON schema (nodes, attributes, allowed content). Jira rejects a whole write for one
bad node, so does this. Independent of the hub's own checks on purpose.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

TEXT_LIMIT = 32_767
MAX_DEPTH = 60

Check = Callable[[Any], bool]

INLINE = frozenset(
    {"text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard", "mediaInline", "placeholder"}
)
LISTS = frozenset({"bulletList", "orderedList"})
MEDIA = frozenset({"mediaSingle", "mediaGroup"})
CARDS = frozenset({"blockCard", "embedCard"})
LIST_ITEM = frozenset({"paragraph", "taskList", "codeBlock", "mediaSingle"}) | LISTS
PANEL = (
    frozenset({"paragraph", "heading", "codeBlock", "rule", "taskList", "decisionList", "blockCard"}) | LISTS | MEDIA
)
CELL = PANEL | frozenset({"blockquote", "panel", "nestedExpand", "embedCard"})
NESTED_EXPAND = (
    frozenset({"paragraph", "heading", "codeBlock", "rule", "taskList", "blockquote", "panel"}) | LISTS | MEDIA
)
EXPAND = CELL | frozenset({"table"})
TOP = EXPAND | frozenset({"expand"}) | CARDS


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _filled(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _positive(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _one_of(*values: Any) -> Check:
    return lambda value: any(value == known and type(value) is type(known) for known in values)


def _matches(pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


_COLOUR = _matches(r"#[0-9a-fA-F]{6}")
_PANELS = _one_of("info", "note", "tip", "warning", "error", "success", "custom")
_LAYOUTS = _one_of("wrap-left", "center", "wrap-right", "wide", "full-width", "align-start", "align-end")
_STATUS_COLOURS = _one_of("neutral", "purple", "blue", "red", "yellow", "green")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a node type may hold. ``least`` and ``most`` count children; a leaf has ``children`` None."""

    children: frozenset[str] | None = None
    least: int = 0
    most: int | None = None
    needs: Mapping[str, Check] = field(default_factory=dict)
    may: Mapping[str, Check] = field(default_factory=dict)


_CELL_ATTRS: Mapping[str, Check] = {
    "colspan": _positive,
    "rowspan": _positive,
    "colwidth": lambda value: isinstance(value, list) and all(_number(width) for width in value),
    "background": _text,
}
_CARD_ATTRS: Mapping[str, Check] = {"url": _filled}

KINDS: Mapping[str, Kind] = {
    "paragraph": Kind(INLINE),
    "heading": Kind(INLINE, needs={"level": _one_of(1, 2, 3, 4, 5, 6)}),
    "bulletList": Kind(frozenset({"listItem"}), least=1),
    "orderedList": Kind(
        frozenset({"listItem"}),
        least=1,
        may={"order": lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 0},
    ),
    "listItem": Kind(LIST_ITEM, least=1),
    "blockquote": Kind(frozenset({"paragraph", "codeBlock"}) | LISTS | MEDIA, least=1),
    "codeBlock": Kind(frozenset({"text"}), may={"language": _text, "uniqueId": _text}),
    "panel": Kind(
        PANEL,
        least=1,
        needs={"panelType": _PANELS},
        may={"panelIcon": _text, "panelIconId": _text, "panelIconText": _text, "panelColor": _text},
    ),
    "rule": Kind(),
    "table": Kind(
        frozenset({"tableRow"}),
        least=1,
        may={
            "isNumberColumnEnabled": _one_of(True, False),
            "layout": _text,
            "width": _number,
            "displayMode": _one_of("default", "fixed"),
        },
    ),
    "tableRow": Kind(frozenset({"tableHeader", "tableCell"})),
    "tableHeader": Kind(CELL, least=1, may=_CELL_ATTRS),
    "tableCell": Kind(CELL, least=1, may=_CELL_ATTRS),
    "expand": Kind(EXPAND, least=1, may={"title": _text}),
    "nestedExpand": Kind(NESTED_EXPAND, least=1, may={"title": _text}),
    "mediaSingle": Kind(
        frozenset({"media", "caption"}),
        least=1,
        most=2,
        may={"layout": _LAYOUTS, "width": _number, "widthType": _one_of("percentage", "pixel")},
    ),
    "mediaGroup": Kind(frozenset({"media"}), least=1),
    "media": Kind(
        needs={"type": _one_of("file", "link", "external")},
        may={
            "id": _filled,
            "collection": _text,
            "url": _filled,
            "alt": _text,
            "width": _number,
            "height": _number,
            "occurrenceKey": _filled,
        },
    ),
    "caption": Kind(INLINE),
    "taskList": Kind(frozenset({"taskItem", "taskList"}), least=1, needs={"localId": _text}),
    "taskItem": Kind(INLINE, needs={"localId": _text, "state": _one_of("TODO", "DONE")}),
    "decisionList": Kind(frozenset({"decisionItem"}), least=1, needs={"localId": _text}),
    "decisionItem": Kind(INLINE, needs={"localId": _text, "state": _text}),
    "blockCard": Kind(needs=_CARD_ATTRS),
    "embedCard": Kind(needs={**_CARD_ATTRS, "layout": _LAYOUTS}, may={"width": _number, "originalWidth": _number}),
    "text": Kind(),
    "hardBreak": Kind(may={"text": _one_of("\n")}),
    "mention": Kind(
        needs={"id": _filled},
        may={"text": _text, "accessLevel": _text, "userType": _one_of("DEFAULT", "SPECIAL", "APP")},
    ),
    "emoji": Kind(needs={"shortName": _filled}, may={"id": _text, "text": _text}),
    "date": Kind(needs={"timestamp": _filled}),
    "status": Kind(needs={"text": _filled, "color": _STATUS_COLOURS}, may={"style": _text}),
    "inlineCard": Kind(needs=_CARD_ATTRS),
    "mediaInline": Kind(needs={"id": _filled, "collection": _text}, may={"type": _text, "alt": _text}),
    "placeholder": Kind(needs={"text": _text}),
}
ANY_NODE: Mapping[str, Check] = {"localId": _text}

MARKS: Mapping[str, Kind] = {
    "strong": Kind(),
    "em": Kind(),
    "strike": Kind(),
    "underline": Kind(),
    "code": Kind(),
    "subsup": Kind(needs={"type": _one_of("sub", "sup")}),
    "textColor": Kind(needs={"color": _COLOUR}),
    "backgroundColor": Kind(needs={"color": _COLOUR}),
    "link": Kind(
        needs={"href": _filled}, may={"title": _text, "id": _text, "collection": _text, "occurrenceKey": _text}
    ),
    "annotation": Kind(needs={"id": _filled, "annotationType": _one_of("inlineComment")}),
}
WITH_CODE = frozenset({"code", "link", "annotation"})
BLOCK_MARKS: Mapping[str, Mapping[str, Check]] = {
    "alignment": {"align": _one_of("center", "end")},
    "indentation": {"level": _one_of(1, 2, 3, 4, 5, 6)},
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff￾￿]")


def problems(document: Any) -> list[str]:
    """Why Jira would refuse the document, one line per fault with its place; empty when it is valid."""
    if not isinstance(document, dict) or document.get("type") != "doc":
        return ["doc: the root is not a doc node"]
    found = [f"doc: unknown member {name!r}" for name in document.keys() - {"type", "version", "content"}]
    if document.get("version") != 1 or isinstance(document.get("version"), bool):
        found.append("doc: version is not 1")
    if not isinstance(document.get("content"), list):
        return [*found, "doc: content is not a list"]
    return found + list(_children(document["content"], TOP, "doc", 1))


def _children(nodes: list[Any], allowed: frozenset[str], where: str, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        yield f"{where}: nested too deeply"
        return
    for position, node in enumerate(nodes):
        place = f"{where}/{position}"
        if not isinstance(node, dict) or not isinstance(node.get("type"), str):
            yield f"{place}: not a node"
            continue
        if node["type"] not in allowed or node["type"] not in KINDS:
            yield f"{place}: {node['type']} is not allowed here"
            continue
        yield from _node(node, f"{place}:{node['type']}", depth)


def _node(node: Mapping[str, Any], where: str, depth: int) -> Iterator[str]:
    kind = KINDS[node["type"]]
    members = {"type", "attrs", "content", "marks"} | ({"text"} if node["type"] == "text" else set())
    yield from (f"{where}: unknown member {name!r}" for name in node.keys() - members)
    yield from _attributes(node.get("attrs"), kind, where)
    yield from _marks(node, where)
    if node["type"] == "text":
        yield from _text_node(node, where)
    if kind.children is None:
        if "content" in node:
            yield f"{where}: a leaf has no content"
        return
    content = node.get("content", [])
    if not isinstance(content, list):
        yield f"{where}: content is not a list"
        return
    if len(content) < kind.least or (kind.most is not None and len(content) > kind.most):
        yield f"{where}: {len(content)} children"
    yield from _special(node, content, where)
    yield from _children(content, kind.children, where, depth + 1)


def _attributes(attrs: Any, kind: Kind, where: str) -> Iterator[str]:
    if attrs is not None and not isinstance(attrs, dict):
        yield f"{where}: attrs is not an object"
        return
    values = attrs or {}
    yield from (f"{where}: attribute {name} is missing" for name in kind.needs.keys() - values.keys())
    known = {**ANY_NODE, **kind.may, **kind.needs}
    for name, value in values.items():
        if name not in known:
            yield f"{where}: unknown attribute {name}"
        elif not known[name](value):
            yield f"{where}: attribute {name} has a wrong value"


def _text_node(node: Mapping[str, Any], where: str) -> Iterator[str]:
    text = node.get("text")
    if not isinstance(text, str) or not text:
        yield f"{where}: text is empty"
    elif _CONTROL.search(text):
        yield f"{where}: unsupported characters"


def _marks(node: Mapping[str, Any], where: str) -> Iterator[str]:
    marks = node.get("marks")
    if marks is None:
        return
    if not isinstance(marks, list) or not all(isinstance(mark, dict) for mark in marks):
        yield f"{where}: marks is not a list of objects"
        return
    names = [str(mark.get("type")) for mark in marks]
    if len(set(names)) != len(names):
        yield f"{where}: the same mark twice"
    if node["type"] == "text":
        yield from _text_marks(marks, names, where)
    elif node["type"] in {"paragraph", "heading"}:
        yield from _block_marks(marks, where)
    elif names:
        yield from (f"{where}: mark {name} is not allowed here" for name in names if name not in {"link", "border"})


def _text_marks(marks: list[dict[str, Any]], names: list[str], where: str) -> Iterator[str]:
    if "code" in names and not WITH_CODE.issuperset(names):
        yield f"{where}: code can be combined only with link"
    for mark, name in zip(marks, names, strict=True):
        if name not in MARKS:
            yield f"{where}: unknown mark {name}"
            continue
        yield from _attributes(mark.get("attrs"), MARKS[name], f"{where}~{name}")


def _block_marks(marks: list[dict[str, Any]], where: str) -> Iterator[str]:
    for mark in marks:
        checks = BLOCK_MARKS.get(str(mark.get("type")))
        attrs = mark.get("attrs")
        if checks is None or not isinstance(attrs, dict) or any(not check(attrs.get(k)) for k, check in checks.items()):
            yield f"{where}: mark {mark.get('type')} is not allowed here"


def _special(node: Mapping[str, Any], content: list[Any], where: str) -> Iterator[str]:
    kinds = [child.get("type") for child in content if isinstance(child, dict)]
    if node["type"] == "codeBlock" and any(isinstance(child, dict) and child.get("marks") for child in content):
        yield f"{where}: text in a code block has no marks"
    if node["type"] == "mediaSingle" and kinds not in (["media"], ["media", "caption"]):
        yield f"{where}: one media, then perhaps a caption"
    if node["type"] == "taskList" and kinds[:1] == ["taskList"]:
        yield f"{where}: the first child is a taskItem"
    for child in content:
        if isinstance(child, dict) and child.get("type") == "media" and isinstance(child.get("attrs"), dict):
            needed = {"url"} if child["attrs"].get("type") == "external" else {"id", "collection"}
            if missing := needed - child["attrs"].keys():
                yield f"{where}: media needs {', '.join(sorted(missing))}"


def converted_length(document: Any) -> int:
    """How long Jira's server takes the document to be: it counts a converted form, so markup counts as well.

    The conversion is unpublished; here a mark costs two characters, a link its address, and a block one line end.
    """
    return sum(_cost(node) for node in walk(document))


def _cost(node: Mapping[str, Any]) -> int:
    if node.get("type") != "text":
        return 1
    marks = [mark for mark in node.get("marks") or [] if isinstance(mark, dict)]
    links = sum(len(str((mark.get("attrs") or {}).get("href", ""))) for mark in marks)
    return len(str(node.get("text", ""))) + 2 * len(marks) + links


def walk(node: Any) -> Iterator[Mapping[str, Any]]:
    """All nodes below a document, in reading order, without the root."""
    for child in node.get("content") or [] if isinstance(node, dict) else []:
        if isinstance(child, dict):
            yield child
            yield from walk(child)


def plain_text(document: Any) -> str:
    """The words of a document: what text search sees."""
    parts: list[str] = []
    for node in walk(document):
        if node.get("type") == "text":
            parts.append(str(node.get("text", "")))
        elif node.get("type") in {"mention", "emoji", "status"}:
            parts.append(str((node.get("attrs") or {}).get("text", "")))
        else:
            parts.append("\n")
    return "".join(parts).strip()
