"""The newest evaluation of every stream, and the facts about what each stream is compared with."""

import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from driftgauge.drift.result import CannotTellReason, DriftReport
from driftgauge.inference.payload import PAYLOAD_KINDS, Kind, ModelKey
from driftgauge.results.model_state import ModelState, StreamState, model_state, state_of_report, state_without_result


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of one window.

    Args:
        report: Verdicts and statistics.
        time: When the window was tested, in seconds since the epoch.
        duration_seconds: How long reading and testing took.
        window_time: When the newest row of the window passed, in seconds since the epoch; `None` without rows.
        state_unsaved: Whether the store could not save what the evaluation has learned, so that it is lost if the
            process ends before it is saved.
        counted: How many rows of each writer of the stream are counted, as far as that is saved.
    """

    report: DriftReport
    time: float
    duration_seconds: float
    window_time: float | None
    state_unsaved: bool = False
    counted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReferenceFacts:
    """What a stream is compared with: a reference file or a baseline.

    Args:
        rows: How many rows it has.
        digest: SHA-256 of the file's content, in hex; for a baseline a hash of its columns.
        path: The file's path; for a baseline a description of its rows.
        loaded_at: When it was loaded or taken, in seconds since the epoch.
        rows_needed: How many rows the false-alarm budget needs if the reference has fewer; else 0.
        source: `reference` for a file, `baseline` for the first rows of a stream.
    """

    rows: int
    digest: str
    path: str
    loaded_at: float
    rows_needed: int = 0
    source: str = "reference"


class ModelEvaluations(NamedTuple):
    """The newest evaluations of one model, at least one of the two.

    Args:
        model: The model.
        inputs: Of its requests; `None` if there is none that is fresh.
        predictions: Of its responses; `None` if there is none that is fresh.
    """

    model: ModelKey
    inputs: Evaluation | None
    predictions: Evaluation | None


class LatestEvaluations:
    """The newest evaluation of every stream; one that is too old is no longer returned.

    The event loop writes, scrapes read in a thread.

    Args:
        stale_seconds: Age in seconds beyond which an evaluation is stale.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(self, stale_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._evaluations: dict[Kind, dict[ModelKey, Evaluation]] = {kind: {} for kind in PAYLOAD_KINDS}
        self._references: dict[Kind, dict[ModelKey, ReferenceFacts | None]] = {kind: {} for kind in PAYLOAD_KINDS}
        self._followed: dict[Kind, dict[ModelKey, ReferenceFacts | None]] = {kind: {} for kind in PAYLOAD_KINDS}
        self._store_failed_at: dict[Kind, dict[ModelKey, float]] = {kind: {} for kind in PAYLOAD_KINDS}

    def publish(self, model: ModelKey, kind: Kind, evaluation: Evaluation) -> None:
        """Replace the evaluation of a stream."""
        self._evaluations[kind][model] = evaluation
        self._store_failed_at[kind].pop(model, None)

    def withdraw(self, model: ModelKey, kind: Kind) -> None:
        """Remove the evaluation of a stream, if there is one."""
        self._evaluations[kind].pop(model, None)
        self._store_failed_at[kind].pop(model, None)

    def record_store_failure(self, model: ModelKey, kind: Kind) -> None:
        """Record that a stream could not be evaluated because the store did not respond; its last result stays."""
        self._store_failed_at[kind].setdefault(model, self._clock())

    def retain(self, models: Container[ModelKey]) -> None:
        """Remove what is known of models that are not in `models`."""
        for kind in PAYLOAD_KINDS:
            references = (self._references[kind], self._followed[kind])
            for known in (self._evaluations[kind], *references, self._store_failed_at[kind]):
                for model in [model for model in known if model not in models]:
                    del known[model]

    def follow(
        self,
        model: ModelKey,
        evaluations: Mapping[Kind, Evaluation],
        references: Mapping[Kind, ReferenceFacts | None],
    ) -> None:
        """Show what another replica has published of a model, and what it compares each stream with."""
        for kind in PAYLOAD_KINDS:
            one = evaluations.get(kind)
            if one is None:
                self.withdraw(model, kind)
            else:
                self.publish(model, kind, one)
            if kind in references:
                self._followed[kind][model] = references[kind]
            else:
                self._followed[kind].pop(model, None)

    def lead(self, model: ModelKey) -> None:
        """Show what this replica compares the streams of a model with, since it evaluates them."""
        for kind in PAYLOAD_KINDS:
            self._followed[kind].pop(model, None)

    def set_reference(self, model: ModelKey, kind: Kind, facts: ReferenceFacts | None) -> None:
        """Record what this replica compares a stream with; `None` if there is nothing yet."""
        self._references[kind][model] = facts

    def reference(self, model: ModelKey, kind: Kind) -> ReferenceFacts | None:
        """What a stream is compared with, by the notice of its evaluator or as recorded last."""
        followed = self._followed[kind]
        return followed[model] if model in followed else self._references[kind].get(model)

    def knows(self, model: ModelKey, kind: Kind) -> bool:
        """Whether it was recorded what a stream is compared with, or that there is nothing yet."""
        return model in self._references[kind]

    def references(self, kind: Kind) -> dict[ModelKey, ReferenceFacts | None]:
        """What every stream of requests or of responses is compared with, sorted by model."""
        return dict(sorted((self._references[kind] | self._followed[kind]).items()))  # copies, for other threads

    def evaluation(self, model: ModelKey, kind: Kind) -> Evaluation | None:
        """The newest evaluation of one stream; `None` without one, and if it is stale. O(1), unlike `fresh`."""
        newest = self._evaluations[kind].get(model)
        return None if newest is None or newest.time < self._oldest_fresh() else newest

    def fresh(self, kind: Kind = Kind.REQUEST) -> dict[ModelKey, Evaluation]:
        """The evaluations of requests or of responses that are not stale, sorted by model."""
        oldest = self._oldest_fresh()
        return {model: one for model, one in sorted(self._evaluations[kind].items()) if one.time >= oldest}

    def states(self) -> dict[ModelKey, ModelState]:
        """The state of every model, sorted by model; a model that waits for its first evaluation has none."""
        oldest = self._oldest_fresh()
        states = {}
        for model in self._known():
            streams = [self._stream_state(model, kind, oldest) for kind in PAYLOAD_KINDS]
            known = [stream for stream in streams if stream is not None]
            if known:
                states[model] = model_state(known)
        return states

    def _known(self) -> list[ModelKey]:
        """The models with an evaluation, a failure of the store, or a record of their reference, sorted."""
        known = {*self._references[Kind.REQUEST], *self._followed[Kind.REQUEST]}
        for kind in PAYLOAD_KINDS:
            known |= {*self._evaluations[kind], *self._store_failed_at[kind]}
        return sorted(known)

    def _stream_state(self, model: ModelKey, kind: Kind, oldest: float) -> StreamState | None:
        """The state of a stream; `None` if it was not evaluated yet, or has nothing to be compared with yet."""
        evaluation = self._evaluations[kind].get(model)
        if evaluation is not None and evaluation.time >= oldest:
            return state_of_report(evaluation.report)
        failed_at = self._store_failed_at[kind].get(model)
        if evaluation is not None:
            return state_without_result(None if failed_at is None else CannotTellReason.STORE)
        if failed_at is not None and failed_at < oldest:
            return state_without_result(CannotTellReason.STORE)
        known = model in self._references[kind] or model in self._followed[kind]
        if kind is Kind.REQUEST and known and self.reference(model, kind) is None:
            return state_without_result(CannotTellReason.NO_REFERENCE)
        return None

    def _oldest_fresh(self) -> float:
        """Time of the oldest evaluation that is not stale, in seconds since the epoch."""
        return self._clock() - self._stale_seconds

    def by_model(self) -> list[ModelEvaluations]:
        """The models with a fresh evaluation of requests or of responses, sorted."""
        inputs, predictions = self.fresh(Kind.REQUEST), self.fresh(Kind.RESPONSE)
        models = sorted({*inputs, *predictions})
        return [ModelEvaluations(model, inputs.get(model), predictions.get(model)) for model in models]
