"""Reading JQL: text to a tree. Pure. What Jira would refuse, or this subset does not know, raises :class:`JqlError`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

OPERATORS = frozenset({"=", "!=", "~", "!~", ">", ">=", "<", "<="})
ORDER_LIMIT = 7
_RESERVED = """
abort access add after alias all alter and any are as asc at audit avg before begin between boolean break by
byte catch cf char character check checkpoint collate collation column commit connect continue count create
current date decimal declare default defaults define delete delimiter desc difference distinct divide do
double drop else empty encoding end equals escape exclusive exec execute exists explain false fetch file field
first float for from function go goto grant greater group having identified if immediate in increment index
initial inner inout input insert int integer intersect intersection into is isempty isnull join last left less
like limit lock long max min minus mode modify modulo more multiply next noaudit not notin nowait null number
object of on option or order outer output power previous prior privileges public raise raw remainder rename
resource return returns revoke right row rowid rownum rows select session set share size sqrt start strict
string subtract sum synonym table then to trans transaction trigger true uid union unique update user validate
values view when whenever where while with
"""
RESERVED = frozenset(_RESERVED.split())
TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<operator>>=|<=|!=|!~|[=~<>])
      | (?P<mark>[(),])
      | (?P<field>(?:cf|issue\.property)\[[^\]]*\](?:\.[\w.]+)?)
      | (?P<word>[^\s"'=!~<>(),\[\]{}|&;@\#$%^*?\\/+]+(?:[^\s"'=!~<>(),\[\]{}|&;]*)|-\d+[mhdwMy]|-?\d+)
    )""",
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\", " ": " "}


class JqlError(ValueError):
    """A query that Jira answers with 400; the text goes into ``errorMessages``."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison. ``operator`` is lower case: a symbol, ``in``, ``not in``, ``is`` or ``is not``."""

    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """``NOT`` part."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class Group:
    """Parts joined by ``word``, which is ``AND`` or ``OR``."""

    word: str
    parts: "tuple[Node, ...]"


Node = Clause | Negation | Group
EMPTY = "\0empty"
CURRENT_USER = "\0me"


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query; ``order`` holds (field, descending)."""

    where: Node | None
    order: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "word" else ""


def parse(text: str) -> Query:
    """The tree of a query.

    :raises JqlError: the text is no JQL.
    """
    return _Parser(_tokens(text)).query()


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    while text[position:].strip():
        match = TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            at = position + len(text[position:]) - len(text[position:].lstrip())
            raise JqlError(
                f"Error in the JQL Query: The character '{text[at]}' is a reserved JQL character. (character {at + 1})"
            )
        kind, value = match.lastgroup, match.group(match.lastgroup)
        found.append(_Token(kind, _unquoted(value) if kind == "string" else value, match.start(match.lastgroup)))
        position = match.end()
    return found


def _unquoted(literal: str) -> str:
    def replace(match: re.Match[str]) -> str:
        code = match.group(1)
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code not in ESCAPES:
            raise JqlError(f"Error in the JQL Query: '\\{code}' is an illegal JQL escape sequence.")
        return ESCAPES[code]

    return ESCAPE.sub(replace, literal[1:-1])


