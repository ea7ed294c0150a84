"""One stream's evaluation: read the window, test it off the event loop, keep the detector's state."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from driftgauge.concurrency.worker import Worker
from driftgauge.drift.detector.detector import DetectorState, pack, unpack
from driftgauge.drift.profile import Profile
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import Assessment, Rows, StreamEvaluator
from driftgauge.metrics.evaluation import Evaluation
from driftgauge.metrics.registry import Metrics
from driftgauge.storage.ring import RingBuffer, StreamKey, Window
from driftgauge.storage.states import StateStore

_NAME = "detector"

_PIECE_SECONDS = 0.0005
"""How long a look goes on before it lets the event loop have the interpreter ..."""

_PAUSE_SECONDS = 0.00005
"""... and for how long: a thread that waits needs some 30 microseconds to wake."""

_ATTEMPTS = 3
"""How often a state is read again because another replica saved first."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What a stream is tested against.

    Args:
        profiles: The columns, at least one.
        schema: Hash of their names and kinds.
        digest: Names the reference or the baseline.
    """

    profiles: Sequence[Profile]
    schema: str
    digest: str


@dataclass(slots=True)
class _Loaded:
    """What is kept for a stream between evaluations."""

    evaluator: StreamEvaluator
    digest: str
    state: DetectorState | None = None
    version: int = 0


class _GilYield:
    """A pause of the thread, if the last one is long enough ago.

    Notes:
        numpy gives the interpreter back for moments at a time, too short for the event loop's thread to wake; and each
        such moment starts its wait for a forced switch anew. Without pauses it may wait for as long as a look takes.
    """

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def __call__(self) -> None:
        """Let others go on, if they had to wait long."""
        if time.perf_counter() - self._last > _PIECE_SECONDS:
            time.sleep(_PAUSE_SECONDS)
            self._last = time.perf_counter()


class Evaluator:
    """Evaluates streams, one at a time.

    Args:
        ring: Where the windows are read.
        states: Where the detector's state outlives a restart; replicas share it.
        metrics: Where what the detector met is counted.
        rule: When a window is tested, and what alarms.
        clock: Seconds since the epoch.
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
        self._worker = Worker("evaluate")

    async def evaluate(self, stream: StreamKey, target: Target) -> Evaluation:
        """Test a stream's window against its target.

        Raises:
            StorageError: The store is away or slow.
        """
        start = time.perf_counter()
        loaded = await self._prepared(stream, target)
        assessment, window_time = await self._assessed(stream, loaded, target)
        return Evaluation(assessment.report, self._clock(), time.perf_counter() - start, window_time)

    def close(self) -> None:
        """Release the thread."""
        self._worker.close()

    async def _prepared(self, stream: StreamKey, target: Target) -> _Loaded:
        loaded = self._loaded.get(stream)
        if loaded is None or loaded.digest != target.digest:
            evaluator = await self._worker.run(StreamEvaluator, target.profiles, self._rule, target.digest, _GilYield())
            loaded = self._loaded[stream] = _Loaded(evaluator, target.digest)
            await self._recall(stream, loaded)
        return loaded

    async def _recall(self, stream: StreamKey, loaded: _Loaded) -> None:
        """Read the state that is kept, if a detector runs."""
        detector = loaded.evaluator.detector
        if detector is None:
            return
        kept = await self._states.load(stream, _NAME)
        if kept is None:  # a first start; or the store lost it, and what is held here goes on
            loaded.version = 0
            return
        state = unpack(kept.blob)
        loaded.version = kept.version
        loaded.state = state if state is not None and state.key == detector.key else None
        if loaded.state is None:
            self._metrics.model(stream.model).count_detector_reset(stream.kind)

    async def _assessed(self, stream: StreamKey, loaded: _Loaded, target: Target) -> tuple[Assessment, float | None]:
        """What the newest window gave, and its time.

        A window is read after the state that it is fed to: one that was read before it could lack rows that another
        replica has fed already, which looks like a store that lost them and numbers new ones as it did those.
        """
        for _ in range(_ATTEMPTS):
            window = await self._window(stream, target)
            rows, now = Rows(window.rows, window.numbers, window.requests), self._clock()
            assessment = await self._worker.run(loaded.evaluator.assess, loaded.state, rows, self._p_values, now)
            if assessment.state is loaded.state or await self._kept(stream, loaded, assessment):
                break
            await self._recall(stream, loaded)  # another replica fed these rows
        return assessment, window.time

    async def _window(self, stream: StreamKey, target: Target) -> Window:
        window = await self._ring.read(stream, target.schema, len(target.profiles))
        self._metrics.model(stream.model).skipped.inc(window.skipped_blocks)
        return window

    async def _kept(self, stream: StreamKey, loaded: _Loaded, assessment: Assessment) -> bool:
        """Keep the new state unless another replica was first; what was fed counts once it is kept."""
        if loaded.evaluator.detector is None:
            return True
        if not await self._states.save(stream, _NAME, pack(assessment.state), loaded.version):
            return False
        loaded.state, loaded.version = assessment.state, loaded.version + 1
        self._metrics.model(stream.model).count_detector_rows(stream.kind, assessment.fed, assessment.skipped)
        return True
