"""What the sources offer to a translator, read without running them: marked texts, and texts that nobody marked."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("accounts", "directory", "mailrelay", "sessions", "supporthub", "tickets")
_MODULE = "django.utils.translation"
_LITERAL = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_TEMPLATE_CALL = re.compile(rf"\b(_|n?p?gettext)\(\s*{_LITERAL}(?:\s*,\s*{_LITERAL})?(?:\s*,\s*{_LITERAL})?")
_MARKED_BLOCK = re.compile(r"\{%\s*(blocktrans(?:late)?|comment)\b.*?\{%\s*end\1\s*%\}", re.DOTALL)
_CLASS_BLOCK = re.compile(r"\{%\s*block main_class\s*%\}.*?\{%\s*endblock\s*%\}")
_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_SPOKEN_ATTRIBUTES = ("title", "alt", "placeholder", "aria-label", "aria-description")

Text = tuple[str | None, str]  # context, text


def python_files() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def templates() -> list[Path]:
    return sorted((ROOT / "templates").rglob("*.html"))


def marked_texts() -> set[Text]:
    """Every text that a source hands to gettext, with its context."""
    found = {text for path in python_files() for text in _of_python(ast.parse(path.read_text()))}
    return found | {text for path in templates() for text in _of_template(path.read_text())}


def built_texts() -> list[str]:
    """Calls of gettext whose text is put together before it is looked up; such a text is never found."""
    return [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in python_files()
        for call, _kind, literals in _calls(ast.parse(path.read_text()))
        if any(isinstance(argument, ast.JoinedStr | ast.BinOp) for argument in literals)
    ]


def bare_template_texts(path: Path) -> list[str]:
    """Words that a template shows in every language: text and spoken attributes that no tag produces."""
    reader = _Reader()
    reader.feed(_TAG.sub("", _CLASS_BLOCK.sub("", _MARKED_BLOCK.sub("", path.read_text()))))
    reader.close()
    return [text for text in reader.texts if re.search(r"[A-Za-z]{2}", text)]


def bare_refusals() -> list[str]:
    """Refusals with an unmarked sentence, outside of the API, whose own texts are English for every caller."""
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files()
        if "api" not in path.relative_to(ROOT).parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("InvalidInput", "NotAllowed", "NotThere", "Conflicted", "StaleVersion")
        and node.args
        and isinstance(node.args[0], ast.Constant | ast.JoinedStr)
    ]


def _of_python(tree: ast.AST) -> Iterator[Text]:
    for _call, kind, arguments in _calls(tree):
        values = [item.value for item in arguments if isinstance(item, ast.Constant) and isinstance(item.value, str)]
        if len(values) == len(arguments):
            yield from _texts(kind, values)


def _of_template(source: str) -> Iterator[Text]:
    for name, *literals in _TEMPLATE_CALL.findall(templatize(source)):
        values = [ast.literal_eval(literal) for literal in literals if literal]
        yield from _texts("gettext" if name == "_" else name, values)


def _texts(kind: str, values: list[str]) -> Iterator[Text]:
    """The plural stands in the catalogue beside its singular, so the singular is enough."""
    context = values.pop(0) if kind.startswith(("p", "np")) else None
    yield context, values[0]


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str, list[ast.expr]]]:
    """Calls of django.utils.translation's functions under whatever name, with the arguments that are texts."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == _MODULE:
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and "gettext" in names.get(node.func.id, ""):
            kind = names[node.func.id].removesuffix("_lazy").removesuffix("_noop")
            length = {"gettext": 1, "ngettext": 2, "pgettext": 2, "npgettext": 3}[kind]
            yield node, kind, node.args[:length]


class _Reader(HTMLParser):
    """Collects what a browser would show or speak."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        self.texts += [value.strip() for name, value in attributes if name in _SPOKEN_ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.texts.append(data.strip())
