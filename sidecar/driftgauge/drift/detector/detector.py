"""The sequential detector: evidence of drift that grows with every row, until it reaches the budget's threshold.

A feature's evidence is a number of seconds: without drift, chance gives as much once in that time, on average. At each
evaluation that brings new rows it moves like this:

    grow     evidence = (evidence + seconds since the last rows) * e-value of the new rows
    cap      to 10 times the threshold: what grew for days must be able to shrink within hours
    alarm    at the threshold, from `min_rows` rows on
    clear    the alarm ends when the evidence has fallen far below the threshold; that feature starts from 0 again

The distance between the two levels is hysteresis: evidence that hovers at the threshold raises one alarm, not many.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.bets import Bets, make_bets
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.detector.request_correlation import (
    Batches,
    add_requests,
    correlation_bounds,
    no_sums,
    row_weights,
)
from driftgauge.drift.profile import FeatureKind, Profile

Checkpoint = Callable[[], object]
"""A hook that a long computation calls between pieces of work, each well under a millisecond, so that its caller can
let other threads run."""


def no_checkpoint() -> None:
    """Do nothing: no other thread is waiting."""


Floats = NDArray[np.float64]

CLEAR_RATIO = 1000
"""An alarm ends when the evidence has fallen to the threshold divided by this, unless one of the next two is higher."""

CLEAR_EVALUATIONS = 10
"""An alarm ends at the time of this many evaluations, in seconds, if that is more. Each evaluation adds its own time to
the evidence, which therefore seldom falls lower."""

LEAST_CLEAR_RATIO = 10
"""An alarm never ends before the evidence has fallen to the threshold divided by this."""

CAP_RATIO = 10
"""Evidence is capped at this multiple of the threshold."""

REQUESTS_OF_AN_ALARM = 3
"""A request of several rows takes the evidence at most a third of the way to the threshold. So one whose rows resemble
each other cannot alarm alone, however little those of earlier requests did. An e-value that is made smaller is one."""

_STATE_VERSION = 2
"""To be raised with each change of the bets or of the state: evidence of other bets means nothing, and may have another
shape."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectorVerdict:
    """What the history of a stream adds to the tests of its window, for each of `d` features.

    Args:
        factors: Shape `(d,)`: rows / effective rows, at least 1.
        evidence: Shape `(d,)`: the detector's evidence, log10 of seconds; `None` without a detector.
        threshold: The evidence that alarms, log10 of seconds.
        since: Shape `(d,)`: when the detector's alarm began, seconds since the epoch; NaN without an alarm.
        risen_at: Shape `(d,)`, int64: the number of the newest row before the evidence began to rise, -1 where it is
            unknown; `None` where it is unknown for all features.
    """

    factors: Floats
    evidence: Floats | None
    threshold: float
    since: Floats
    risen_at: NDArray[np.int64] | None = None

    def of(self, features: Sequence[int]) -> "DetectorVerdict":
        """The verdict on some of the features, in the order in which they are given."""
        evidence = None if self.evidence is None else self.evidence[features]
        risen_at = None if self.risen_at is None else self.risen_at[features]
        return DetectorVerdict(self.factors[features], evidence, self.threshold, self.since[features], risen_at)


def no_detector(features: int) -> DetectorVerdict:
    """Independent rows of so many features, and no detector."""
    return DetectorVerdict(np.ones(features), None, math.inf, np.full(features, np.nan))


