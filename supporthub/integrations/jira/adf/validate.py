"""A strict check of documents against `schema`; knows nothing of how they are made."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from supporthub.integrations.jira.adf.schema import ANYWHERE, BESIDE_CODE, MARKS, NODES, Attrs, NodeRule

_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINK = re.compile(r"(https?://|mailto:|tel:)\S", re.IGNORECASE)
_KEYS = frozenset({"type", "attrs", "content"})
DEEPEST = 200
_Work = tuple[object, str, frozenset[str], bool, int]


class Problem(NamedTuple):
    """Something Jira would refuse, or that we refuse; `path` is like `content[0].content[2].marks[1]`."""

    path: str
    message: str


def validate(doc: object, *, deepest: int = DEEPEST) -> list[Problem]:
    """All problems of a document, in the order of the text; an empty list means that it may be sent. Never raises.

    More than `deepest` levels of nodes are a problem of their own: nobody writes them, and JSON readers give up.
    """
    if not isinstance(doc, dict):
        return [Problem("", "the document is not an object")]
    problems: list[Problem] = []
    if type(doc.get("version")) is not int or doc["version"] != 1:
        problems.append(Problem("version", "the version is not 1"))
    if not isinstance(doc.get("content"), list):
        problems.append(Problem("content", "a document needs a list of content"))
    body = {key: value for key, value in doc.items() if key != "version"}
    work: list[_Work] = [(body, "", frozenset({"doc"}), True, 0)]
    while work:
        node, path, allowed, marked, depth = work.pop()
        if depth > deepest:
            problems.append(Problem(path, "nested too deeply"))
            continue
        rule = _check(node, path, allowed, problems, marked=marked)
        if rule is not None and isinstance(node, dict):
            inner = _children(node, rule, path, problems)
            work.extend(
                (child, place, rule.content or frozenset(), rule.marked_text, depth + 1)
                for child, place in reversed(inner)
            )
    return problems


def _check(
    node: object, path: str, allowed: frozenset[str], problems: list[Problem], *, marked: bool
) -> NodeRule | None:
    """Add the problems of one node without its children; the rule of its kind."""
    if not isinstance(node, dict):
        problems.append(Problem(path, "a node is not an object"))
        return None
    kind = node.get("type")
    rule = NODES.get(kind) if isinstance(kind, str) else None
    if rule is None:
        problems.append(Problem(path, f"unknown node type {kind!r}"))
        return None
    if kind not in allowed:
        problems.append(Problem(path, f"{kind} may not stand here"))
    known = _KEYS | ({"text", "marks"} if kind == "text" else set())
    problems.extend(Problem(_join(path, key), "unknown key") for key in node if key not in known)
    if kind == "text":
        _check_text(node, path, problems, marked=marked)
    _check_attrs(node.get("attrs", {}), rule.attrs, _join(path, "attrs"), problems)
    return rule


def _children(
    node: Mapping[str, object], rule: NodeRule, path: str, problems: list[Problem]
) -> list[tuple[object, str]]:
    content = node.get("content", [])
    place = _join(path, "content")
    if not isinstance(content, list):
        problems.append(Problem(place, "content is not a list"))
        return []
    if rule.content is None:
        if "content" in node:
            problems.append(Problem(place, "a leaf has no content"))
        return []
    if len(content) < rule.least:
        problems.append(Problem(place, f"at least {rule.least} needed"))
    if rule.most is not None and len(content) > rule.most:
        problems.append(Problem(place, f"at most {rule.most} allowed"))
    return [(child, f"{place}[{index}]") for index, child in enumerate(content)]


def _check_text(node: Mapping[str, object], path: str, problems: list[Problem], *, marked: bool) -> None:
    text = node.get("text")
    if not isinstance(text, str) or not text:
        problems.append(Problem(_join(path, "text"), "text must be a string that is not empty"))
    elif _FORBIDDEN.search(text):
        problems.append(Problem(_join(path, "text"), "text holds a control character or half a character"))
    marks = node.get("marks", [])
    place = _join(path, "marks")
    if not isinstance(marks, list):
        problems.append(Problem(place, "marks is not a list"))
        return
    if marks and not marked:
        problems.append(Problem(place, "no marks allowed here"))
    kinds = [_check_mark(mark, f"{place}[{index}]", problems) for index, mark in enumerate(marks)]
    if len(set(kinds)) < len(kinds):
        problems.append(Problem(place, "a mark is repeated"))
    if "code" in kinds and not BESIDE_CODE.issuperset(kinds):
        problems.append(Problem(place, "code may be combined only with a link"))


def _check_mark(mark: object, path: str, problems: list[Problem]) -> str:
    kind = mark.get("type") if isinstance(mark, dict) else None
    if not isinstance(mark, dict) or not isinstance(kind, str) or kind not in MARKS:
        problems.append(Problem(path, "unknown mark"))
        return ""
    problems.extend(Problem(_join(path, key), "unknown key") for key in mark if key not in ("type", "attrs"))
    attrs = mark.get("attrs", {})
    _check_attrs(attrs, MARKS[kind], _join(path, "attrs"), problems)
    href = attrs.get("href") if isinstance(attrs, dict) else None
    if kind == "link" and isinstance(href, str) and not _LINK.match(href):
        problems.append(Problem(_join(path, "attrs.href"), "only http, https, mailto and tel links are sent"))
    return kind


def _check_attrs(attrs: object, rule: Attrs, path: str, problems: list[Problem]) -> None:
    if not isinstance(attrs, dict):
        problems.append(Problem(path, "attrs is not an object"))
        return
    problems.extend(Problem(_join(path, name), "missing") for name in rule.required if name not in attrs)
    known = {**ANYWHERE, **rule.optional, **rule.required}
    for name, value in attrs.items():
        if name not in known:
            problems.append(Problem(_join(path, str(name)), "unknown attribute"))
        elif not known[name](value):
            problems.append(Problem(_join(path, name), f"illegal value of type {type(value).__name__}"))


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
