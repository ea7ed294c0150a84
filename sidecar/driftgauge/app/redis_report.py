"""Shows how calls to Redis end: in the metrics, and in the log."""

import time
from collections.abc import Callable
from typing import final

from driftgauge.errors import StorageError
from driftgauge.metrics.registry import Metrics
from driftgauge.storage.redis_client import Call
from driftgauge.storage.redis_faults import FaultLog


@final
class RedisReport:
    """Counts and logs failed calls, and shows whether Redis is up for each kind of call.

    A kind whose last call failed is down until a call of it succeeds; or until it was not called for a while, during
    which other calls succeeded. Example: a replica that has handed over the evaluation of its models neither reads
    windows nor saves states any more, and it is unknown whether that would work.

    Args:
        metrics: The gauges and counters.
        idle_seconds: How long a kind that failed and is not called any more counts as down.
        timer: Monotonic time in seconds.
    """

    def __init__(self, metrics: Metrics, idle_seconds: float, timer: Callable[[], float] = time.monotonic) -> None:
        self._up, self._errors = metrics.watch_redis()
        self._idle_seconds = idle_seconds
        self._timer = timer
        self._log = FaultLog(timer)
        self._failed_at: dict[str, float] = {}

    def __call__(self, call: str, error: StorageError | None) -> None:
        """Note how a call ended."""
        self._errors.labels(call).inc(error is not None)
        if error is not None:
            self._failed_at[call] = self._timer()
            self._up.labels(call).set(0)
            self._log.add(call, error)
            return
        self._note_success(call)
        self._note_success(Call.PING)  # pinged at the start only; every reply shows as well that Redis can be reached
        if self._failed_at:
            self._forget_idle(self._timer())

    def _note_success(self, call: str) -> None:
        self._failed_at.pop(call, None)
        self._up.labels(call).set(1)
        self._log.add(call, None)

    def _forget_idle(self, now: float) -> None:
        for call in [call for call, at in self._failed_at.items() if now - at > self._idle_seconds]:
            self._note_success(call)
