"""Enqueueing as a hurry: off the request's thread, never retried, never an error.

The hurry thread must be free again soon, whatever Redis does. Celery's own producer connection waits for a dead broker
with growing pauses and for a frozen one as long as a worker would, so tasks are sent over a connection of our own.
"""

import threading
from typing import Any

from celery import current_app
from kombu import Connection, Producer

from supporthub.core import hurry

ROWS_A_MESSAGE = 4
_OPTIONS = {"socket_connect_timeout": 0.2, "socket_timeout": 0.5, "max_retries": 0, "interval_start": 0}
_own = threading.local()

Call = tuple[Any, tuple[int | str, ...]]


def nudge(task: Any, pk: int) -> None:
    """Send `task` for a row of deliveries to the broker soon; when that fails the sweep finds the row.

    Such a task goes on with the other due rows of its kind, so a burst needs fewer messages than it has rows.
    """
    call: Call = (task, (pk,))
    hurry.gather(_send_some, call)


def _send_some(calls: list[Call]) -> None:
    found: dict[Any, list[Call]] = {}
    for call in calls:
        found.setdefault(call[0], []).append(call)
    for of_one_task in found.values():
        _send(of_one_task[::ROWS_A_MESSAGE])


def _send(calls: list[Call]) -> None:
    try:
        for task, args in calls:
            task.apply_async(args=args, producer=_producer(), retry=False, ignore_result=True)
    except Exception:
        # Half an exchange may be left on it: the next task gets a new one.
        _own.connection.release()
        _own.producer = None
        raise


def _producer() -> Producer:
    producer: Producer | None = getattr(_own, "producer", None)
    if producer is None:
        _own.connection = Connection(current_app.conf.broker_url, transport_options=_OPTIONS)
        producer = _own.producer = current_app.amqp.Producer(_own.connection, auto_declare=False)
    return producer
