"""Enqueueing as a hurry: off the request's thread, never retried, never an error."""

from functools import partial
from typing import Any

from supporthub.core import hurry


def enqueue(task: Any, *args: int | str) -> None:
    """Send `task` to the broker soon; when that fails the sweep finds the row."""
    hurry.soon(partial(task.apply_async, args=args, retry=False, ignore_result=True))
