"""Lowers the sample ratio to what can be read, so that what is left out is chosen by its id and not by chance.

The ratio of a model is the product of three factors:

- the configured ratio, or less if more rows of the model come than are read (`max_rows_per_second`);
- the slow part of what the pipeline carries, the same for all models;
- its fast part, which falls while the pipeline is filling up, within the same turn of the event loop.

The fast part alone would keep the pipeline from dropping anything. It is noisy, though, and needs a pipeline that is
more than half full, so the slow part follows: it falls as long as the fast part leaves something out, and grows all the
time. At equilibrium the fast part leaves out a few percent of what the slow part lets through.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from typing import Final, final

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.inference.sample_ratio import FAST_SPAN, Carried, ModelSample
from driftgauge.metrics.loss_log import INTERVAL_SECONDS
from driftgauge.metrics.registry import Metrics

_log = logging.getLogger(__name__)

STEP_SECONDS: Final = 0.2
"""Least time between two changes of the slow part and of the limit by rows."""

_FALL_SECONDS: Final = 1.0
"""The slow part falls to 1/e in this time while nothing is let through, or in a longer one; see the next two."""

_DRAINS: Final = 4.0
"""The slow part falls no faster than to 1/e in the time in which the pipeline drains so many times: else the ratio
oscillates, since the queue follows late."""

_FLIGHTS: Final = 3.0
"""And no faster than to 1/e in so many times the time that a request is under way, for the same reason."""

_GROWTH: Final = 0.03
"""What the slow part grows in `_FALL_SECONDS`: at equilibrium this is the share that the fast part leaves out of it."""

_IDLE_GROWTH: Final = 0.2
"""What it grows in a second while the pipeline is never more than a third full: a tenfold load that ends is forgotten
in 12 seconds."""

_IDLE_FULLNESS: Final = 0.35

_ASLEEP_RATE: Final = 0.1
"""Exchanges a second below which the rate of a model is no longer followed, until the next one comes."""

_LEAST: Final = 1e-3
"""The smallest slow part, so that it can grow again."""

_RATE_SECONDS: Final = 0.5
_ROWS_SECONDS: Final = 5.0
"""Over which time the rate of payloads is averaged, and the rows of a payload."""

_SPEED_SECONDS: Final = 10.0
"""Seconds of work over which the speed of the pipeline is averaged."""

_USED_PAYLOADS: Final = 0.9
_USED_BYTES: Final = 0.5
_USED_SECONDS: Final = 0.8
"""Of the limits of the queue, what counts as full. Of the bytes it is less: one body may be long, and must fit."""

_LEAST_USE: Final = 1e-3
"""How much of the queue is used at least, however slow the pipeline is."""

_SHOWN: Final = 0.98
"""Below which share of the configured ratio this is logged and shown."""


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """The limits that lower the ratio.

    Args:
        sample_ratio: The configured ratio, in [0, 1].
        max_rows_per_second: Rows of one model that are read in a second, of requests and of responses each; at least 1.
        queue_payloads: Most payloads in the queue, at least 1.
        queue_bytes: Most bytes of their bodies.
        queue_seconds: Longest time that a payload may wait there.
        memory_seconds: For how long ratios are remembered, at least; labels need them.
    """

    sample_ratio: float
    max_rows_per_second: float
    queue_payloads: int
    queue_bytes: int
    queue_seconds: float
    memory_seconds: float = 604_800.0


@final
class Sampling:
    """Owns the ratios of all models.

    Args:
        settings: The limits.
        metrics: Has what decides of the inferences of each model.
        clock: Monotonic time in seconds.
    """

    def __init__(self, settings: SampleSettings, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._metrics = metrics
        self._carried: Carried = metrics.carried
        self._clock = clock
        self._awake: dict[ModelKey, ModelSample] = {}
        self._most_payloads = _USED_PAYLOADS * settings.queue_payloads
        self._most_bytes = _USED_BYTES * settings.queue_bytes
        self._worked = 0.0
        self._work_seconds = 0.0
        self._usable = 1.0
        self._stepped = self._span_began = clock()
        self._lowered = asyncio.Event()
        self._carried.on_lowered = self._lowered.set
        self._next_lines: dict[str, float] = {}
        self._logged: set[str] = set()

    def note_queue(self, payloads: int, size_bytes: int) -> None:
        """Note what waits in the queue, or is being decoded."""
        self._carried.note_queue(self._fullness(payloads, size_bytes) / self._usable)

    def note_work(self, payloads: int, size_bytes: int, seconds: float) -> None:
        """Note how long the pipeline worked on payloads while others waited.

        If a full queue takes longer than a payload may wait, less of it is used.
        """
        fading = math.exp(-seconds / _SPEED_SECONDS)
        self._worked = self._worked * fading + self._fullness(payloads, size_bytes)
        self._work_seconds = self._work_seconds * fading + seconds
        self._limit_use()

    def note_batch(self, payloads: int, size_bytes: int, seconds: float) -> None:
        """Note how long a batch took while no others waited.

        A small batch takes longer for each of its payloads than a full one, so this says only what is possible at
        least. Without it a store that did not reply for long would be thought slow as long as little comes.
        """
        done = self._fullness(payloads, size_bytes)
        if done * self._work_seconds > self._worked * seconds:
            self._worked, self._work_seconds = done, seconds
            self._limit_use()

    def note_rows(self, model: ModelKey, kind: Kind, payloads: int, rows: int) -> None:
        """Note how many rows payloads of a model have together."""
        self._metrics.model(model).sample.rows.add(kind, payloads, rows)

    def advance(self, now: float) -> None:
        """Let the ratios follow; does nothing if the last step is less than `STEP_SECONDS` ago."""
        seconds = now - self._stepped
        if seconds >= STEP_SECONDS:
            self._stepped = now
            self._step(now, seconds)

    async def run(self) -> None:
        """Let the ratios follow while one is below the configured one, also if no request comes, until cancelled."""
        while True:
            await self._lowered.wait()
            await asyncio.sleep(STEP_SECONDS)
            self.advance(self._clock())

    def lowest(self, models: Iterable[ModelKey]) -> float:
        """The lowest ratio of some models during the time that is remembered, as `PastRatios.lowest`."""
        found = [series.sample.past.lowest for series in map(self._metrics.find, models) if series is not None]
        return min(found, default=self._settings.sample_ratio)

    def lowered(self) -> dict[ModelKey, float]:
        """The ratios that are below the configured one by more than a fiftieth, the lowest first. From any thread."""
        found = {one.model: one.ratio for one in self._metrics.samples() if one.ratio < _SHOWN * one.configured}
        return dict(sorted(found.items(), key=lambda item: item[1]))

    def note(self, model: ModelKey) -> str:
        """A sentence on the ratio of a model, where it is below the configured one; else empty."""
        series = self._metrics.find(model)
        if series is None or series.sample.ratio >= _SHOWN * series.sample.configured:
            return ""
        sample = series.sample
        return (
            f"At present {sample.ratio:.2g} of the inferences are read, {sample.configured:g} are configured: more "
            "come than can be read, and their ids decide which are left out."
        )

    def _fullness(self, payloads: int, size_bytes: int) -> float:
        return max(payloads / self._most_payloads, size_bytes / self._most_bytes)

    def _limit_use(self) -> None:
        """Use as much of the queue as is decoded in time."""
        if self._work_seconds > 0:
            allowed = _USED_SECONDS * self._settings.queue_seconds
            self._usable = min(1.0, max(_LEAST_USE, allowed * self._worked / self._work_seconds))

    def _step(self, now: float, seconds: float) -> None:
        carried = self._carried
        active, carried.active = carried.active, []
        offered = sum(one.requests + one.responses for one in active)
        passed = max(0.0, 1 - carried.relief / offered) if offered else 1.0
        for one in active:
            one.past.add(one.limit * carried.slow * passed, max(one.requests, one.responses))
        woken = [one.model for one in active if one.model not in self._awake]
        self._awake.update({one.model: one for one in active})
        self._limit_rows(seconds, frozenset(woken))
        self._follow_load(passed, seconds, self._flight_seconds())
        self._forget(now)
        self._report(now)

    def _limit_rows(self, seconds: float, woken: Container[ModelKey]) -> None:
        """Lower the limit of models of which more rows come than are read.

        Args:
            seconds: Since the last step.
            woken: Models of which nothing came before that.
        """
        most = self._settings.max_rows_per_second
        fading = math.exp(-seconds / _ROWS_SECONDS)
        for model, one in list(self._awake.items()):
            span = min(seconds, STEP_SECONDS) if model in woken else seconds
            rate = max(one.requests, one.responses) / span
            one.rate += (rate - one.rate) * (1 - math.exp(-span / _RATE_SECONDS))
            one.requests = one.responses = 0
            comes = one.rate * one.rows.of_payload
            one.rows.fade(fading)
            one.limit = one.configured if comes <= most else min(one.configured, most / comes)
            if one.rate < _ASLEEP_RATE and one.limit == one.configured:
                del self._awake[model]
                one.rate = 0.0

    def _flight_seconds(self) -> float:
        """How long requests are under way, by Little's law; 0 in the logger, where none is."""
        rate = sum(one.rate for one in self._awake.values())
        series = map(self._metrics.find, self._awake)
        flying = sum(one.exchanges.in_flight for one in series if one is not None)
        return flying / rate if rate > 0 else 0.0

    def _follow_load(self, passed: float, seconds: float, flight_seconds: float) -> None:
        """Let the slow part fall by what the fast part left out, and grow.

        Args:
            passed: The share that the fast part let through, in [0, 1].
            seconds: Since the last step.
            flight_seconds: How long requests are under way.
        """
        carried = self._carried
        is_known = self._worked > 0
        drain_seconds = FAST_SPAN * self._usable * self._work_seconds / self._worked if is_known else 0.0
        fall_seconds = max(_FALL_SECONDS, _DRAINS * drain_seconds, _FLIGHTS * flight_seconds)
        carried.trust = min(1.0, 0.5 * drain_seconds / flight_seconds) if is_known and flight_seconds > 0 else 1.0
        growth = _GROWTH / fall_seconds
        if carried.peak < _IDLE_FULLNESS:
            growth = _IDLE_GROWTH
        fall = (1 - passed) / fall_seconds * min(seconds, 2 * STEP_SECONDS)  # before that, nothing came
        carried.relief = carried.peak = 0.0
        carried.set_slow(min(1.0, max(_LEAST, carried.slow * math.exp(growth * seconds - fall))))
        carried.recent = carried.slow * passed

    def _forget(self, now: float) -> None:
        """Forget ratios that are too old."""
        if now - self._span_began >= self._settings.memory_seconds:
            self._span_began = now
            for one in self._metrics.samples():
                one.past.begin_span()

    def _report(self, now: float) -> None:
        """Log that a ratio is below the configured one, and that all are back."""
        carried = self._carried
        if carried.recent < 1 or carried.head < 1 or any(one.limit < one.configured for one in self._awake.values()):
            self._lowered.set()
        else:
            self._lowered.clear()
        by_rows = [one for one in self._awake.values() if one.limit < _SHOWN * one.configured]
        if carried.recent < _SHOWN:
            share = f"{carried.recent:.3g} of the configured one"
            self._log_lower(now, "load", f"{share}: the pipeline cannot carry all that comes")
        if by_rows:
            least = min(by_rows, key=lambda one: one.limit)
            more = f", and those of {len(by_rows) - 1} more models" if len(by_rows) > 1 else ""
            most = self._settings.max_rows_per_second
            sentence = f"{least.limit:.3g} for {least.model}{more}: more rows than max_rows_per_second, {most:g}, come"
            self._log_lower(now, "rows", sentence)
        if self._logged and not by_rows and carried.recent >= _SHOWN:
            self._logged.clear()
            _log.info("the sample ratio is back at the configured one, %g", self._settings.sample_ratio)

    def _log_lower(self, now: float, cause: str, sentence: str) -> None:
        """Log why the ratio is lower: once until it is back, and once a minute for each cause."""
        if cause not in self._logged and now >= self._next_lines.get(cause, -math.inf):
            self._next_lines[cause] = now + INTERVAL_SECONDS
            self._logged.add(cause)
            _log.warning("the sample ratio is lowered to %s", sentence)
