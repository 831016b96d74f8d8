"""Adapters of the port `tickets.ports.IssueTracker`, and the choice between them."""

from collections.abc import Callable, Mapping
from typing import cast

from django.utils.module_loading import import_string

from supporthub.core.errors import Rejected
from tickets.choices import TrackerKind
from tickets.models.boards import Tracker
from tickets.ports import IssueTracker

ADAPTERS: Mapping[str, str] = {TrackerKind.JIRA_CLOUD: "tickets.clients.jira.jira_tracker"}


def tracker_client(tracker: Tracker) -> IssueTracker:
    """The adapter for a tracker's row; opens no connection.

    Raises AuthError when no credentials are set, saying which, and Rejected for a kind that nobody speaks.
    """
    path = ADAPTERS.get(tracker.kind)
    if path is None:
        raise Rejected(f"the hub has no way to reach a tracker of the kind '{tracker.kind}'", code="unknown_kind")
    make = cast("Callable[[Tracker], IssueTracker]", import_string(path))
    return make(tracker)