class _Parser:
    """Recursive descent; OR binds weaker than AND, AND weaker than NOT."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        where = None if self._peek_word() in {"order", ""} and not self._opens() else self._either()
        order = self._order() if self._peek_word() == "order" else ()
        if self._at < len(self._tokens):
            raise self._unexpected("either 'OR' or 'AND'")
        return Query(where, order)

    def _opens(self) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].kind != "word"

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _peek_word(self) -> str:
        token = self._peek()
        return "" if token is None else token.word

    def _take(self, wanted: str) -> _Token:
        token = self._peek()
        if token is None:
            raise JqlError(f"Error in the JQL Query: Expecting {wanted} before the end of the query.")
        self._at += 1
        return token

    def _unexpected(self, wanted: str) -> JqlError:
        token = self._peek()
        if token is None:
            return JqlError(f"Error in the JQL Query: Expecting {wanted} before the end of the query.")
        return JqlError(
            f"Error in the JQL Query: Expecting {wanted} but got '{token.text}'. (character {token.at + 1})"
        )

    def _either(self) -> Node:
        return self._joined("or")

    def _both(self) -> Node:
        return self._joined("and")

    def _joined(self, word: str) -> Node:
        read = self._both if word == "or" else self._one
        parts = [read()]
        while self._peek_word() == word:
            self._at += 1
            parts.append(read())
        return parts[0] if len(parts) == 1 else Group(word.upper(), tuple(parts))

    def _one(self) -> Node:
        token = self._peek()
        if token is not None and token.word == "not":
            self._at += 1
            return Negation(self._one())
        if token is not None and token.text == "(" and token.kind == "mark":
            self._at += 1
            inner = self._either()
            self._closing()
            return inner
        return self._clause()

    def _closing(self) -> None:
        token = self._peek()
        if token is None or token.kind != "mark" or token.text != ")":
            raise self._unexpected("')'")
        self._at += 1

    def _clause(self) -> Clause:
        token = self._take("a field name")
        if token.kind not in {"word", "string", "field"} or token.word in RESERVED:
            self._at -= 1
            raise self._unexpected("a field name")
        operator = self._operator()
        if operator in {"in", "not in"}:
            return Clause(token.text.lower(), operator, self._list())
        value = self._value()
        if operator in {"is", "is not"} and value != EMPTY:
            raise JqlError(f"Error in the JQL Query: Expecting 'EMPTY' or 'NULL' but got '{value}'.")
        return Clause(token.text.lower(), operator, (value,))

    def _operator(self) -> str:
        token = self._take("an operator")
        if token.kind == "operator":
            return token.text
        if token.word == "in":
            return "in"
        if token.word == "not" and self._peek_word() == "in":
            self._at += 1
            return "not in"
        if token.word == "is":
            negated = self._peek_word() == "not"
            self._at += negated
            return "is not" if negated else "is"
        self._at -= 1
        raise self._unexpected("operator")

    def _list(self) -> tuple[str, ...]:
        token = self._take("'('")
        if token.text != "(" or token.kind != "mark":
            self._at -= 1
            raise self._unexpected("'('")
        values = [self._value()]
        while (token := self._take("')'")).kind == "mark" and token.text == ",":
            values.append(self._value())
        self._at -= 1
        self._closing()
        return tuple(values)

    def _value(self) -> str:
        token = self._take("a value")
        if token.kind == "string":
            return token.text
        if token.kind != "word":
            self._at -= 1
            raise self._unexpected("either a value, list or function")
        if token.word in {"empty", "null"}:
            return EMPTY
        if token.word in RESERVED:
            raise JqlError(
                f"Error in the JQL Query: '{token.text}' is a reserved JQL word. "
                "You must surround it in quotation marks to use it in a query."
            )
        following = self._peek()
        if following is not None and following.text == "(" and following.kind == "mark":
            return self._function(token)
        return token.text

    def _function(self, name: _Token) -> str:
        self._at += 1
        self._closing()
        if name.word != "currentuser":
            raise JqlError(f"Unable to find JQL function '{name.text}()'.")
        return CURRENT_USER

    def _order(self) -> tuple[tuple[str, bool], ...]:
        self._at += 1
        if self._take("'by'").word != "by":
            raise JqlError("Error in the JQL Query: Expecting 'by' after 'order'.")
        parts: list[tuple[str, bool]] = []
        while True:
            name = self._take("a field name").text.lower()
            direction = self._peek_word()
            self._at += direction in {"asc", "desc"}
            parts.append((name, direction == "desc"))
            token = self._peek()
            if token is None or token.text != "," or token.kind != "mark":
                break
            self._at += 1
        if len(parts) > ORDER_LIMIT:
            raise JqlError(f"The number of fields in ORDER BY must not exceed {ORDER_LIMIT}.")
        return tuple(parts)
