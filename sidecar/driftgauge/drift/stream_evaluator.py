"""Evaluation of a stream: test its newest window, and feed the rows that are new to the detector."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.bets import cell_scores
from driftgauge.drift.detector.dependence import dependence_factors
from driftgauge.drift.detector.detector import Checkpoint, Detector, DetectorVerdict, no_checkpoint
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.detector.request_correlation import Batches, no_sums
from driftgauge.drift.profile import Profile
from driftgauge.drift.rank_cache import RankCache
from driftgauge.drift.result import DriftReport
from driftgauge.drift.row_weights import RowWeights, request_lengths, weights_of
from driftgauge.drift.rows_to_detect import RowsToDetect, rows_per_second
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.window_tester import StreamFacts, WindowTester, require_fit

AVERAGED_WINDOWS = 4
"""Windows over which the dependence of rows is averaged: the estimate of a single window is noisy."""


@dataclass(frozen=True, slots=True, eq=False)
class StreamWindow:
    """The newest rows of a stream.

    Args:
        values: Shape `(n, d)`, float64, oldest first; NaN is a missing value. Never written to again: the next
            evaluation compares its rows with these.
        numbers: Shape `(n,)`: the number of each row in its stream, from 1, ascending.
        requests: Shape `(n,)`: equal for rows of one request, ascending.
        times: Shape `(n,)`: when the request of each row passed, in seconds since the epoch; `None` if unknown.
        ids: Shape `(n,)`, uint64: a digest of the id of each row's request; `None` if unknown.
    """

    values: NDArray[np.float64]
    numbers: NDArray[np.int64]
    requests: NDArray[np.int64]
    times: NDArray[np.float64] | None = None
    ids: NDArray[np.uint64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class StreamEvaluation:
    """The result of one evaluation.

    Args:
        report: The results of all tests.
        state: The detector's new state, for the next evaluation.
        fed: Rows that were fed to the detector.
        skipped: Rows that were never fed: more came between two evaluations than a window holds, or a part of their
            request was fed before.
    """

    report: DriftReport
    state: DetectorState
    fed: int
    skipped: int


class StreamEvaluator:
    """Evaluates one stream against one reference; it caches what depends on the reference alone, and known rows' ranks.

    Args:
        profiles: The reference's columns.
        rule: When a window is tested, and what alarms; there is a detector if the rule has a budget.
        digest: Identifies the reference.
        checkpoint: Called between features, here and at each evaluation.
    """

    def __init__(
        self, profiles: Sequence[Profile], rule: Rule, digest: str, checkpoint: Checkpoint = no_checkpoint
    ) -> None:
        self.profiles = tuple(profiles)
        self._rule = rule
        self._tester = WindowTester(profiles, rule, checkpoint)
        self._ranks = RankCache(profiles)
        self._scores = [_with_missing(cell_scores(profile.cells.shares)[:, :2]) for profile in profiles]
        self.detector = (
            None if rule.budget is None else Detector(profiles, rule.budget, rule.min_rows, digest, checkpoint)
        )
        self._first_time: float | None = None
        self._to_detect = None if self.detector is None else RowsToDetect(profiles, self.detector, checkpoint)

    def evaluate(
        self, state: DetectorState | None, window: StreamWindow, p_values: PValues, now: float
    ) -> StreamEvaluation:
        """Feed the new rows to the detector, and test the window.

        Args:
            state: The detector's last state; with `None`, or that of another reference, the detector starts again.
            window: The newest rows.
            p_values: Turns statistics into p-values; used by one thread at a time.
            now: Seconds since the epoch.

        Raises:
            ValueError: The window is not as wide as the reference, or holds an infinity.
        """
        require_fit(self.profiles, window.values)
        self._ranks.update(window.values, window.numbers)
        columns, rows = self._tester.columns, window.values.shape[0]
        if self.detector is None:
            ranked = self._ranks.ranked_window(columns)
            return StreamEvaluation(self._tester.test(ranked, rows, p_values), state or _NO_STATE, 0, 0)
        known = state if state is not None and state.key == self.detector.key else self.detector.start()
        weights = self._weights(self.detector, known, window.requests)
        after, fed, skipped = self._feed(self.detector, known, window, weights, now)
        tested = None if weights is None else weights.of(columns)
        ranked = self._ranks.ranked_window(columns, None if tested is None else tested.values)
        row_weights = None if tested is None else self._row_weights(tested)
        verdict = self.detector.verdict(after)
        report = self._tester.test(ranked, rows, p_values, verdict, row_weights, self._facts(verdict, window, weights))
        return StreamEvaluation(report, after, fed, skipped)

    def _facts(self, verdict: DetectorVerdict, window: StreamWindow, weights: RowWeights | None) -> StreamFacts:
        """What is known of the window as a part of the stream."""
        factors = verdict.factors if weights is None else verdict.factors / weights.values.mean(axis=1)
        to_detect = [] if self._to_detect is None else self._to_detect.of(factors)
        return StreamFacts(
            rows_after=self._ranks.rows_after,
            rows_to_detect=to_detect,
            rows_per_second=rows_per_second(window.times),
            seen_seconds=self._seen_seconds(window),
        )

    def _seen_seconds(self, window: StreamWindow) -> float | None:
        """From the stream's first row to its newest one; `None` if the time of either is unknown.

        The first row is known from the windows that still have it. A process that starts later does not know its time.
        """
        if window.times is None or window.times.size == 0:
            return None
        if window.numbers[0] == 1:
            self._first_time = float(window.times[0])
        return None if self._first_time is None else float(window.times[-1]) - self._first_time

    @staticmethod
    def _weights(detector: Detector, state: DetectorState, requests: NDArray[np.int64]) -> RowWeights | None:
        """The weights of a window's rows, by what was known before it; `None` if all are 1, as of single rows."""
        lengths = request_lengths(requests)
        return weights_of(lengths, detector.correlations(state)) if lengths.max(initial=1) > 1 else None

    def _row_weights(self, weights: RowWeights) -> list[tuple[float, float]]:
        """For each tested column, the sum of the weights of the rows with a value, and of those without."""
        missing = np.isnan(self._ranks.rows.T[self._tester.columns])
        without = np.where(missing, weights.missing, 0.0).sum(axis=1)
        present = np.where(missing, 0.0, weights.missing).sum(axis=1)  # not a difference, which might be below 0
        return list(zip(present.tolist(), without.tolist(), strict=True))

    def _feed(
        self, detector: Detector, state: DetectorState, window: StreamWindow, weights: RowWeights | None, now: float
    ) -> tuple[DetectorState, int, int]:
        """The state after the rows that it has not seen, and how many rows were fed and skipped.

        Windows overlap, and each row must count once. Rows are numbered in the order of the stream, so the new ones are
        those above the number of the newest row that was fed.
        """
        if window.numbers.size == 0 or (window.numbers.size < self._rule.min_rows and state.rows == 0):
            return state, 0, 0  # nothing new, or too few rows to estimate how they depend on each other
        newest = int(window.numbers[-1])
        if newest == state.number:
            return state, 0, 0
        if newest < state.number:
            # The store lost its newest rows and gives their numbers to new ones. Which rows are new is unknown for this
            # once: feed none, and count on from the number that the store has now.
            return replace(state, number=newest), 0, 0
        oldest = int(np.searchsorted(window.numbers, state.number, side="right"))
        first = _first_of_a_request(window.requests, oldest)
        fed = window.numbers.size - first
        skipped = first - oldest + (max(0, int(window.numbers[oldest]) - state.number - 1) if state.rows else 0)
        if fed == 0:
            return replace(state, number=newest), 0, skipped
        factors = self._dependence(window, weights)
        learned = replace(state, factors=factors) if state.rows == 0 else state
        counts, batches = self._count(window.requests[first:], first)
        after = detector.advance(learned, counts, now, batches)
        averaged = learned.factors + _weight(fed, after.rows, window.numbers.size) * (factors - learned.factors)
        return replace(after, number=newest, factors=averaged), fed, skipped

    def _count(self, requests: NDArray[np.int64], first: int) -> tuple[list[NDArray[np.int64]], Batches | None]:
        """The cells of the rows from `first` on: of requests of one row, and of each request of several rows.

        Args:
            requests: Equal for rows of one request, ascending; of the rows from `first` on.
            first: The index of the first row.
        """
        lengths = request_lengths(requests)
        alone = lengths == 1
        sizes = [profile.cells.shares.size + 1 for profile in self.profiles]
        cells = self._ranks.cells[:, first:]
        if alone.all():
            return [np.bincount(line, minlength=size) for line, size in zip(cells, sizes, strict=True)], None
        together = cells[:, ~alone].astype(np.int64)
        _, batch = np.unique(requests[~alone], return_inverse=True)
        number = int(batch[-1]) + 1
        singles = [np.bincount(line[alone], minlength=size) for line, size in zip(cells, sizes, strict=True)]
        by_batch = [
            np.bincount(batch * size + line, minlength=number * size).reshape(number, size)
            for line, size in zip(together, sizes, strict=True)
        ]
        return singles, Batches(np.bincount(batch), by_batch)

    def _dependence(self, window: StreamWindow, weights: RowWeights | None) -> NDArray[np.float64]:
        """Rows / effective rows of each feature: the largest of those by location, by scale and by missing values."""
        parts = [
            _scores_and_missing(scores.take(cells, axis=0), cells == scores.shape[0] - 1)
            for scores, cells in zip(self._scores, self._ranks.cells, strict=True)
        ]
        starts = np.cumsum([0, *(part.shape[1] for part in parts[:-1])])
        by_row = None if weights is None else _weights_of_scores(weights, parts)
        by_score = dependence_factors(np.hstack(parts), window.requests, by_row)
        factors: NDArray[np.float64] = np.maximum.reduceat(by_score, starts)
        return factors


