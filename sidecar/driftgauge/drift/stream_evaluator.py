"""Evaluation of a stream: test its newest window, and feed the rows that are new to the detector."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.dependence import reference_effective_rows
from driftgauge.drift.detector.detector import Detector
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.detector.feature_detector import feature_detector
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
from driftgauge.drift.stream_window import StreamWindow, find_new_rows
from driftgauge.drift.window_tester import StreamFacts, WindowTester, require_fit


@dataclass(frozen=True, slots=True, eq=False)
class StreamEvaluation:
    """The result of one evaluation.

    The counts are those of rows that no evaluation has counted before, as the ledger of the state says: from the first
    row on, they add up to the rows that were appended.

    Args:
        report: The results of all tests.
        state: The detector's new state, for the next evaluation; `None` without a detector.
        fed: Rows that were fed to the detector.
        skipped: Rows that are never fed: more came between two evaluations than a window holds, they are of another
            schema, the store lost them, or a part of their request was fed before.
        hour_unknown: Rows that were left out, since the reference has no rows of their hour.
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
            else feature_detector(profiles, rule.budget, rule.min_rows, digest, checkpoint, reference)
        )
        self._to_detect = None if self.detector is None else RowsToDetect(profiles, self.detector, checkpoint)

    def for_another_stream(self) -> "StreamEvaluator":
        """An evaluator that shares the tests, which take most of the memory, and that knows no rows."""
        other = copy(self)
        other.forget_rows()
        return other

    def forget_rows(self) -> None:
        """Forget the rows of the last window: those of the next one are all looked up."""
        self._ranks = RankCache(self.profiles, self._hours)

    def evaluate(
        self, state: DetectorState | None, window: StreamWindow, p_values: PValues, now: float
    ) -> StreamEvaluation:
        """Feed the new rows to the detector, and test the window.

        Args:
            state: The detector's last state; with `None`, or that of another reference, the detector starts again. It
                is fed the whole window then, and counts only rows that the state's ledger does not.
            window: The newest rows.
            p_values: Turns statistics into p-values; used by one thread at a time.
            now: Seconds since the epoch.

        Raises:
            ValueError: The window is not as wide as the reference, or holds an infinity.
        """
        try:
            return self._evaluate(state, window, p_values, now)
        finally:
            self._ranks.free_rows()

    def _evaluate(
        self, state: DetectorState | None, window: StreamWindow, p_values: PValues, now: float
    ) -> StreamEvaluation:
        require_fit(self.profiles, window.values)
        whole, hour_known = window, self._hours.known(window.times, window.numbers.size)
        window = window if hour_known.all() else window.only(hour_known)
        self._ranks.update(window.values, window.numbers, window.times)
        columns, rows = self._tester.columns, window.numbers.size
        if self.detector is None:
            ranked = self._ranks.blocks(columns)
            return StreamEvaluation(self._tester.test(ranked, rows, p_values), None, 0, 0)
        known = self.detector.resume(state)
        weights = self._weights(self.detector, known, window.requests)
        new = find_new_rows(whole, hour_known, known, self._rule.min_rows)
        after = self._feed(self.detector, known, window, new.feed[hour_known], now)
        after = after if new.ledger is None else replace(after, ledger=new.ledger)
        ranked = self._ranks.blocks(columns, None if weights is None else weights.values)
        row_weights = None if weights is None else self._row_weights(weights)
        verdict = self.detector.verdict(after, rows, None if weights is None else weights.value_sums)
        facts = self._facts(verdict, window, weights, after)
        facts = replace(
            facts, hour_known=bool(hour_known[-1:].all()), expected=partial(self._expected, weights=weights)
        )
        report = self._tester.test(ranked, rows, p_values, verdict, row_weights, facts)
        report = replace(report, rows=whole.numbers.size)
        raised = self._raised(report)
        if not np.array_equal(raised, after.raised):
            after = replace(after, raised=raised)
        return StreamEvaluation(report, after, new.fed, new.skipped, new.hour_unknown)

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
        self, verdict: DetectorVerdict, window: StreamWindow, weights: RowWeights | None, state: DetectorState
    ) -> StreamFacts:
        """What is known of the window as a part of the stream."""
        factors = verdict.factors if weights is None else verdict.factors * window.numbers.size / weights.value_sums
        to_detect = [] if self._to_detect is None else self._to_detect.of(factors)
        times, began = window.times, state.began
        timed = times is not None and times.size > 0 and began > 0 and not self._hours.depend_on_time
        return StreamFacts(
            rows_after=partial(self._rows_after, newest=state.number),
            rows_to_detect=to_detect,
            rows_per_second=rows_per_second(times),
            seen_seconds=float(times[-1]) - began if timed and times is not None else None,
        )

    def _rows_after(self, feature: int, number: int, newest: int) -> tuple[NDArray[np.float64], int]:
        """The values of a feature in the rows after one that the detector was fed, and how many of them lack it.

        Args:
            feature: The feature.
            number: The number of the row, as the detector counts.
            newest: The number of the newest row.
        """
        numbers = self._ranks.numbers
        before = numbers.size - (newest - number) - 1
        return self._ranks.rows_after(feature, int(numbers[before]) if 0 <= before < numbers.size else -1)

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
        self, detector: Detector, state: DetectorState, window: StreamWindow, feed: NDArray[np.bool_], now: float
    ) -> DetectorState:
        """The state after some rows.

        Args:
            detector: The detector.
            state: Its state before.
            window: The rows of the window whose hour the reference has.
            feed: Shape `(n,)`: which of them to feed; they are of whole requests.
            now: Seconds since the epoch.
        """
        if not feed.any():
            return state
        first = int(feed.argmax())
        part: slice | NDArray[np.bool_] = slice(first, None) if feed[first:].all() else feed  # a slice copies nothing
        rows = NewRows(self._ranks.cells[:, part], window.requests[part])
        after = detector.advance(state, rows, state.number + rows.requests.size, now)
        if window.times is not None:
            after = after if state.rows else replace(after, began=float(window.times[first]))
            after = after if self._hours.depend_on_time else detector.add_hours(after, rows, window.times[part])
        return after
