"""HTML whose text cannot be forgotten to escape: whatever is not :class:`Html` is escaped on its way in."""

from html import escape


class Html(str):
    """Text that is markup already. Only :func:`el` and :func:`join` make it."""

    __slots__ = ()


VOID = frozenset({"br", "hr", "input", "meta", "link", "img"})


def el(tag: str, *children: object, **attributes: object) -> Html:
    """One element. ``class_`` loses its underscore; an attribute of None or False is left out, True stands bare."""
    parts = [tag]
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        clean = name.rstrip("_").replace("_", "-")
        parts.append(clean if value is True else f'{clean}="{escape(str(value))}"')
    start = "<" + " ".join(parts) + ">"
    return Html(start) if tag in VOID else Html(f"{start}{join(*children)}</{tag}>")


def join(*children: object) -> Html:
    """Children one after the other; plain text is escaped, None disappears, lists and tuples are flattened."""
    return Html("".join(_one(child) for child in children))


def _one(child: object) -> str:
    if isinstance(child, Html):
        return str(child)
    if isinstance(child, list | tuple):
        return str(join(*child))
    return "" if child is None else escape(str(child))
