"""Which tables of a mail hold data, and which only arrange things on the page."""

from supporthub.core.html_events import CELLS, Close, Event, Open


class _Table:
    __slots__ = ("columns", "header", "index", "inner", "width")

    def __init__(self, index: int) -> None:
        self.index = index
        self.header = False
        self.inner = False
        self.columns = 0
        self.width = 0

    def holds_data(self) -> bool:
        return self.header or (self.columns > 1 and not self.inner)


def data_tables(events: list[Event]) -> frozenset[int]:
    """Positions in `events` of the tables that have a header cell, or several columns and no table inside."""
    found: set[int] = set()
    stack: list[_Table] = []
    for index, event in enumerate(events):
        if isinstance(event, Open):
            if event.tag == "table":
                if stack:
                    stack[-1].inner = True
                stack.append(_Table(index))
            elif event.tag == "tr":
                stack[-1].width = 0
            elif event.tag in CELLS:
                table = stack[-1]
                table.header = table.header or event.tag == "th"
                table.width += 1
                table.columns = max(table.columns, table.width)
        elif isinstance(event, Close) and event.tag == "table":
            table = stack.pop()
            if table.holds_data():
                found.add(table.index)
    return frozenset(found)
