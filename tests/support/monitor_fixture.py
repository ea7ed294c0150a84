"""A monitor with its collaborators in memory: references in a directory, a ring, states, and a clock set by hand."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from driftgauge.app.outcome_parts import OutcomeParts
from driftgauge.config.options import ProxyConfig
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.features.output_columns import OutputColumns, OutputLayout
from driftgauge.inference.known_models import KnownModels
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.baseline import Baselines
from driftgauge.monitoring.coordinator import Coordinator
from driftgauge.monitoring.evaluator import Evaluator
from driftgauge.monitoring.model_evaluator import ModelEvaluator
from driftgauge.monitoring.monitor import Monitor, ReferenceWatcher
from driftgauge.monitoring.restoring import ModelRestorer
from driftgauge.monitoring.sharing import SharedResults
from driftgauge.monitoring.targets import ReferenceSize, Targets
from driftgauge.reference.dataset import schema_hash
from driftgauge.reference.loading import FileToLoad, LoadResult, load_here
from driftgauge.reference.store import ReferenceStore
from driftgauge.results.latest import LatestEvaluations
from driftgauge.storage.labels import LabelStore
from driftgauge.storage.leases import LeaseStore, MemoryLeases
from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.results import ResultStore
from driftgauge.storage.ring import RingBuffer, StreamKey
from driftgauge.storage.stream_states import StateStore
from tests.support.clock import ManualClock
from tests.support.models import WINE, labels
from tests.support.rows import block_of

BY_P_VALUE = Rule(0.05, Correction.HOLM, min_rows=20)

COLUMNS = ("alcohol", "ph")
KINDS = (FeatureKind.NUMERIC, FeatureKind.NUMERIC)
SCHEMA = schema_hash(COLUMNS, KINDS)

BASELINE_ROWS = 40


class ThreadLoader:
    """Loads references in a thread of the test: a child process for each test would take long."""

    def __init__(self) -> None:
        self.loaded: list[Path] = []

    async def load(self, file: FileToLoad, now: float) -> LoadResult:
        """Load a file."""
        self.loaded.append(file.path)
        return await asyncio.to_thread(load_here, file, now)

    async def rest(self) -> None:
        """Nothing is to be freed."""

    async def close(self) -> None:
        """Nothing is to be closed."""


class MonitorFixture:
    """A monitor with its collaborators.

    Args:
        directory: The directory of the references.
        ring: The store of the windows; shared by replicas.
        states: The store of detectors and baselines; shared by replicas.
        rule: The rule of the verdicts.
        leases: The store of the leases; shared by replicas.
        results: The store of the results; shared by replicas.
        labels: The store of the responses that wait for labels; shared by replicas. `None` takes no labels.
        clock: Its clock.
        options: Options on labels, in place of those of all tests.
    """

    def __init__(  # noqa: PLR0913 - a test names those that it needs
        self,
        directory: Path,
        ring: RingBuffer | None = None,
        states: StateStore | None = None,
        rule: Rule = BY_P_VALUE,
        leases: LeaseStore | None = None,
        results: ResultStore | None = None,
        *,
        labels: LabelStore | None = None,
        clock: ManualClock | None = None,
        options: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        self.leases = MemoryLeases() if leases is None else leases
        self.results = results
        self.clock = ManualClock() if clock is None else clock
        self.ring = MemoryRing(100) if ring is None else ring
        self.states = MemoryStates() if states is None else states
        self.outputs = OutputColumns()
        self.latest = LatestEvaluations(90, self.clock)
        self.metrics = Metrics("200")
        self.metrics.watch_evaluations(self.latest)
        self.references = ReferenceStore(None, directory)
        self.baselines = Baselines(self.ring, self.states, self.outputs, BASELINE_ROWS, self.metrics.count_replaced_key)
        self.targets = Targets(self.references, self.baselines, self.latest, ReferenceSize(rule.budget, 100))
        self.labels = labels
        self.outcomes = None if labels is None else self._outcome_parts(labels, options)
        self.evaluator = Evaluator(self.ring, self.states, self.metrics, rule, self.clock)
        self.use_models(KnownModels(10))

    def use_models(self, models: KnownModels) -> None:
        """Monitor these models."""
        self.models = models
        outcomes, shared = (None, None) if self.outcomes is None else (self.outcomes.models, self.outcomes.sharing)
        self.model_evaluator = ModelEvaluator(
            self.evaluator, self.targets, self.metrics, self.latest, self.clock, outcomes
        )
        self.coordinator = Coordinator(self.leases, self.targets.reference_identity, self.clock, fresh_seconds=90)
        self.sharing = (
            None
            if self.results is None
            else SharedResults(self.results, self.latest, self.clock, self.metrics.count_unreadable_result, shared)
        )
        self.monitor = Monitor(models, self.model_evaluator, self.coordinator, self.sharing)
        self.loader = ThreadLoader()
        self.watcher = ReferenceWatcher(self.references, self.targets, models, self.metrics, self.loader, self.clock)

    def _outcome_parts(self, labels: LabelStore, options: Mapping[str, object]) -> OutcomeParts:
        """The parts that evaluate labelled predictions, as a process makes them."""
        usual = {"labels_port": 9465, "min_rows": 20, "window_rows": 1_000, "baseline_rows": BASELINE_ROWS}
        return OutcomeParts(
            ProxyConfig.model_validate({**usual, "evaluation_interval_seconds": 30, **options}),
            labels,
            self.ring,
            self.states,
            references=self.references,
            outputs=self.outputs,
            metrics=self.metrics,
            inputs=self.latest,
            clock=self.clock,
            stale_seconds=90,
        )

    async def load_changed_reference(self) -> None:
        """Look at the references twice: a changed file is loaded when it no longer changes."""
        await self.watcher.refresh()
        await self.watcher.refresh()

    def restorer(self, own: ModelKey | None) -> ModelRestorer:
        """Restores the models of the ring; `own` is a proxy's model."""
        return ModelRestorer(self.ring, own, self.models, self.targets, self.metrics)

    async def fill(self, model: ModelKey, alcohol: float, rows: int = 50, schema: str = SCHEMA) -> None:
        """Put rows into the ring: alcohol starts at a value and rises in steps of 0.1, ph is as in the reference."""
        values = np.column_stack([alcohol + 0.1 * np.arange(rows), 3 + 0.01 * np.arange(rows)])
        await self.put(StreamKey(model, Kind.REQUEST), values, schema)

    async def put(
        self,
        stream: StreamKey,
        values: NDArray[np.float64],
        schema: str = SCHEMA,
        lengths: Sequence[int] | None = None,
    ) -> None:
        """Put rows into the ring that came in payloads of these lengths, by default one by one."""
        self.models.admit(stream.model)
        await self.ring.append(stream, block_of(values, schema, 999.0, lengths))

    async def response(self, values: NDArray[np.floating], columns: tuple[str, ...] = ("quality",)) -> None:
        """Put numeric responses of `WINE` into the ring, and record their columns."""
        kinds = (FeatureKind.NUMERIC,) * len(columns)
        self.outputs.record(WINE, OutputLayout(columns, kinds, {}))
        rows = values.astype(np.float64).reshape(-1, len(columns))
        await self.put(StreamKey(WINE, Kind.RESPONSE), rows, schema_hash(columns, kinds))

    def value(self, name: str, model: ModelKey = WINE, **more: str) -> float | None:
        """One sample of a model."""
        return self.metrics.registry.get_sample_value(name, labels(model, **more))
