"""Shows how calls to Redis end: in the metrics, and in the log."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from driftgauge.errors import StorageError
from driftgauge.metrics.loss_log import LossLog
from driftgauge.metrics.registry import Metrics
from driftgauge.storage.redis_client import Call
from driftgauge.storage.redis_faults import advise

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Outage:
    """When calls of one kind failed, by the timer: first and last."""

    since: float
    last: float


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
        self._faults = LossLog(timer)
        self._outages: dict[str, _Outage] = {}
        self._logged = False

    def __call__(self, call: str, error: StorageError | None) -> None:
        """Note how a call ended. Each fault is logged once a minute, and once that all is well again."""
        self._errors.labels(call).inc(error is not None)
        if error is not None:
            now = self._timer()
            self._outages.setdefault(call, _Outage(now, now)).last = now
            self._up.labels(call).set(0)
            self._log_fault(call, error)
            return
        self._note_success(call)
        self._note_success(Call.PING)  # pinged at the start only; every reply shows as well that Redis can be reached
        if self._outages:
            self._forget_idle(self._timer())

    def _log_fault(self, call: str, error: StorageError) -> None:
        fault, advice = advise(error)
        sentence = f"{error}".rstrip(".")
        if self._faults.add_fault(fault, sentence, advice, lambda: {"fault": fault.value, "call": call}):
            self._logged = True

    def _note_success(self, call: str) -> None:
        outage = self._outages.pop(call, None)
        self._up.labels(call).set(1)
        if outage is not None and self._logged and not self._outages:
            self._logged = False
            _log.warning("Redis works again, after %.0f s", self._timer() - outage.since)

    def _forget_idle(self, now: float) -> None:
        for call in [call for call, outage in self._outages.items() if now - outage.last > self._idle_seconds]:
            self._note_success(call)
