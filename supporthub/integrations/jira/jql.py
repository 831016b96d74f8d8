"""Text made safe for JQL. Pure.

A value goes in double quotes, with the backslash escaped before the quote (Atlassian, "JQL: special characters").
Field names and operators are ours and never come from outside.
"""

import re
from collections.abc import Sequence
from datetime import date

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def quote(value: str) -> str:
    """`value` as one JQL string for `=` and `in`; control characters and lone surrogates are dropped.

    Not for `~`, whose text is read a second time as a search expression.
    """
    return f'"{_CONTROL.sub("", value).translate(_ESCAPES)}"'


def labelled(project_key: str, label: str) -> str:
    """The issues of a project that carry `label`, oldest first."""
    # Quoted, because a project may be called like a reserved word (DO, IN, ORDER).
    return f"project = {quote(project_key)} AND labels = {quote(label)} ORDER BY id ASC"


def newest(project_key: str) -> str:
    """The issues of a project, newest first."""
    return f"project = {quote(project_key)} ORDER BY created DESC"


def made_before(project_key: str, day: date) -> str:
    """The issues of a project that were made before `day` began (in the account's time zone), newest first."""
    return f"project = {quote(project_key)} AND created < {quote(day.isoformat())} ORDER BY created DESC"


def labelled_any(project_key: str, labels: Sequence[str]) -> str:
    """The issues of a project that carry one of `labels`, oldest first."""
    listed = ", ".join(quote(label) for label in labels)
    return f"project = {quote(project_key)} AND labels in ({listed}) ORDER BY id ASC"
