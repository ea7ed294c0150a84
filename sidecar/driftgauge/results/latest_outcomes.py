"""The newest result on the labelled predictions of every model, and the facts about what they are compared with."""

import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field

from driftgauge.drift.outcomes.outcome_report import OutcomeReport
from driftgauge.inference.payload import ModelKey
from driftgauge.results.latest import ReferenceFacts


@dataclass(frozen=True, slots=True)
class BaselineProgress:
    """How far a baseline of labels is that stands for the labels which the reference lacks.

    Args:
        labelled_rows: Labelled rows that have come.
        needed: How many it takes.
        shown_from: From how many on metrics are shown without it.
    """

    labelled_rows: int
    needed: int
    shown_from: int

    @property
    def clause(self) -> str:
        """What is missing to compare labels, without a full stop."""
        return (
            f"{self.labelled_rows:,} of {self.needed:,} labelled rows for a baseline; or build a reference with labels"
        )

    @property
    def sentence(self) -> str:
        """The clause with what it is about, and from when on metrics are shown."""
        shown = f" Metrics are shown from {self.shown_from:,} on." if self.labelled_rows < self.shown_from else ""
        return f"There is nothing to compare labels with yet: {self.clause}.{shown}"


@dataclass(frozen=True, slots=True)
class WaitingFacts:
    """What is known of the responses of a model that wait for labels.

    Args:
        pending: Responses that are kept, whether a part of their rows is labelled or not.
        kept_ratio: Share of all responses of the time to live that are kept, in [0, 1]; `None` without any.
        other_columns: Share of the responses of the window's time that have other columns than its rows, in [0, 1],
            such as those of V1 beside V2. Labels meet only those with the columns of the newest one.
        baseline: How far the baseline is; `None` if labels are compared, or it is unknown.
    """

    pending: int
    kept_ratio: float | None
    other_columns: float = 0.0
    baseline: BaselineProgress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeResult:
    """What one look at the outcomes of a model has found.

    Args:
        report: Metrics and verdicts; `None` while there is nothing to compare labels with.
        waiting: The responses that wait.
        time: When the window was tested, in seconds since the epoch.
        duration_seconds: How long reading and testing took.
        window_time: When the newest response of the window passed, in seconds since the epoch; `None` without rows.
        state_unsaved: Whether the store could not save what the evaluation has learned, so that it is lost if the
            process ends before it is saved.
        counted: How many rows of each writer of the stream are counted, as far as that is saved.
    """

    report: OutcomeReport | None
    waiting: WaitingFacts
    time: float
    duration_seconds: float
    window_time: float | None
    state_unsaved: bool = False
    counted: Mapping[str, int] = field(default_factory=dict)


class LatestOutcomes:
    """The newest result of every model with labels; one that is too old is no longer returned as fresh.

    The event loop writes, scrapes read in a thread.

    Args:
        stale_seconds: Age in seconds beyond which a result is stale.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(self, stale_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._results: dict[ModelKey, OutcomeResult] = {}
        self._references: dict[ModelKey, ReferenceFacts | None] = {}
        self._followed: dict[ModelKey, ReferenceFacts | None] = {}
        self._store_failed: set[ModelKey] = set()

    def publish(self, model: ModelKey, result: OutcomeResult) -> None:
        """Replace the result of a model."""
        self._results[model] = result
        self._store_failed.discard(model)

    def withdraw(self, model: ModelKey) -> None:
        """Remove the result of a model, if there is one."""
        self._results.pop(model, None)
        self._store_failed.discard(model)

    def record_store_failure(self, model: ModelKey) -> None:
        """Record that outcomes could not be read because the store did not respond; the last result stays."""
        self._store_failed.add(model)

    def retain(self, models: Container[ModelKey]) -> None:
        """Remove what is known of models that are not in `models`."""
        for known in (self._results, self._references, self._followed):
            for model in [model for model in known if model not in models]:
                del known[model]
        self._store_failed = {model for model in self._store_failed if model in models}

    def follow(self, model: ModelKey, result: OutcomeResult | None, reference: ReferenceFacts | None) -> None:
        """Show what another replica has published of a model, and what it compares the outcomes with."""
        self._followed[model] = reference
        if result is None:
            self.withdraw(model)
        else:
            self.publish(model, result)

    def lead(self, model: ModelKey) -> None:
        """Show what this replica compares the outcomes of a model with, since it evaluates them."""
        self._followed.pop(model, None)

    def set_reference(self, model: ModelKey, facts: ReferenceFacts | None) -> None:
        """Record what this replica compares outcomes with; `None` if there is nothing yet."""
        self._references[model] = facts

    def reference(self, model: ModelKey) -> ReferenceFacts | None:
        """What the outcomes of a model are compared with, by the notice of its evaluator or as recorded last."""
        return self._followed[model] if model in self._followed else self._references.get(model)

    def references(self) -> dict[ModelKey, ReferenceFacts]:
        """What the outcomes of each model are compared with, sorted by model; models without such rows are left out."""
        known = self._references | self._followed  # a copy, for other threads
        return {model: facts for model, facts in sorted(known.items()) if facts is not None}

    def result(self, model: ModelKey) -> OutcomeResult | None:
        """The newest result of a model; `None` without one, and if it is stale. O(1), unlike `fresh`."""
        newest = self._results.get(model)
        return None if newest is None or newest.time < self._oldest_fresh() else newest

    def fresh(self) -> dict[ModelKey, OutcomeResult]:
        """The results that are not stale, sorted by model."""
        oldest = self._oldest_fresh()
        return {model: one for model, one in sorted(self._results.items()) if one.time >= oldest}

    def unreadable(self) -> dict[ModelKey, OutcomeResult]:
        """The last results of models whose outcomes cannot be read since, for so long that they are stale."""
        oldest, failed = self._oldest_fresh(), frozenset(self._store_failed)
        return {model: one for model, one in sorted(self._results.items()) if model in failed and one.time < oldest}

    def _oldest_fresh(self) -> float:
        """Time of the oldest result that is not stale, in seconds since the epoch."""
        return self._clock() - self._stale_seconds
