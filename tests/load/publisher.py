"""Publishes one change at a time, in a process of its own: `python -m tests.load.publisher`.

Each line of JSON on standard input, `{"to": "hub"|"bare", "mark": …, "topic": …, "scope": …}`, is sent at once; the
moment of sending (CLOCK_MONOTONIC, the same clock in all processes) travels in the frame.
"""

# ruff: noqa: E402  (the hub's settings are read before anything of the hub is imported)
import json
import os
import sys
import time
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "supporthub.settings.local")
django.setup()

from supporthub.core import hurry
from supporthub.core.live import store
from supporthub.core.live.publish import publish
from tests.load.bare_broadcast import CHANNEL


def to_hub(asked: dict[str, Any]) -> None:
    """As a receiver of a ticket's event does after the commit."""
    data = {"by": "", "mark": asked["mark"], "sent": time.monotonic_ns()}
    publish(asked["topic"], "ticket.edited", id=1, version=1, data=data, scope=asked["scope"])
    hurry.flush()


def to_bare(asked: dict[str, Any]) -> None:
    """A frame of the same form and length."""
    frame = {
        "by": "", "mark": asked["mark"], "sent": time.monotonic_ns(), "type": "event", "topic": asked["topic"],
        "epoch": "0123456789ab", "seq": 1, "kind": "ticket.edited", "id": 1, "version": 1, "after": 0,
    }  # fmt: skip
    store.client().publish(CHANNEL, json.dumps(frame, separators=(",", ":")))


if __name__ == "__main__":
    for line in sys.stdin:
        question = json.loads(line)
        (to_hub if question["to"] == "hub" else to_bare)(question)
        sys.stdout.write("{}\n")
        sys.stdout.flush()
