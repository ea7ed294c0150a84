"""One look at a stream: new rows to the detector, the window to every test, and a report of both.

This room is pure: numpy in, values out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.checkpoint import Checkpoint, no_checkpoint
from driftgauge.drift.detector.dependence import dependence_factors
from driftgauge.drift.detector.detector import Detector, DetectorState
from driftgauge.drift.detector.legendre import cell_scores
from driftgauge.drift.profile import Profile
from driftgauge.drift.rank_cache import RankCache, look_up
from driftgauge.drift.result import DriftReport
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.window_tester import Standing, WindowTester, require_fit

MEMORY_WINDOWS = 4
"""Windows over which the dependence of rows is averaged: what one window says of it is noisy."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The window of a stream.

    Args:
        values: Shape `(n, d)`, float64, oldest first; NaN is a missing value. Never written to again: the next look
            compares its rows with them.
        numbers: Shape `(n,)`: of each row in its stream, from 1, ascending.
        requests: Shape `(n,)`: equal for rows of one request, ascending.
    """

    values: NDArray[np.float64]
    numbers: NDArray[np.int64]
    requests: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """What one look gave.

    Args:
        report: What the tests said.
        state: The detector's, to be kept.
        fed: Rows that the detector met for the first time.
        skipped: Rows that went by unseen, since more came than a window holds.
    """

    report: DriftReport
    state: DetectorState
    fed: int
    skipped: int


class StreamEvaluator:
    """Everything that is made once for a reference, and what is known of a stream's rows: one for each stream.

    Args:
        profiles: The reference's columns.
        rule: When a window is tested, and what alarms; the detector runs where it has a budget.
        digest: Names the reference.
        pause: Called between features, here and at each look.
    """

    def __init__(self, profiles: Sequence[Profile], rule: Rule, digest: str, pause: Checkpoint = no_checkpoint) -> None:
        self.profiles = tuple(profiles)
        self._rule = rule
        self._tester = WindowTester(profiles, rule, pause)
        self._places: RankCache | None = None
        self._scores = [_with_missing(cell_scores(profile.cells.shares)[:, :2]) for profile in profiles]
        self.detector = None if rule.budget is None else Detector(profiles, rule.budget, rule.min_rows, digest, pause)

    def assess(self, state: DetectorState | None, rows: Rows, p_values: PValues, now: float) -> Assessment:
        """Feed the detector what is new, and test the window.

        Args:
            state: The detector's of before; `None` or one of another reference starts anew.
            rows: The window.
            p_values: Turns statistics into p-values; used by one thread at a time.
            now: Seconds since the epoch.
        """
        require_fit(self.profiles, rows.values)
        places = self._places = look_up(self.profiles, rows.values, rows.numbers, self._places)
        window, count = places.ordered(self._tester.known), rows.values.shape[0]
        if self.detector is None:
            return Assessment(self._tester.examine(window, count, p_values), state or _NOTHING, 0, 0)
        known = state if state is not None and state.key == self.detector.key else self.detector.start()
        after, fed, skipped = self._fed(self.detector, known, rows, places.cells, now)
        standing = Standing(
            np.maximum(after.factors, 1.0), self.detector.evidence(after), self.detector.threshold, after.since
        )
        return Assessment(self._tester.examine(window, count, p_values, standing), after, fed, skipped)

    def _fed(
        self,
        detector: Detector,
        state: DetectorState,
        rows: Rows,
        cells: NDArray[np.uint16],
        now: float,
    ) -> tuple[DetectorState, int, int]:
        """The state after the rows that it has not met; each row is fed once."""
        if rows.numbers.size == 0 or (rows.numbers.size < self._rule.min_rows and state.rows == 0):
            return state, 0, 0  # nothing new, or too few to tell how they depend on each other
        newest = int(rows.numbers[-1])
        if newest == state.number:
            return state, 0, 0
        if newest < state.number:  # the store lost rows, and numbers new ones as it did those
            return replace(state, number=newest), 0, 0
        first = int(np.searchsorted(rows.numbers, state.number, side="right"))
        fed = rows.numbers.size - first
        estimated = self._factors(rows, cells)
        learned = replace(state, factors=estimated) if state.rows == 0 else state
        counts = [
            np.bincount(found[first:], minlength=profile.cells.shares.size + 1)
            for found, profile in zip(cells, self.profiles, strict=True)
        ]
        after = detector.advance(learned, counts, now)
        whole = after.rows <= rows.numbers.size  # as long as the window has all rows, it knows all that is known
        weight = 1.0 if whole else min(1.0, fed / (MEMORY_WINDOWS * rows.numbers.size))
        factors = learned.factors + weight * (estimated - learned.factors)
        skipped = max(0, int(rows.numbers[first]) - state.number - 1) if state.rows else 0
        return replace(after, number=newest, factors=factors), fed, skipped

    def _factors(self, rows: Rows, cells: NDArray[np.uint16]) -> NDArray[np.float64]:
        """Rows / effective rows of each feature: by location, by scale and by what is missing; the worst counts."""
        parts = [
            _watched(scores.take(found, axis=0), found == scores.shape[0] - 1)
            for scores, found in zip(self._scores, cells, strict=True)
        ]
        starts = np.cumsum([0, *(part.shape[1] for part in parts[:-1])])
        factors: NDArray[np.float64] = np.maximum.reduceat(dependence_factors(np.hstack(parts), rows.requests), starts)
        return factors


_NOTHING = DetectorState(
    key="", number=0, rows=0, time=0.0, log_evidence=np.empty((0, 0)), factors=np.empty(0), since=np.empty(0)
)


def _watched(scores: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The scores whose dependence is told: a third one where the feature is missing in some rows."""
    return np.column_stack([scores, missing]) if missing.any() else scores


def _with_missing(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two scores of each cell, and a line of zeros for rows that lack the feature."""
    return np.vstack([scores, np.zeros((1, scores.shape[1]))])
