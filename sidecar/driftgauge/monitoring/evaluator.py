"""Evaluates one stream: reads its window, tests it off the event loop, and saves the detector's state."""

import logging
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, replace

from driftgauge.concurrency.gil_yield import GilYield
from driftgauge.concurrency.worker import Worker
from driftgauge.drift.explain import explain_report
from driftgauge.drift.ledger import CountedRows, RowOrigins
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import StreamEvaluation, StreamEvaluator
from driftgauge.drift.stream_window import StreamWindow
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.detector_record import DetectorRecord, Saved
from driftgauge.monitoring.targets import Target
from driftgauge.results.latest import Evaluation
from driftgauge.storage.ring import RingBuffer, StreamKey, Window
from driftgauge.storage.stream_states import StateStore

_log = logging.getLogger(__name__)

_UNUSABLE = (ArithmeticError, LookupError, TypeError, ValueError)
"""What an evaluation raises if its state is damaged in a way that no check has found."""

_ATTEMPTS = 3
"""How often an evaluation is tried, if another replica saves its state first each time."""


@dataclass(slots=True)
class _Loaded:
    """What is kept for a stream between evaluations.

    Args:
        digest: Identifies the reference.
        detector: The detector's state.
        evaluator: The tests, prepared for that reference; `None` after they were released.
    """

    digest: str
    detector: DetectorRecord
    evaluator: StreamEvaluator | None


class Evaluator:
    """Evaluates streams, one at a time. Streams of one reference share what was prepared for it.

    Args:
        ring: The store of the windows.
        states: The store of the detector's states, which outlive a restart and are shared by replicas.
        metrics: Counts rows of the detector, its resets, and skipped blocks.
        rule: When a window is tested, and what alarms.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(
        self, ring: RingBuffer, states: StateStore, metrics: Metrics, rule: Rule, clock: Callable[[], float]
    ) -> None:
        self._ring = ring
        self._states = states
        self._metrics = metrics
        self._rule = rule
        self._clock = clock
        self._p_values = PValues()
        self._loaded: dict[StreamKey, _Loaded] = {}
        self._counted_by_others: dict[StreamKey, CountedRows] = {}
        self._worker = Worker("evaluate")

    def note_counted(self, stream: StreamKey, counted: CountedRows) -> None:
        """Note the rows that another replica has counted, in case that this one evaluates the stream next."""
        self._counted_by_others[stream] = counted

    async def evaluate(self, stream: StreamKey, target: Target, token: str | None) -> Evaluation:
        """Test a stream's window against its target.

        Args:
            stream: The stream.
            target: What it is compared with.
            token: The token of the term of the model's lease; `None` without one: then no state is saved.

        Raises:
            StorageError: The store is unreachable or slow.
            LeaseLostError: The term has ended.
        """
        start = time.perf_counter()
        loaded = self._loaded.get(stream)
        if loaded is None or loaded.digest != target.digest:
            loaded = await self._load(stream, target)
        evaluator = loaded.evaluator = loaded.evaluator or await self._prepare(target)
        await loaded.detector.begin(token, self._counted_by_others.pop(stream, {}))
        result, window_time = await self._test_window(stream, target, evaluator, loaded.detector)
        report = result.report
        if stream.kind is Kind.RESPONSE:
            report = replace(report, reading=explain_report(report.features, report.untested, "prediction"))
        return Evaluation(
            report,
            self._clock(),
            time.perf_counter() - start,
            window_time,
            state_unsaved=not loaded.detector.saved,
            counted=loaded.detector.counted,
        )

    async def read_window(self, stream: StreamKey, target: Target) -> Window:
        """Read a stream's window, and count the blocks that have another schema than the target.

        Raises:
            StorageError: The store is unreachable or slow.
        """
        return await self.read_rows(stream, target.schema, len(target.profiles))

    async def read_rows(self, stream: StreamKey, schema: str, width: int) -> Window:
        """Read a stream's window of some columns, and count the blocks that have another schema.

        Args:
            stream: The stream.
            schema: Hash of the columns.
            width: How many there are.

        Raises:
            StorageError: The store is unreachable or slow.
        """
        window = await self._ring.read(stream, schema, width)
        self._metrics.model(stream.model).skipped.inc(window.skipped_blocks)
        return window

    def forget_read(self, model: ModelKey) -> None:
        """Free the memory for the rows that were read of a model. They are read again if it is evaluated again."""
        self._ring.forget_read(model)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the prepared tests of models that are not in `models`."""
        for known in (self._loaded, self._counted_by_others):
            for stream in [stream for stream in known if stream.model not in models]:
                del known[stream]

    def close(self) -> None:
        """Stop the thread."""
        self._worker.close()

    async def _load(self, stream: StreamKey, target: Target) -> _Loaded:
        """Prepare the tests for a new target, in place of those for the old one."""
        old = self._loaded.pop(stream, None)
        if old is not None and old.evaluator is not None:
            self._release(old.evaluator)
            old.evaluator = None  # the old tests take as much memory as the new ones
        evaluator = await self._prepare(target)
        start = None if evaluator.detector is None else evaluator.detector.start()
        if old is None:
            metrics = self._metrics.model(stream.model)
            record = DetectorRecord(stream, self._states, start, metrics, self._metrics.count_replaced_key)
        else:
            record = old.detector.succeeded_by(start)
        loaded = self._loaded[stream] = _Loaded(target.digest, record, evaluator)
        return loaded

    def _release(self, old: StreamEvaluator) -> None:
        """Forget tests in all streams that share them.

        These streams hardly ever have the old reference still. One that has prepares its tests again.
        """
        for one in self._loaded.values():
            if one.evaluator is not None and one.evaluator.profiles is old.profiles:
                one.evaluator = None

    async def _prepare(self, target: Target) -> StreamEvaluator:
        """The tests for a target: those of another stream with the same one, or new ones."""
        for one in self._loaded.values():
            if one.evaluator is not None and one.digest == target.digest and one.evaluator.profiles is target.profiles:
                return one.evaluator.for_another_stream()
        return await self._worker.run(
            StreamEvaluator, target.profiles, self._rule, target.digest, GilYield(), target.known_hours
        )

    async def _test_window(
        self, stream: StreamKey, target: Target, evaluator: StreamEvaluator, detector: DetectorRecord
    ) -> tuple[StreamEvaluation, float | None]:
        """Test the newest window and save the detector's new state.

        Returns:
            The result, and the time of the window's newest row.

        Notes:
            Replicas share the window and the state. A save is refused if another replica has saved since our load:
            that replica has fed some of our rows to the detector, and ours would feed them twice. So the evaluation
            starts again from the other replica's state, and with a new window, because a window must be read after
            the state that it is fed to.
        """
        for _ in range(_ATTEMPTS):
            window = await self.read_window(stream, target)
            result = await self._evaluate_rows(evaluator, detector, window)
            if await detector.advance(result) is not Saved.CONFLICT:
                break
        return result, window.time

    async def _evaluate_rows(
        self, evaluator: StreamEvaluator, detector: DetectorRecord, window: Window
    ) -> StreamEvaluation:
        """Test a window from the newest state, or from the start if that of the store makes the evaluation fail."""
        origins = RowOrigins(window.writers, window.positions, window.totals, window.bases)
        rows = StreamWindow(window.rows, window.numbers, window.requests, window.times, window.ids, origins)
        evaluate, now = evaluator.evaluate, self._clock()
        try:
            return await self._worker.run(evaluate, detector.state, rows, self._p_values, now)
        except _UNUSABLE:
            if not detector.discard():
                raise
            return await self._worker.run(evaluate, detector.state, rows, self._p_values, now)
