"""Enqueueing as a hurry: off the request's thread, never retried, never an error.

The hurry thread must be free again soon, whatever Redis does. Celery's own producer connection waits for a dead broker
with growing pauses and for a frozen one as long as a worker would, so tasks are sent over a connection of our own.
"""

import threading
from functools import partial
from typing import Any

from celery import current_app
from kombu import Connection

from supporthub.core import hurry

_OPTIONS = {"socket_connect_timeout": 0.2, "socket_timeout": 0.5, "max_retries": 0, "interval_start": 0}
_own = threading.local()


def enqueue(task: Any, *args: int | str) -> None:
    """Send `task` to the broker soon; when that fails the sweep finds the row."""
    hurry.soon(partial(_send, task, args))


def _send(task: Any, args: tuple[int | str, ...]) -> None:
    try:
        task.apply_async(args=args, connection=_connection(), retry=False, ignore_result=True)
    except Exception:
        # Half an exchange may be left on it: the next task gets a new one.
        _own.connection.release()
        _own.connection = None
        raise


def _connection() -> Connection:
    connection: Connection | None = getattr(_own, "connection", None)
    if connection is None:
        connection = Connection(current_app.conf.broker_url, transport_options=_OPTIONS)
        _own.connection = connection
    return connection
