"""What each stream is tested against: the reference's inputs, its predictions, or a baseline of the first responses."""

import logging
from dataclasses import dataclass

from driftgauge.concurrency.worker import Worker
from driftgauge.drift.budget import Budget
from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.evaluation import ReferenceFacts
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.baseline import Baseline, Baselines
from driftgauge.monitoring.evaluator import Target
from driftgauge.reference.dataset import Reference
from driftgauge.reference.store import ReferenceStore
from driftgauge.storage.ring import StreamKey

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReferenceSize:
    """Tells how many rows a reference needs.

    Args:
        budget: The false-alarm budget; `None` needs nothing.
        window_rows: Rows of a full window.
    """

    budget: Budget | None
    window_rows: int

    def rows(self, reference: Reference) -> int:
        """The rows at which a reference's error is no larger than a window's; 0 if it has as many."""
        tested = sum(profile.kind is not FeatureKind.IGNORED for profile in reference.features)
        if self.budget is None or tested == 0:
            return 0
        needed = self.budget.rows_needed(self.window_rows, tested)
        return needed if needed > reference.rows else 0


class Targets:
    """Finds the target of a stream, and tells which reference is in use.

    Args:
        references: The mounted datasets.
        baselines: Stand for predictions that they lack.
        metrics: Where it is told.
        need: Tells which references are too small.
    """

    def __init__(self, references: ReferenceStore, baselines: Baselines, metrics: Metrics, need: ReferenceSize) -> None:
        self._references = references
        self._baselines = baselines
        self._metrics = metrics
        self._need = need
        self._of_baselines: dict[StreamKey, Target] = {}
        self._warned: set[str] = set()
        self._worker = Worker("baseline")

    def close(self) -> None:
        """Release the thread."""
        self._worker.close()

    async def of(self, stream: StreamKey, now: float) -> Target | None:
        """The target of a stream, or `None` if there is none yet.

        Raises:
            StorageError: The store, where baselines are kept, is away.
        """
        self.record(stream.model)
        reference = self._references.get(stream.model)
        if stream.kind is Kind.REQUEST:
            if reference is None or not reference.features:
                return None
            return Target(reference.features, reference.schema, reference.digest)
        if reference is not None and reference.predictions:
            return Target(reference.predictions, reference.prediction_schema, reference.digest)
        return await self._of_baseline(stream, "" if reference is None else reference.digest, now)

    def record(self, model: ModelKey) -> None:
        """Tell which reference a model has, or that it has none; loudly once if it is too small."""
        reference = self._references.get(model)
        facts = None if reference is None else self._facts(reference)
        self._metrics.drift.set_reference(model, Kind.REQUEST, facts)
        if reference is not None and reference.predictions:
            self._metrics.drift.set_reference(model, Kind.RESPONSE, facts)

    def notes(self, stream: StreamKey) -> tuple[str, ...]:
        """What a reader should know of the reference's columns, some of which may be left out."""
        reference = self._references.get(stream.model)
        return reference.notes if reference is not None and stream.kind is Kind.REQUEST else ()

    def _facts(self, reference: Reference) -> ReferenceFacts:
        needed = self._need.rows(reference)
        if needed and reference.digest not in self._warned:
            self._warned.add(reference.digest)
            text = "%s: %d rows are few for the false-alarm budget: small changes go unseen, %d rows would do"
            _log.warning(text, reference.path, reference.rows, needed)
        return ReferenceFacts(
            reference.rows, reference.digest, str(reference.path), reference.loaded_at, rows_needed=needed
        )

    async def _of_baseline(self, stream: StreamKey, reference: str, now: float) -> Target | None:
        baseline = await self._baselines.get(stream, reference, now)
        if baseline is None:
            self._metrics.drift.set_reference(stream.model, Kind.RESPONSE, None)
            return None
        self._metrics.drift.set_reference(stream.model, Kind.RESPONSE, _baseline_facts(baseline))
        target = self._of_baselines.get(stream)
        if target is None or target.digest != baseline.digest:
            profiles = await self._worker.run(baseline.profiles)
            target = self._of_baselines[stream] = Target(profiles, baseline.schema, baseline.digest)
        return target


def _baseline_facts(baseline: Baseline) -> ReferenceFacts:
    rows = baseline.rows.shape[0]
    return ReferenceFacts(rows, baseline.schema, f"first {rows} responses", baseline.taken_at, source="baseline")