_NO_STATE = DetectorState(
    key="",
    number=0,
    rows=0,
    time=0.0,
    log_evidence=np.empty((0, 0)),
    factors=np.empty(0),
    since=np.empty(0),
    correlation=no_sums(0),
)


def _first_of_a_request(requests: NDArray[np.int64], oldest: int) -> int:
    """The index of the first row, from `oldest` on, whose request has no row before `oldest`.

    A store appends and returns whole requests, so that this is `oldest`; except that it may have lost its newest rows
    and given their numbers to a request that began before. Each request must count once: what is left of it is skipped.
    """
    if oldest == 0 or requests[oldest] != requests[oldest - 1]:
        return oldest
    return int(np.searchsorted(requests, requests[oldest], side="right"))


def _weight(fed: int, all_rows: int, window_rows: int) -> float:
    """The weight of a window's own factors in the average.

    As long as the window still has every row that was ever fed, its estimate contains all earlier ones, and replaces
    them. After that each row that is fed counts for 1 / (4 windows): an exponential average over 4 windows.
    """
    return 1.0 if all_rows <= window_rows else min(1.0, fed / (AVERAGED_WINDOWS * window_rows))


def _scores_and_missing(scores: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The scores of each row, with a column for missing values if there are any."""
    return np.column_stack([scores, missing]) if missing.any() else scores


def _weights_of_scores(weights: RowWeights, parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The weight of each row for each score of `_scores_and_missing`: two of values, then one of missing values."""
    each = zip(weights.values, weights.missing, parts, strict=True)
    return np.column_stack(
        [one for values, missing, part in each for one in (values, values, missing)[: part.shape[1]]]
    )


def _with_missing(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scores of each cell, with a line of zeros for rows that lack the feature."""
    return np.vstack([scores, np.zeros((1, scores.shape[1]))])