class Detector:
    """An e-detector of Shiryaev-Roberts form over bets on every feature.

    Args:
        profiles: The reference's features; nothing is bet on those that are ignored.
        budget: Sets the threshold and the tolerance.
        min_rows: No alarm before so many rows.
        digest: Identifies the reference.
        checkpoint: Called between features while the bets are made.

    Notes:
        With the e-value e of the rows since the last evaluation, evidence <- (evidence + seconds) * e. Under any
        tolerated distribution E[e] <= 1, so evidence minus the seconds that passed is a supermartingale, and so is its
        mean over the d features. A feature alarms at d times the budget's threshold. The mean over the features is then
        at the budget's threshold at least, so that the mean time to the first alarm of any feature is no less than it.
        For rows that depend on each other the e-value is raised to the power 1 / factor: the geometric mean of e-values
        is an e-value whatever their dependence (Hoelder's inequality), and one row in `factor` is independent. A row of
        a request of several rows has a weight, by which the log of its e-value is multiplied (`request_correlation`).
        With a correlation of 1 the weights of a request sum to 1, which is the geometric mean of its rows' e-values;
        in between they hold the variance of the sum to that of independent rows, which is an approximation.

    Source:
        J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a Nonparametric Framework for Sequential Change Detection",
        New England Journal of Statistics in Data Science 2(2), 2024.
    """

    def __init__(
        self,
        profiles: Sequence[Profile],
        budget: Budget,
        min_rows: int,
        digest: str,
        checkpoint: Checkpoint = no_checkpoint,
    ) -> None:
        self._profiles = tuple(profiles)
        self._budget = budget
        self._min_rows = min_rows
        self._bet_on = np.array([profile.kind is not FeatureKind.IGNORED for profile in profiles])
        features = max(1, int(self._bet_on.sum()))
        self._bets = []
        for profile in profiles:
            checkpoint()
            self._bets.append(make_bets(profile, budget.tolerance, features))
        self._width = max((bets.log_weights.size for bets in self._bets), default=0)
        ends = np.cumsum([0, *(bets.scores.shape[1] for bets in self._bets)]).tolist()
        self._score_slices = [slice(start, end) for start, end in pairwise(ends)]
        self._scores = ends[-1]
        self._log_weights = _padded([bets.log_weights for bets in self._bets], self._width)
        threshold = features * budget.evidence_threshold
        self._log_threshold = math.log(threshold)
        self._log_cap = self._log_threshold + math.log(CAP_RATIO)
        clear = max(threshold / CLEAR_RATIO, CLEAR_EVALUATIONS * budget.evaluation_seconds)
        self._log_clear = math.log(min(clear, threshold / LEAST_CLEAR_RATIO))
        climb = self._log_threshold - math.log(budget.evaluation_seconds)
        self._most_of_a_request = max(climb, 0.0) / REQUESTS_OF_AN_ALARM
        self.key = f"{_STATE_VERSION}/{digest}/{budget.tolerance!r}"

    @property
    def threshold(self) -> float:
        """The evidence at which a feature alarms, log10 of seconds."""
        return self._log_threshold / math.log(10)

    @property
    def bets(self) -> Sequence[Bets]:
        """The bets on each feature."""
        return self._bets

    @property
    def log_climb(self) -> float:
        """How far the log of the evidence rises from the time of one evaluation to the threshold."""
        return self._log_threshold - math.log(self._budget.evaluation_seconds)

    def start(self) -> DetectorState:
        """The state before the first row."""
        d = len(self._profiles)
        return DetectorState(
            key=self.key,
            number=0,
            rows=0,
            time=0.0,
            log_evidence=np.full((d, self._width), -np.inf),
            factors=np.zeros(d),
            since=np.full(d, np.nan),
            correlation=no_sums(self._scores),
        )

    def advance(
        self, state: DetectorState, counts: Sequence[NDArray[np.int64]], now: float, batches: Batches | None = None
    ) -> DetectorState:
        """Update the evidence with rows that were not fed before.

        Args:
            state: The last state, with this detector's key; its `factors` are used.
            counts: For each feature, shape `(k + 1,)`: rows in each cell, and rows that lack the feature; only of
                requests of one row.
            now: Seconds since the epoch. However far the clock jumps, at most one evaluation's time is added.
            batches: The requests of several rows, each whole; they count by what was known before of the correlation.

        Returns:
            The new state, with `number` and `factors` of the last one.
        """
        fed = (int(counts[0].sum()) if counts else 0) + (0 if batches is None else int(batches.lengths.sum()))
        if fed == 0:
            return state
        seconds = self._seconds(state, now)
        log_seconds = math.log(seconds) if seconds > 0 else -math.inf
        grown = np.logaddexp(state.log_evidence, log_seconds) + self._log_e_values(state, counts, batches)
        correlation = state.correlation if batches is None else self._learned(state.correlation, batches)
        log_evidence = self._capped(grown)
        after = replace(state, rows=state.rows + fed, time=now, log_evidence=log_evidence, correlation=correlation)
        return self._with_alarms(after, now)

    def correlations(self, state: DetectorState) -> tuple[Floats, Floats]:
        """Upper bounds of the correlation within requests: of each feature's values, and of whether it is missing.

        Returns:
            Two of shape `(d,)`, in [0, 1]; the first is the largest of the main scores'. 0 for ignored features.
        """
        bounds = correlation_bounds(state.correlation)
        parts = [bounds[one] for one in self._score_slices]
        values = [part[: bets.main_scores].max(initial=0.0) for part, bets in zip(parts, self._bets, strict=True)]
        return np.array(values), np.array([part[-1] if part.size else 0.0 for part in parts])

    def evidence(self, state: DetectorState) -> Floats:
        """The evidence against each feature, log10 of seconds, at least 0: shape `(d,)`."""
        return np.maximum(self._log_by_feature(state.log_evidence) / math.log(10), 0.0)

    def verdict(self, state: DetectorState) -> DetectorVerdict:
        """What a state adds to the tests of a window."""
        return DetectorVerdict(np.maximum(state.factors, 1.0), self.evidence(state), self.threshold, state.since)

    def _seconds(self, state: DetectorState, now: float) -> float:
        """The time that passed since the last rows, in seconds: at most that between two evaluations."""
        longest = self._budget.evaluation_seconds
        return longest if state.rows == 0 else min(max(now - state.time, 0.0), longest)

    def _log_e_values(
        self, state: DetectorState, counts: Sequence[NDArray[np.int64]], batches: Batches | None
    ) -> Floats:
        """The log of the e-value of the new rows, for each bet of each feature: shape `(d, b)`."""
        logs = [count @ bets.log_factors for count, bets in zip(counts, self._bets, strict=True)]
        factors = np.maximum(state.factors, 1.0).tolist()
        logs = [log / factor for log, factor in zip(logs, factors, strict=True)]
        if batches is not None:
            weights = row_weights(batches.lengths, correlation_bounds(state.correlation))
            for feature, (bets, count) in enumerate(zip(self._bets, batches.counts, strict=True)):
                by_bet = weights[:, self._score_slices[feature]][:, bets.score_of]
                gains = by_bet * (count @ bets.log_factors) / factors[feature]
                logs[feature] = logs[feature] + np.minimum(gains, self._most_of_a_request).sum(axis=0)
        return _padded(logs, self._width)

    def _learned(self, correlation: Floats, batches: Batches) -> Floats:
        """The running sums of the correlation with the new requests."""
        pairs = list(zip(batches.counts, self._bets, strict=True))
        totals: Floats = np.hstack([count @ bets.scores for count, bets in pairs])
        squares: Floats = np.hstack([count @ bets.scores**2 for count, bets in pairs])
        return add_requests(correlation, totals, squares, batches.lengths)

    def _log_by_feature(self, log_evidence: Floats) -> Floats:
        """The log of the weighted mean over the bets; minus infinity for features that are not bet on."""
        found = np.logaddexp.reduce(log_evidence + self._log_weights, axis=1, initial=-np.inf)
        return np.where(self._bet_on, found, -np.inf)

    def _capped(self, log_evidence: Floats) -> Floats:
        """The evidence with the weighted mean of each feature's bets at most at the cap.

        All bets of a feature are divided by the same number: the bet that fits the drift best still dominates. Less
        evidence can only delay an alarm, so the promised time between false alarms is kept.
        """
        surplus = np.maximum(self._log_by_feature(log_evidence) - self._log_cap, 0.0)
        return log_evidence - surplus[:, np.newaxis]

    def _with_alarms(self, state: DetectorState, now: float) -> DetectorState:
        """The state with alarms begun and ended, and with the features whose alarm ended at the start again.

        Such a feature starts from 0 rather than from what is left of its evidence: the next alarm is then a new one, as
        far away as the first. When the last alarm of all ends, every feature starts from 0: the mean over the features,
        which the promise is about, is then where it was at the very start.
        """
        log_evidence = self._log_by_feature(state.log_evidence)
        begins = ~state.latched & (log_evidence >= self._log_threshold) & (state.rows >= self._min_rows)
        ends = state.latched & (log_evidence < self._log_clear)
        since = np.where(begins, now, np.where(ends, np.nan, state.since))
        kept = np.where(ends[:, np.newaxis], -np.inf, state.log_evidence)
        if ends.any() and np.isnan(since).all():
            kept = np.full_like(kept, -np.inf)
        return replace(state, since=since, log_evidence=kept)


def _padded(rows: Sequence[Floats], width: int) -> Floats:
    """Rows of unequal lengths as one array, filled up with minus infinity."""
    block = np.full((len(rows), width), -np.inf)
    for line, row in zip(block, rows, strict=True):
        line[: row.size] = row
    return block
