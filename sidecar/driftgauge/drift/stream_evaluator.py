"""Evaluation of a stream: test its newest window, and feed the rows that are new to the detector."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.dependence import reference_effective_rows
from driftgauge.drift.detector.detector import Detector
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.detector.new_rows import NewRows
from driftgauge.drift.detector.verdict import Checkpoint, DetectorVerdict, no_checkpoint
from driftgauge.drift.hours.hour_buckets import ExpectedShares
from driftgauge.drift.hours.known_hours import KnownHours
from driftgauge.drift.profile import Profile
from driftgauge.drift.rank_cache import RankCache, in_blocks
from driftgauge.drift.result import DriftReport, DriftTest
from driftgauge.drift.row_hours import RowHours
from driftgauge.drift.row_weights import RowWeights, request_lengths, weights_of
from driftgauge.drift.rows_to_detect import RowsToDetect, rows_per_second
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.window_tester import StreamFacts, WindowTester, require_fit


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

    def only(self, rows: NDArray[np.bool_]) -> "StreamWindow":
        """Some of the rows: shape `(n,)`, whether each one is among them."""
        times = None if self.times is None else self.times[rows]
        ids = None if self.ids is None else self.ids[rows]
        return StreamWindow(self.values[rows], self.numbers[rows], self.requests[rows], times, ids)


@dataclass(frozen=True, slots=True, eq=False)
class StreamEvaluation:
    """The result of one evaluation.

    Args:
        report: The results of all tests.
        state: The detector's new state, for the next evaluation; `None` without a detector.
        fed: Rows that were fed to the detector.
        skipped: Rows that were never fed: more came between two evaluations than a window holds, or a part of their
            request was fed before.
        hour_unknown: New rows that were left out, since the reference has no rows of their hour.
    """

    report: DriftReport
    state: DetectorState | None
    fed: int
    skipped: int
    hour_unknown: int = 0


class StreamEvaluator:
    """Evaluates one stream against one reference; it caches what depends on the reference alone, and known rows' ranks.

    Args:
        profiles: The reference's columns.
        rule: When a window is tested, and what alarms; there is a detector if the rule has a budget.
        digest: Identifies the reference.
        checkpoint: Called between features, here and at each evaluation.
        known_hours: The hours that the reference has rows of; `None` if it has no times. With it, rows of other hours,
            and rows without a time, are left out.
    """

    def __init__(
        self,
        profiles: Sequence[Profile],
        rule: Rule,
        digest: str,
        checkpoint: Checkpoint = no_checkpoint,
        known_hours: KnownHours | None = None,
    ) -> None:
        self.profiles = tuple(profiles)
        self._rule = rule
        reference = reference_effective_rows(profiles, checkpoint)
        self._tester = WindowTester(profiles, rule, checkpoint, reference)
        self._hours = RowHours(profiles, known_hours)
        self._ranks = RankCache(profiles, self._hours)
        self.detector = (
            None
            if rule.budget is None
            else Detector(profiles, rule.budget, rule.min_rows, digest, checkpoint, reference)
        )
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
        numbers, hour_known = window.numbers, self._hours.known(window.times, window.numbers.size)
        window = window if hour_known.all() else window.only(hour_known)
        self._ranks.update(window.values, window.numbers, window.times)
        columns, rows = self._tester.columns, window.numbers.size
        if self.detector is None:
            ranked = self._ranks.ranked_window(columns)
            return StreamEvaluation(self._tester.test(ranked, rows, p_values), None, 0, 0)
        known = state if state is not None and state.key == self.detector.key else self.detector.start()
        weights = self._weights(self.detector, known, window.requests)
        hour_unknown = int((~hour_known & (numbers > known.number)).sum())
        after, fed, skipped = self._feed(self.detector, known, window, numbers, now)
        ranked = self._ranks.ranked_window(columns, None if weights is None else weights.values)
        row_weights = None if weights is None else self._row_weights(weights)
        verdict = self.detector.verdict(after, rows, None if weights is None else weights.value_sums)
        facts = self._facts(verdict, window, weights, after.began)
        facts = replace(
            facts, hour_known=bool(hour_known[-1:].all()), expected=partial(self._expected, weights=weights)
        )
        report = self._tester.test(ranked, rows, p_values, verdict, row_weights, facts)
        report = replace(report, rows=numbers.size)
        raised = self._raised(report)
        if not np.array_equal(raised, after.raised):
            after = replace(after, raised=raised)
        return StreamEvaluation(report, after, fed, skipped, hour_unknown if after.number > known.number else 0)

    def _expected(self, feature: int, weights: RowWeights | None) -> ExpectedShares | None:
        """The shares that the reference expects of a feature in a window with these hours."""
        if self._ranks.numbers.size == 0:
            return None
        each = None if weights is None else (weights.values([feature])[0], weights.missing([feature])[0])
        return self._hours.expected(feature, self._ranks.cells[feature], each)

    def _raised(self, report: DriftReport) -> NDArray[np.float64]:
        """Which windowed tests alarm: shape `(d, 2)`, those of the values and those of missing values."""
        raised = np.zeros((len(self.profiles), 2))
        columns = {self.profiles[column].name: column for column in self._tester.columns}
        for feature in report.features:
            for test in feature.tests:
                if test.test is not DriftTest.SEQUENTIAL and test.drift:
                    raised[columns[feature.feature], int(test.test is DriftTest.MISSING)] = 1.0
        return raised

    def _facts(
        self, verdict: DetectorVerdict, window: StreamWindow, weights: RowWeights | None, began: float
    ) -> StreamFacts:
        """What is known of the window as a part of the stream, whose first row passed at `began`."""
        factors = verdict.factors if weights is None else verdict.factors * window.numbers.size / weights.value_sums
        to_detect = [] if self._to_detect is None else self._to_detect.of(factors)
        timed = window.times is not None and window.times.size > 0 and began > 0 and not self._hours.depend_on_time
        return StreamFacts(
            rows_after=self._ranks.rows_after,
            rows_to_detect=to_detect,
            rows_per_second=rows_per_second(window.times),
            seen_seconds=float(window.times[-1]) - began if timed and window.times is not None else None,
        )

    @staticmethod
    def _weights(detector: Detector, state: DetectorState, requests: NDArray[np.int64]) -> RowWeights | None:
        """The weights of a window's rows, by what was known before it; `None` if all are 1, as of single rows."""
        lengths = request_lengths(requests)
        return weights_of(lengths, detector.correlations(state)) if lengths.max(initial=1) > 1 else None

    def _row_weights(self, weights: RowWeights) -> list[tuple[float, float]]:
        """For each tested column, the sum of the weights of the rows with a value, and of those without."""
        sums: list[tuple[float, float]] = []
        for columns in in_blocks(self._tester.columns):
            missing, each = np.isnan(self._ranks.rows.T[columns]), weights.missing(columns)
            without = np.where(missing, each, 0.0).sum(axis=1)
            present = np.where(missing, 0.0, each).sum(axis=1)  # not a difference, which might be below 0
            sums += zip(present.tolist(), without.tolist(), strict=True)
        return sums

    def _feed(
        self,
        detector: Detector,
        state: DetectorState,
        window: StreamWindow,
        numbers: NDArray[np.int64],
        now: float,
    ) -> tuple[DetectorState, int, int]:
        """The state after the rows that it has not seen, and how many rows were fed and skipped.

        Windows overlap, and each row must count once. Rows are numbered in the order of the stream, so the new ones are
        those above the number of the newest row that was fed, or left out since the reference lacks its hour.

        Args:
            detector: The detector.
            state: Its state before.
            window: The rows of the window whose hour the reference has.
            numbers: The numbers of all rows of the window.
            now: Seconds since the epoch.
        """
        if numbers.size == 0 or (numbers.size < self._rule.min_rows and state.rows == 0):
            return state, 0, 0  # nothing new, or too few rows for a verdict: they are fed with those that follow
        newest = int(numbers[-1])
        if newest == state.number:
            return state, 0, 0
        if newest < state.number:
            # The store lost its newest rows and gives their numbers to new ones. Which rows are new, and how many, is
            # unknown for this once: feed none, count none as skipped, and go on from the number that the store has now.
            return replace(state, number=newest, risen_at=np.minimum(state.risen_at, newest)), 0, 0
        oldest = int(np.searchsorted(window.numbers, state.number, side="right"))
        first = _first_of_a_request(window.requests, oldest)
        fed = window.numbers.size - first
        unseen = int(numbers[np.searchsorted(numbers, state.number, side="right")]) - state.number - 1
        skipped = first - oldest + (max(0, unseen) if state.rows else 0)
        if fed == 0:
            return replace(state, number=newest), 0, skipped
        rows = NewRows(self._ranks.cells[:, first:], window.requests[first:])
        after = detector.advance(state, rows, newest, now)
        if window.times is not None:
            after = after if state.rows else replace(after, began=float(window.times[first]))
            after = after if self._hours.depend_on_time else detector.add_hours(after, rows, window.times[first:])
        return after, fed, skipped


def _first_of_a_request(requests: NDArray[np.int64], oldest: int) -> int:
    """The index of the first row, from `oldest` on, whose request has no row before `oldest`.

    A store appends and returns whole requests (only of a request that is longer than the window it returns the newest
    rows), so that this is `oldest`; except that it may have lost its newest rows and given their numbers to a request
    that began before. Each request must count once: what is left of it is skipped.
    """
    if oldest in {0, requests.size} or requests[oldest] != requests[oldest - 1]:
        return oldest
    return int(np.searchsorted(requests, requests[oldest], side="right"))
