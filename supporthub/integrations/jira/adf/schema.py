"""The part of the Atlassian Document Format that this project writes and checks.

Taken from Atlassian's published ADF JSON schema (version 1). A node that is not in `NODES` is not legal for us, even
if Jira knows more; `render` reads such nodes all the same.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

Node = dict[str, Any]


class Doc(TypedDict):
    """A whole document; `content` may be empty."""

    version: Literal[1]
    type: Literal["doc"]
    content: list[Node]


Check = Callable[[object], bool]

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LISTS = frozenset({"bulletList", "orderedList"})
_MEDIA = frozenset({"mediaSingle", "mediaGroup"})
INLINE = frozenset({"text", "hardBreak", "mention", "emoji", "date", "status", "inlineCard", "mediaInline"})


def is_text(value: object) -> bool:
    return isinstance(value, str)


def is_filled(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_span(value: object) -> bool:
    return is_count(value) and value != 0


def is_colour(value: object) -> bool:
    return isinstance(value, str) and _COLOUR.fullmatch(value) is not None


def is_widths(value: object) -> bool:
    return isinstance(value, list) and all(is_number(width) for width in value)


def one_of(*values: object) -> Check:
    """A check for one of `values`, which are compared with their types (True is not 1)."""
    return lambda value: any(value == allowed and type(value) is type(allowed) for allowed in values)


@dataclass(frozen=True)
class Attrs:
    """Which attributes a node or mark must and may have, each with the check of its value."""

    required: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)


@dataclass(frozen=True)
class NodeRule:
    """What a node may hold. `content` None means a leaf; `least` and `most` bound the number of children."""

    content: frozenset[str] | None = None
    least: int = 0
    most: int | None = None
    attrs: Attrs = Attrs()
    marked_text: bool = True


_IN_ITEM = frozenset({"paragraph", "taskList", "codeBlock", "mediaSingle"}) | _LISTS
_IN_QUOTE = frozenset({"paragraph", "codeBlock"}) | _LISTS | _MEDIA
_IN_PANEL = frozenset({"paragraph", "heading", "codeBlock", "rule", "taskList"}) | _LISTS | _MEDIA
_IN_CELL = _IN_PANEL | {"blockquote", "panel", "nestedExpand"}
_IN_NESTED_EXPAND = frozenset({"paragraph", "heading", "codeBlock", "rule", "taskList", "blockquote", "panel"})
_TOP = _IN_PANEL | {"blockquote", "panel", "table", "expand"}
_CELL = NodeRule(
    content=_IN_CELL,
    least=1,
    attrs=Attrs(optional={"colspan": is_span, "rowspan": is_span, "colwidth": is_widths, "background": is_text}),
)

NODES: Mapping[str, NodeRule] = {
    "doc": NodeRule(content=_TOP),
    "paragraph": NodeRule(content=INLINE),
    "heading": NodeRule(content=INLINE, attrs=Attrs(required={"level": one_of(1, 2, 3, 4, 5, 6)})),
    "bulletList": NodeRule(content=frozenset({"listItem"}), least=1),
    "orderedList": NodeRule(content=frozenset({"listItem"}), least=1, attrs=Attrs(optional={"order": is_count})),
    "listItem": NodeRule(content=_IN_ITEM, least=1),
    "taskList": NodeRule(
        content=frozenset({"taskItem", "taskList"}), least=1, attrs=Attrs(required={"localId": is_text})
    ),
    "taskItem": NodeRule(content=INLINE, attrs=Attrs(required={"localId": is_text, "state": one_of("TODO", "DONE")})),
    "blockquote": NodeRule(content=_IN_QUOTE, least=1),
    "codeBlock": NodeRule(content=frozenset({"text"}), attrs=Attrs(optional={"language": is_text}), marked_text=False),
    "panel": NodeRule(
        content=_IN_PANEL,
        least=1,
        attrs=Attrs(
            required={"panelType": one_of("info", "note", "tip", "warning", "error", "success", "custom")},
            optional={"panelIcon": is_text, "panelIconId": is_text, "panelIconText": is_text, "panelColor": is_text},
        ),
    ),
    "rule": NodeRule(),
    "table": NodeRule(
        content=frozenset({"tableRow"}),
        least=1,
        attrs=Attrs(
            optional={
                "isNumberColumnEnabled": one_of(True, False),
                "layout": one_of("default", "wide", "full-width", "center", "align-start", "align-end"),
                "width": is_number,
                "displayMode": one_of("default", "fixed"),
            }
        ),
    ),
    "tableRow": NodeRule(content=frozenset({"tableHeader", "tableCell"}), least=1),
    "tableHeader": _CELL,
    "tableCell": _CELL,
    "expand": NodeRule(
        content=(_TOP | {"nestedExpand"}) - {"expand"}, least=1, attrs=Attrs(optional={"title": is_text})
    ),
    "nestedExpand": NodeRule(
        content=_IN_NESTED_EXPAND | _LISTS | _MEDIA, least=1, attrs=Attrs(optional={"title": is_text})
    ),
    "mediaSingle": NodeRule(
        content=frozenset({"media", "caption"}),
        least=1,
        most=2,
        attrs=Attrs(
            optional={
                "layout": one_of("wide", "full-width", "center", "wrap-right", "wrap-left", "align-end", "align-start"),
                "width": is_number,
                "widthType": one_of("percentage", "pixel"),
            }
        ),
    ),
    "mediaGroup": NodeRule(content=frozenset({"media"}), least=1),
    "caption": NodeRule(content=INLINE),
    "media": NodeRule(
        attrs=Attrs(
            required={"type": one_of("file", "link", "external")},
            optional={
                "id": is_filled,
                "collection": is_text,
                "url": is_filled,
                "alt": is_text,
                "width": is_number,
                "height": is_number,
                "occurrenceKey": is_filled,
            },
        )
    ),
    "mediaInline": NodeRule(
        attrs=Attrs(
            required={"id": is_filled, "collection": is_text},
            optional={"type": one_of("file", "link", "image"), "alt": is_text, "width": is_number, "height": is_number},
        )
    ),
    "text": NodeRule(),
    "hardBreak": NodeRule(attrs=Attrs(optional={"text": one_of("\n")})),
    "mention": NodeRule(
        attrs=Attrs(
            required={"id": is_text},
            optional={"text": is_text, "userType": one_of("DEFAULT", "SPECIAL", "APP"), "accessLevel": is_text},
        )
    ),
    "emoji": NodeRule(attrs=Attrs(required={"shortName": is_text}, optional={"id": is_text, "text": is_text})),
    "date": NodeRule(attrs=Attrs(required={"timestamp": is_filled})),
    "status": NodeRule(
        attrs=Attrs(
            required={
                "text": is_filled,
                "color": one_of("neutral", "purple", "blue", "red", "yellow", "green"),
            },
            optional={"style": is_text},
        )
    ),
    "inlineCard": NodeRule(attrs=Attrs(required={"url": is_filled})),
}

MARKS: Mapping[str, Attrs] = {
    "strong": Attrs(),
    "em": Attrs(),
    "strike": Attrs(),
    "underline": Attrs(),
    "code": Attrs(),
    "subsup": Attrs(required={"type": one_of("sub", "sup")}),
    "textColor": Attrs(required={"color": is_colour}),
    "backgroundColor": Attrs(required={"color": is_colour}),
    "link": Attrs(
        required={"href": is_filled},
        optional={"title": is_text, "id": is_text, "collection": is_text, "occurrenceKey": is_text},
    ),
    "annotation": Attrs(required={"id": is_text, "annotationType": one_of("inlineComment")}),
}
BESIDE_CODE = frozenset({"code", "link", "annotation"})
# An identifier that editors put on most nodes; it carries no meaning for us.
ANYWHERE: Mapping[str, Check] = {"localId": is_text}
