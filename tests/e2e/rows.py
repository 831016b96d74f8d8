"""What a queue shows, row by row, and what the API says that it should show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

# Everything is read in one step of the page's own thread: no row is read half before and half after a change.
_READ = """
() => [...document.querySelectorAll("#rows .row-line")].map((row) => {
  const named = (place, prefix) => [...(row.querySelector(`${place} .${prefix.slice(0, -1)}`)?.classList ?? [])]
    .find((name) => name.startsWith(prefix))?.slice(prefix.length) ?? "";
  const face = row.querySelector(".c-who .face");
  return {
    key: row.dataset.key,
    version: Number(row.dataset.version),
    status: named(".c-state", "state-"),
    priority: named(".c-prio", "prio-"),
    assignee: face.classList.contains("face-none") ? "" : face.getAttribute("aria-label"),
    title: row.querySelector(".row-link").textContent,
    issue: row.querySelector(".c-sub .issue")?.textContent ?? "",
    leaving: row.classList.contains("is-gone"),
  };
})
"""
OPEN = ("new", "in_progress", "waiting_on_requester", "on_hold")


@dataclass(frozen=True)
class Row:
    """One line of the queue. `assignee` is a name, `issue` the tracker's key; both may be empty."""

    key: str
    version: int
    status: str
    priority: str
    assignee: str
    title: str
    issue: str
    leaving: bool = False


def shown_by(page: Page) -> list[Row]:
    """The rows of a queue, in their order; one that is on its way out counts until it is gone."""
    return [Row(**row) for row in page.evaluate(_READ)]


def row_of(ticket: Mapping[str, Any]) -> Row:
    """A ticket of the API as the queue should show it."""
    return Row(
        key=ticket["key"],
        version=ticket["version"],
        status=ticket["status"],
        priority=ticket["priority"],
        assignee=ticket["assignee"]["name"] if ticket["assignee"] else "",
        title=ticket["title"],
        issue=ticket["external_key"] or "",
    )
