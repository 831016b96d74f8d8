"""Best-effort work after a commit, on one background thread of the process.

Enqueueing a task and pushing a live event both talk to Redis. A request must not wait for that: with Redis stopped a
connection fails at once, with Redis frozen it costs a time-out each. So the request drops a callable here and goes on.
Under load, what comes within 20 ms is handed over together, which is cheaper; alone, nothing waits.
What is lost (a full queue, a killed process) is done by the sweep and shown by the next digest.
"""

import atexit
import queue
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import structlog

logger = structlog.get_logger(__name__)

CAPACITY = 10_000
GATHER = 0.02  # seconds between two hand-overs
REST_AFTER_FAILURE = 0.5  # seconds: with Redis down, do not try a thousand times a second

T = TypeVar("T")
Batch = list[Any]


def _one_by_one(works: Batch) -> None:
    """Stands in the queue for "call it", as opposed to a handler of several items."""
    raise NotImplementedError


class HurryThread:
    """A bounded queue and the thread that empties it; started on first use, so that a fork never inherits it."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._queue: queue.Queue[tuple[Callable[[Batch], None], Any]] = queue.Queue(maxsize=capacity)
        self._handed_over_at = 0.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._resting_until = 0.0
        self.dropped = 0

    def soon(self, work: Callable[[], None]) -> None:
        """Run `work` on the background thread; drop it when the queue is full. Never blocks, never raises."""
        self.gather(_one_by_one, work)

    def gather(self, handle: Callable[[list[T]], None], item: T) -> None:
        """As `soon`, but `handle` gets all items that came for it meanwhile, in their order."""
        self._ensure_thread()
        try:
            self._queue.put_nowait((handle, item))
        except queue.Full:
            self.dropped += 1

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everything queued so far has run; False when that took longer than `timeout` seconds."""
        if self._thread is None:
            return True
        done = threading.Event()
        try:
            self._queue.put((_one_by_one, done.set), timeout=timeout)
        except queue.Full:
            return False
        return done.wait(timeout)

    def _ensure_thread(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="hurry", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            groups: dict[Callable[[Batch], None], Batch] = {}
            for handle, item in self._taken():
                groups.setdefault(handle, []).append(item)
            alone = groups.pop(_one_by_one, [])  # the last: a flush waits for everything before it
            for handle, items in groups.items():
                if time.monotonic() < self._resting_until:
                    self.dropped += len(items)
                else:
                    self._try(partial(handle, items), len(items))
            for work in alone:
                self._try(work, 1)

    def _taken(self) -> Iterable[tuple[Callable[[Batch], None], Any]]:
        """Wait for something; then take all that is there."""
        taken = [self._queue.get()]
        time.sleep(max(0.0, self._handed_over_at + GATHER - time.monotonic()))
        self._handed_over_at = time.monotonic()
        while True:
            try:
                taken.append(self._queue.get_nowait())
            except queue.Empty:
                return taken

    def _try(self, work: Callable[[], None], items: int) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  (boundary: the hurry is optional by definition)
            self._rest(error, items)

    def _rest(self, error: Exception, items: int) -> None:
        """Note the failure, and let what comes next rest for a moment: it would fail the same way."""
        self.dropped += items
        self._resting_until = time.monotonic() + REST_AFTER_FAILURE
        logger.warning("hurry.failed", error=type(error).__name__, dropped=self.dropped)


_hurry = HurryThread()
soon = _hurry.soon
gather = _hurry.gather
flush = _hurry.flush


def dropped() -> int:
    """How many callables this process has dropped since it started."""
    return _hurry.dropped


@atexit.register
def _leave() -> None:
    flush(timeout=1.0)
