"""A page shows panels of apps above it without importing them: they register here, the page loads them by URL."""

from collections import defaultdict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Panel:
    slot: str
    url_name: str
    permission: str


_panels: dict[str, list[Panel]] = defaultdict(list)


def register(slot: str, url_name: str, permission: str) -> None:
    """Offer a panel for `slot` (for example "ticket.side"); `url_name` takes the slot's object as its argument."""
    _panels[slot].append(Panel(slot, url_name, permission))


def panels(slot: str) -> list[Panel]:
    return list(_panels[slot])
