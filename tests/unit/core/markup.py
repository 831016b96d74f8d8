"""Hypothesis strategies for hostile markup, and an independent reader of what it shows."""

from html import escape
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import strategies as st

FIXTURES = Path(__file__).parents[2] / "fixtures" / "html"
FIXTURE_NAMES = sorted(path.name for path in FIXTURES.glob("*.html"))

TAGS = [
    "p", "div", "span", "br", "hr", "h1", "h3", "ul", "ol", "li", "blockquote", "pre", "code", "table", "thead",
    "tbody", "tr", "td", "th", "caption", "b", "strong", "i", "em", "u", "s", "del", "sub", "sup", "a", "font",
    "center", "dl", "dt", "dd", "section", "img", "o:p", "x-unknown", "svg", "textarea", "button",
]  # fmt: skip
RAW_TAGS = ["script", "style", "title", "iframe", "noembed", "template", "math", "plaintext", "select"]
ATTRIBUTES = [
    "", " href='https://e.org/a?b=1&c=2'", " href=javascript:alert(1)", ' href="data:text/html,x"',
    " href=' jav\tascript:x'", " href='mailto:a@e.org'", " href=//e.org/x", " colspan=3 rowspan=9",
    " rowspan=-1 colspan=99999", " start=7", " start=x", " style='x:y' class=c id=i onclick=x()",
    " alt=pic src=cid:a.png@x", " src=http://e.org/p.gif", " href='", ' a="<b>"',
]  # fmt: skip
JUNK = [
    "<", ">", "&", "<!--", "-->", "<!x>", "<?xml", "</", "</>", "<![if x]>", "&nbsp;", "&#0;", "&#xD800;",
    "&lt;b&gt;", "\x00", "\ud83d", "\u0301", "\u0338", "\r\n", "\n\n", "\t", "'", '"', "&#" + "9" * 5000 + ";",
]  # fmt: skip

words = st.text(st.characters(categories=("L", "N", "S", "P", "Mn")), min_size=1, max_size=8)
# Words that NFC leaves alone even beside each other.
_plain_words = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x17F, categories=("L", "N", "S", "P")), min_size=1, max_size=8
)
_open = st.builds("<{}{}>".format, st.sampled_from(TAGS), st.sampled_from(ATTRIBUTES))
_close = st.sampled_from(TAGS).map("</{}>".format)
_junk = st.sampled_from(JUNK)
_raw = st.builds("<{}>".format, st.sampled_from(RAW_TAGS)) | st.sampled_from(RAW_TAGS).map("</{}>".format)
_piece = st.one_of(_open, _open, _close, words.map(escape), st.just(" "), _junk, _raw)

nasty_html = st.lists(_piece, max_size=40).map("".join) | st.text(max_size=60)

html_with_words = st.recursive(
    _plain_words.map(lambda word: (escape(word), [word])),
    lambda inner: st.builds(
        lambda tag, parts: (f"<{tag}>" + "".join(p[0] for p in parts) + f"</{tag}>", [w for p in parts for w in p[1]]),
        st.sampled_from([tag for tag in TAGS if tag not in ("br", "hr", "img")]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=25,
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.runs: list[str] = []

    def handle_data(self, data: str) -> None:
        self.runs.append(data)


def visible_runs(html: str) -> list[str]:
    """Runs of text of well-formed HTML, without white space, by a reader that shares no code with ours."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return [squeezed for squeezed in map(squeeze, reader.runs) if squeezed]


def squeeze(text: str) -> str:
    return "".join(text.split())


def lost_run(runs: list[str], text: str) -> str | None:
    """The first of `runs` that does not follow its predecessor in `text`; None when all are there, in order."""
    haystack, at = squeeze(text), 0
    for run in runs:
        found = haystack.find(run, at)
        if found < 0:
            return run
        at = found + len(run)
    return None
