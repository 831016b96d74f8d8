"""Best-effort work after a commit, on one background thread of the process.

Enqueueing a task and pushing a live event both talk to Redis. A request must not wait for that: with Redis stopped a
connection fails at once, with Redis frozen it costs a time-out each. So the request drops a callable here and goes on.
What is lost (a full queue, a killed process) is done by the sweep and shown by the next digest.
"""

import atexit
import queue
import threading
import time
from collections.abc import Callable

import structlog

logger = structlog.get_logger(__name__)

CAPACITY = 10_000
REST_AFTER_FAILURE = 0.5  # seconds: with Redis down, do not try a thousand times a second


class HurryThread:
    """A bounded queue and the thread that empties it; started on first use, so that a fork never inherits it."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._queue: queue.Queue[Callable[[], None]] = queue.Queue(maxsize=capacity)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._resting_until = 0.0
        self.dropped = 0

    def soon(self, work: Callable[[], None]) -> None:
        """Run `work` on the background thread; drop it when the queue is full. Never blocks, never raises."""
        self._ensure_thread()
        try:
            self._queue.put_nowait(work)
        except queue.Full:
            self.dropped += 1

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everything queued so far has run; False when that took longer than `timeout` seconds."""
        if self._thread is None:
            return True
        done = threading.Event()
        try:
            self._queue.put(done.set, timeout=timeout)
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
            work = self._queue.get()
            try:
                work()
            except Exception as error:  # noqa: BLE001  (boundary: the hurry is optional by definition)
                self._rest(error)

    def _rest(self, error: Exception) -> None:
        """Note the failure once a rest, and drop what piled up: it would fail the same way."""
        now = time.monotonic()
        if now < self._resting_until:
            self.dropped += 1
            return
        self._resting_until = now + REST_AFTER_FAILURE
        logger.warning("hurry.failed", error=type(error).__name__, dropped=self.dropped)


_hurry = HurryThread()
soon = _hurry.soon
flush = _hurry.flush


def dropped() -> int:
    """How many callables this process has dropped since it started."""
    return _hurry.dropped


@atexit.register
def _leave() -> None:
    flush(timeout=1.0)
