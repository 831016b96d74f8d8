"""The inline content of one paragraph or heading under construction."""

import re

from supporthub.core.html_events import Run
from supporthub.core.text import compose
from supporthub.integrations.jira.adf.schema import Node

_SPACES = re.compile("[ \t\n\r\f\u00a0]+")
_MOST_BREAKS = 2
_MARKS: dict[str, Node] = {
    "strong": {"type": "strong"},
    "em": {"type": "em"},
    "u": {"type": "underline"},
    "s": {"type": "strike"},
    "sub": {"type": "subsup", "attrs": {"type": "sub"}},
    "sup": {"type": "subsup", "attrs": {"type": "sup"}},
}


class Line:
    """Collects runs and breaks; `take` gives the nodes and starts anew.

    White space is collapsed as a browser does, edges are trimmed, neighbours with equal marks are joined, and no
    text node is ever empty.
    """

    def __init__(self) -> None:
        self._nodes: list[Node] = []

    def add(self, run: Run, *, strong: bool = False) -> int:
        """Append a run, as strong text if asked; the number of characters that were added."""
        text = _SPACES.sub(" ", run.text)
        if self._at_gap():
            text = text.removeprefix(" ")
        if not text:
            return 0
        marks = _marks(run, strong=strong)
        last = self._nodes[-1] if self._nodes else {}
        if last.get("type") == "text" and last.get("marks", []) == marks:
            last["text"] += text
        else:
            self._nodes.append({"type": "text", "text": text} | ({"marks": marks} if marks else {}))
        return len(text)

    def line_break(self) -> None:
        """Append a hard break, unless the line is empty or already ends with two."""
        self._trim()
        ending = self._nodes[-_MOST_BREAKS:]
        if self._nodes and not (len(ending) == _MOST_BREAKS and all(node["type"] == "hardBreak" for node in ending)):
            self._nodes.append({"type": "hardBreak"})

    def take(self) -> list[Node]:
        self._trim()
        while self._nodes and self._nodes[-1]["type"] == "hardBreak":
            self._nodes.pop()
            self._trim()
        nodes, self._nodes = self._nodes, []
        for node in nodes:
            if node["type"] == "text":
                node["text"] = compose(node["text"])
        return nodes

    def _at_gap(self) -> bool:
        return not self._nodes or self._nodes[-1]["type"] == "hardBreak" or self._nodes[-1]["text"].endswith(" ")

    def _trim(self) -> None:
        """Remove white space at the end."""
        while self._nodes and self._nodes[-1]["type"] == "text":
            last = self._nodes[-1]
            last["text"] = last["text"].rstrip(" ")
            if last["text"]:
                return
            self._nodes.pop()


def _marks(run: Run, *, strong: bool) -> list[Node]:
    """Marks in a fixed order: code beside nothing but a link, and only one of sub and sup."""
    marks: list[Node] = [{"type": "link", "attrs": {"href": run.href}}] if run.href else []
    if "code" in run.marks:
        return [*marks, {"type": "code"}]
    names = [name for name in _MARKS if name in run.marks or (strong and name == "strong")]
    if "sub" in names and "sup" in names:
        names.remove("sup")
    return marks + [dict(_MARKS[name]) for name in names]
