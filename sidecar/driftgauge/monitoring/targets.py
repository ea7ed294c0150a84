"""Finds what a stream is tested against: the reference's inputs, its predictions, or a baseline."""

import logging
from collections.abc import Container, Sequence
from dataclasses import dataclass

from driftgauge.concurrency.worker import Worker
from driftgauge.drift.budget import Budget
from driftgauge.drift.hours.known_hours import KnownHours
from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.monitoring.baseline import Baselines
from driftgauge.monitoring.baseline_rows import Baseline
from driftgauge.protocol.missing_words import NO_WORDS
from driftgauge.reference.dataset import Reference
from driftgauge.reference.store import ReferenceStore
from driftgauge.results.latest import LatestEvaluations, ReferenceFacts
from driftgauge.storage.ring import StreamKey

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What a stream is tested against.

    Args:
        profiles: The columns, at least one.
        schema: Hash of their names and kinds.
        digest: Identifies the reference or the baseline.
        missing_words: Texts that are missing values, besides the empty one.
        known_hours: The hours that the reference has rows of; `None` without times: then every hour is compared.
    """

    profiles: Sequence[Profile]
    schema: str
    digest: str
    missing_words: frozenset[str] = NO_WORDS
    known_hours: KnownHours | None = None


@dataclass(frozen=True, slots=True)
class ReferenceSize:
    """Computes how many rows a reference needs.

    Args:
        budget: The false-alarm budget; `None` needs no rows.
        window_rows: Rows of a full window.
    """

    budget: Budget | None
    window_rows: int

    def rows_needed(self, reference: Reference) -> int:
        """The rows at which the reference's sampling error is no larger than a window's; 0 if it has that many."""
        tested = sum(profile.kind is not FeatureKind.IGNORED for profile in reference.features)
        if self.budget is None or tested == 0:
            return 0
        needed = self.budget.rows_needed(self.window_rows, tested)
        return needed if needed > reference.rows else 0


class Targets:
    """Finds the target of a stream, and records which reference is in use.

    Args:
        references: The mounted datasets.
        baselines: Used for predictions where the reference has none.
        latest: Where the references in use are recorded.
        size: Computes which references are too small.
    """

    def __init__(
        self, references: ReferenceStore, baselines: Baselines, latest: LatestEvaluations, size: ReferenceSize
    ) -> None:
        self._references = references
        self._baselines = baselines
        self._latest = latest
        self._size = size
        self._baseline_targets: dict[StreamKey, Target] = {}
        self._warned: set[str] = set()
        self._worker = Worker("baseline")

    def close(self) -> None:
        """Stop the thread."""
        self._worker.close()

    async def get(self, stream: StreamKey, now: float, token: str | None = None) -> Target | None:
        """Find the target of a stream; returns `None` if there is none yet.

        Args:
            stream: The stream.
            now: Seconds since the epoch.
            token: The token of the term of the model's lease; `None` without one: then no baseline is taken.

        Raises:
            StorageError: The store of the baselines is unreachable.
            LeaseLostError: The term has ended.
        """
        self.record_reference(stream.model)
        reference = self._references.get(stream.model)
        if stream.kind is Kind.REQUEST:
            if reference is None or not reference.features:
                return None
            words, hours = reference.missing_words, reference.known_hours
            return Target(reference.features, reference.schema, reference.identity, words, hours)
        if reference is not None and reference.predictions:
            schema, hours = reference.prediction_schema, reference.known_hours
            return Target(reference.predictions, schema, reference.identity, known_hours=hours)
        return await self._get_baseline(stream, now, token)

    async def share_columns(self, model: ModelKey, now: float) -> None:
        """Let the replica that evaluates a model know the columns of its responses, if it needs them. Never raises."""
        reference = self._references.get(model)
        if reference is None or not reference.predictions:
            await self._baselines.share_columns(StreamKey(model, Kind.RESPONSE), now)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the baselines of models that are not in `models`."""
        self._baselines.retain(models)
        for stream in [stream for stream in self._baseline_targets if stream.model not in models]:
            del self._baseline_targets[stream]

    def reference_digest(self, model: ModelKey) -> str:
        """Digest of the file of a model's reference that this process has loaded; empty without one."""
        reference = self._references.get(model)
        return "" if reference is None else reference.digest

    def reference_identity(self, model: ModelKey) -> str:
        """Identifies the reference of a model, as used, that this process has loaded; empty without one."""
        reference = self._references.get(model)
        return "" if reference is None else reference.identity

    def has_reference(self, model: ModelKey) -> bool:
        """Whether a reference of the model is loaded."""
        return self._references.get(model) is not None

    def record_reference(self, model: ModelKey) -> None:
        """Record which reference a model has, or that it has none; log a warning, once, if it is too small."""
        reference = self._references.get(model)
        facts = None if reference is None else self._reference_facts(reference)
        self._latest.set_reference(model, Kind.REQUEST, facts)
        if reference is not None and reference.predictions:
            self._latest.set_reference(model, Kind.RESPONSE, facts)

    def is_unsaved(self, stream: StreamKey) -> bool:
        """Whether the store could not save what a stream is compared with."""
        return self._baselines.is_unsaved(stream)

    def notes(self, stream: StreamKey) -> tuple[str, ...]:
        """What a reader should know about the reference's columns, some of which may be left out."""
        reference = self._references.get(stream.model)
        return reference.notes if reference is not None and stream.kind is Kind.REQUEST else ()

    async def _get_baseline(self, stream: StreamKey, now: float, token: str | None) -> Target | None:
        """Get the baseline as a target, and record it."""
        baseline = await self._baselines.get(stream, self.reference_digest(stream.model), now, token)
        facts = None if baseline is None else _baseline_facts(baseline)
        self._latest.set_reference(stream.model, Kind.RESPONSE, facts)
        if baseline is None:
            return None
        target = self._baseline_targets.get(stream)
        if target is None or target.digest != baseline.digest:
            try:
                profiles = await self._worker.run(baseline.profiles)
            except (ArithmeticError, LookupError, TypeError, ValueError):
                _log.warning("the baseline of %s cannot be used and is replaced", stream.model, exc_info=True)
                await self._baselines.discard(stream)
                return None
            target = self._baseline_targets[stream] = Target(profiles, baseline.schema, baseline.digest)
        return target

    def _reference_facts(self, reference: Reference) -> ReferenceFacts:
        needed = self._size.rows_needed(reference)
        if needed and reference.digest not in self._warned:
            self._warned.add(reference.digest)
            text = "%s: %d rows are few for the false-alarm budget: small changes stay unseen, %d rows would do"
            _log.warning(text, reference.path, reference.rows, needed)
        return ReferenceFacts(
            reference.rows, reference.digest, str(reference.path), reference.loaded_at, rows_needed=needed
        )


def _baseline_facts(baseline: Baseline) -> ReferenceFacts:
    rows = baseline.rows.shape[0]
    return ReferenceFacts(rows, baseline.schema, f"first {rows} responses", baseline.taken_at, source="baseline")
