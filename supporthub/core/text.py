"""Rules for text that comes from outside: which characters stay, and which links are harmless."""

import re
import unicodedata
from functools import lru_cache

import nh3

LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
LINK_LIMIT = 2_048

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
_LINE_END = re.compile("\r\n?")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAYBE_MARKS = re.compile("[\u0300-\U0010ffff]{31,}")
_GRAPHEME_JOINER = "\u034f"
_MARKS_IN_A_ROW = 30
_HARMLESS_LINK = re.compile(r"https?://[^/\\?#]|mailto:[^/]|tel:[^/]", re.IGNORECASE)
_LINK_NOISE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def strip_controls(s: str) -> str:
    """Remove what no format can carry, without composing characters.

    NUL, control characters (except tab and line feed) and the noncharacters U+FFFE and U+FFFF go,
    CRLF and CR become LF, surrogate pairs are joined and lone surrogates become U+FFFD.
    Safe for markup, whereas composing could join a `>` with a combining character that follows it.
    """
    if _SURROGATE.search(s):
        s = s.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _CONTROL.sub("", _LINE_END.sub("\n", s))


def compose(s: str) -> str:
    """NFC in linear time.

    Python sorts a run of combining characters in quadratic time, therefore runs of more than 30 are
    broken by U+034F as the stream-safe text format does (UAX #15, section 13).
    """
    if s.isascii():
        return s
    return unicodedata.normalize("NFC", _MAYBE_MARKS.sub(_break_marks, s))


def _break_marks(match: re.Match[str]) -> str:
    parts: list[str] = []
    run = 0
    for char in match.group():
        run = run + 1 if unicodedata.combining(char) else 0
        if run > _MARKS_IN_A_ROW:
            parts.append(_GRAPHEME_JOINER)
            run = 1
        parts.append(char)
    return "".join(parts)


def clean_text(s: str) -> str:
    """NFC text without NUL, control characters (tab and line feed stay) or lone surrogates (now U+FFFD); LF line ends.

    Idempotent. Not for markup: see `strip_controls`.
    """
    return compose(strip_controls(s))


def one_line(s: str, limit: int) -> str:
    """`s` cleaned and on one line of at most `limit` code points (at least 1), cut with an ellipsis.

    Bidirectional controls (U+202A-202E, U+2066-2069) are dropped and white space is collapsed, so the
    result suits a subject or a summary. Raises ValueError for a limit below 1.
    """
    if limit < 1:
        raise ValueError("limit must be at least 1")
    line = " ".join(compose(_BIDI.sub("", strip_controls(s))).split())
    if len(line) <= limit:
        return line
    return line[: limit - 1].rstrip() + "…"


@lru_cache(maxsize=1_024)
def safe_link(url: str) -> str | None:
    """The address as it may stand in a link, or None.

    Only absolute http, https, mailto and tel addresses of at most 2,048 characters are given back,
    without control characters and bidirectional overrides; white space inside is percent-encoded.
    """
    link = _LINK_NOISE.sub("", strip_controls(url[: 4 * LINK_LIMIT])).strip()
    link = compose("%20".join(link.split()))
    if len(link) > LINK_LIMIT or not _HARMLESS_LINK.match(link):
        return None
    probe = link.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    # The sanitiser refuses what its URL parser cannot read; asking it keeps both of one mind.
    return link if "href=" in nh3.clean(f'<a href="{probe}">x</a>', url_schemes=set(LINK_SCHEMES)) else None
