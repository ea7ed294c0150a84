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
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.alarms import DAY_SECONDS, RECOVERY_STAKES, Alarms
from driftgauge.drift.detector.bet_column import BetColumn
from driftgauge.drift.detector.bet_set import BetSet, blocks_of
from driftgauge.drift.detector.bets import Bets
from driftgauge.drift.detector.dependence import ASSUMED_FACTOR, KnownDependence, ScoreDependence
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.detector.new_rows import NewRows
from driftgauge.drift.detector.request_correlation import correlation_bounds
from driftgauge.drift.detector.row_evidence import RowEvidence
from driftgauge.drift.detector.score_factors import score_factors
from driftgauge.drift.detector.verdict import Checkpoint, DetectorVerdict, no_checkpoint
from driftgauge.drift.hours.rhythm_sums import RhythmSums

Floats = NDArray[np.float64]

CAP_RATIO = 10
"""Evidence is capped at this multiple of the threshold."""

_STATE_VERSION = 3
"""To be raised with each change of the bets or of the state: evidence of other bets means nothing, and may have another
shape."""


class Detector:
    """An e-detector of Shiryaev-Roberts form over bets on every column of a stream, each of which is one feature here.

    Args:
        columns: The bets on each of the `d` columns.
        budget: Sets the threshold, and the tolerances that the bets were made with.
        min_rows: No alarm before so many rows.
        digest: Identifies the reference.
        checkpoint: Called between columns, here and at each advance.
        in_order: The cells of the reference's rows, if they are in the order of time.

    Notes:
        With the e-value e of the rows since the last evaluation, evidence <- (evidence + seconds) * e. Under any
        tolerated distribution E[e] <= 1, so evidence minus the seconds that passed is a supermartingale, and so is its
        mean over the d features. A feature alarms at d times the budget's threshold. The mean over the features is then
        at the budget's threshold at least, so that the mean time to the first alarm of any feature is no less than it.
        For rows that depend on each other the log of the e-value of each bet is divided by the factor of its score
        (`span_sums`), as it was known before these rows; this is an approximation, of second order where rows that are
        further apart than the factor are independent. A row of a request of several rows has a weight, by which the log
        of its e-value is multiplied (`request_correlation`). With a correlation of 1 the weights of a request sum to 1,
        which is the geometric mean of its rows' e-values; in between they hold the variance of the sum to that of
        independent rows, which is an approximation.

    Source:
        J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a Nonparametric Framework for Sequential Change Detection",
        New England Journal of Statistics in Data Science 2(2), 2024.
    """

    def __init__(
        self,
        columns: Sequence[BetColumn],
        budget: Budget,
        min_rows: int,
        digest: str,
        checkpoint: Checkpoint = no_checkpoint,
        in_order: NewRows | None = None,
    ) -> None:
        self._budget = budget
        self._score_names = [column.score_names for column in columns]
        self._bet_set = BetSet([column.bets for column in columns])
        self._varies = np.concatenate([np.empty(0, dtype=np.bool_), *(column.varying for column in columns)])
        self._dependence = ScoreDependence(self._bet_set, in_order, checkpoint)
        bet_on = max(1, sum(column.bets.log_weights.size > 0 for column in columns))
        threshold = bet_on * budget.evidence_threshold
        self._log_threshold = math.log(threshold)
        self._log_cap = self._log_threshold + math.log(CAP_RATIO)
        self._alarms = Alarms(self._bet_set, self._log_threshold, budget.evaluation_seconds, min_rows)
        self._climb = max(self._log_threshold - math.log(budget.evaluation_seconds), 0.0)
        self._rows = RowEvidence(self._bet_set, self._climb, checkpoint)
        self._newest_known: tuple[NDArray[np.float32], NDArray[np.float32], KnownDependence] | None = None
        tolerances = f"{budget.tolerance!r}/{budget.share_tolerance!r}/{budget.beyond_reference}"
        self.key = f"{_STATE_VERSION}/{digest}/{tolerances}"

    @property
    def threshold(self) -> float:
        """The evidence at which a feature alarms, log10 of seconds."""
        return self._log_threshold / math.log(10)

    @property
    def bets(self) -> Sequence[Bets]:
        """The bets on each feature."""
        return self._bet_set.bets

    @property
    def log_climb(self) -> float:
        """How far the log of the evidence rises from the time of one evaluation to the threshold."""
        return self._climb

    def start(self) -> DetectorState:
        """The state before the first row."""
        d = len(self._bet_set.bets)
        nowhere = np.full(d, np.nan)
        return DetectorState(
            key=self.key,
            number=0,
            rows=0,
            time=0.0,
            began=0.0,
            requests=self._dependence.start_requests,
            log_evidence=np.full((d, self._bet_set.width), -np.inf),
            since=nowhere,
            risen_at=np.zeros(d, dtype=np.int64),
            leader=np.zeros(d, dtype=np.int64),
            alarm_factor=np.ones(d),
            half_gain=np.zeros(d),
            recovery=np.zeros((d, RECOVERY_STAKES.size)),
            raised=np.zeros((d, 2)),
            bounded_since=nowhere,
            alike_since=nowhere,
            correlation=self._dependence.start_correlation,
            spans=self._dependence.start_spans,
            rhythm=RhythmSums(d).pack(),
        )

    def resume(self, state: DetectorState | None) -> DetectorState:
        """A state of this detector; the start, which only inherits the ledger, if the state is of another one."""
        if state is None:
            return self.start()
        return state if state.key == self.key else replace(self.start(), ledger=state.ledger)

    def advance(self, state: DetectorState, rows: NewRows, number: int, now: float) -> DetectorState:
        """Update the evidence with rows that were not fed before.

        Args:
            state: The last state, with this detector's key.
            rows: The new rows, of whole requests. They count by what was known before of their dependence.
            number: The number of the newest of them in the stream.
            now: Seconds since the epoch. However far the clock jumps, at most one evaluation's time is added.
        """
        known = self._known(state)
        bounds = correlation_bounds(state.correlation)
        seconds = self._seconds(state, now)
        log_seconds = math.log(seconds) if seconds > 0 else -math.inf
        gains, recovery, learned = self._rows.weigh(state, rows, known, bounds)
        log_evidence = self._capped(np.logaddexp(state.log_evidence, log_seconds) + gains)
        measured = self._bet_set.of_measured(bounds)
        after = replace(
            state,
            number=number,
            rows=state.rows + rows.requests.size,
            time=now,
            began=state.began or now,
            requests=state.requests + rows.starts.size,
            log_evidence=log_evidence,
            recovery=np.where(state.latched[:, np.newaxis], np.maximum(state.recovery, 0.0) + recovery, 0.0),
            correlation=learned,
            spans=self._dependence.add(state.spans, state.requests, rows, measured),
        )
        return self._alarms.update(self._with_bounds(after, now), known.factors, now)

    def restart(self, state: DetectorState, columns: Sequence[int]) -> DetectorState:
        """Take all evidence against some columns, and their alarms; what is known of their dependence stays.

        Evidence that is made smaller keeps the promise.

        Args:
            state: A state with this detector's key.
            columns: Which of the columns.

        Returns:
            The same state if these columns have no evidence and no alarm.
        """
        chosen = np.isin(np.arange(state.since.size), columns)
        chosen &= state.latched | np.isfinite(state.log_evidence).any(axis=1)
        if not chosen.any():
            return state
        lines = chosen[:, np.newaxis]
        return replace(
            state,
            since=np.where(chosen, np.nan, state.since),
            log_evidence=np.where(lines, -np.inf, state.log_evidence),
            recovery=np.where(lines, 0.0, state.recovery),
            risen_at=np.where(chosen, state.number, state.risen_at),
        )

    def add_hours(self, state: DetectorState, rows: NewRows, times: Floats) -> DetectorState:
        """Add the new rows to what is known of the rhythm of a stream whose reference has no times.

        Args:
            state: The state after these rows.
            rows: The new rows.
            times: Shape `(n,)`: their times, in seconds since the epoch.
        """
        parts = [state.rhythm[:0]]
        for features in blocks_of(len(self._bet_set.bets)):  # the scores of all at once would take as much as the rows
            sums = RhythmSums.unpack(state.rhythm[features.start : features.stop])
            sums.add(times, self._bet_set.first_scores(rows.cells, features))
            parts.append(sums.pack())
        return replace(state, rhythm=np.concatenate(parts))

    def correlations(self, state: DetectorState) -> tuple[Floats, Floats]:
        """Upper bounds of the correlation within requests: of each feature's values, and of whether it is missing.

        Returns:
            Two of shape `(d,)`, in [0, 1]; the first is the largest of the main scores'. 0 for ignored features.
        """
        bounds = correlation_bounds(state.correlation)
        parts = [bounds[one] for one in self._bet_set.score_slices]
        each = zip(parts, self._bet_set.bets, strict=True)
        values = [part[: bets.main_scores].max(initial=0.0) for part, bets in each]
        return np.array(values), np.array([part[-1] if part.size else 0.0 for part in parts])

    def evidence(self, state: DetectorState) -> Floats:
        """The evidence against each feature, log10 of seconds, at least 0: shape `(d,)`."""
        return np.maximum(self._bet_set.log_by_feature(state.log_evidence) / math.log(10), 0.0)

    def verdict(self, state: DetectorState, rows: int, weights: Floats | None = None) -> DetectorVerdict:
        """What a state adds to the tests of a window of so many rows.

        Args:
            state: The detector's state.
            rows: Rows of the window.
            weights: Shape `(d,)`: the sum of their weights for each feature; by default each row has weight 1.
        """
        known, bet_set = self._known(state), self._bet_set
        factors = np.where(known.grows, np.inf, known.factors)
        missing = np.where(known.bounded, factors, np.maximum(factors, ASSUMED_FACTOR))
        return DetectorVerdict(
            factors=bet_set.greatest_of_values(factors, 1.0),
            missing_factors=bet_set.of_missing(missing, np.float64(1.0)),
            evidence=self.evidence(state),
            threshold=self.threshold,
            since=state.since,
            alike_since=state.alike_since,
            score_factors=score_factors(self._score_names, bet_set, known),
            alike=bet_set.any_of_values(known.grows),
            missing_alike=bet_set.of_missing(known.grows, np.False_),
            unknown=bet_set.any_of_values(self._varies & ~(known.bounded | known.grows)),
            risen_at=state.risen_at,
            raised=state.raised > 0,
            reachable=self._rows.reachable(known, rows, weights),
            rhythm=rhythm(state),
        )

    def _known(self, state: DetectorState) -> KnownDependence:
        """The dependence of each measured score. Values with a rhythm that the reference lacks have no bound."""
        newest = self._newest_known  # a look asks for that of its new state twice, and the next look once more
        if newest is None or newest[0] is not state.spans or newest[1] is not state.rhythm:
            newest = state.spans, state.rhythm, self._dependence.known(state.spans, rhythm(state))
            self._newest_known = newest
        return newest[2]

    def _seconds(self, state: DetectorState, now: float) -> float:
        """The time that passed since the last rows, in seconds: at most that between two evaluations."""
        longest = self._budget.evaluation_seconds
        return longest if state.rows == 0 else min(max(now - state.time, 0.0), longest)

    def _capped(self, log_evidence: Floats) -> Floats:
        """The evidence with the weighted mean of each feature's bets at most at the cap.

        All bets of a feature are divided by the same number: the bet that fits the drift best still dominates. Less
        evidence can only delay an alarm, so the promised time between false alarms is kept.
        """
        surplus = np.maximum(self._bet_set.log_by_feature(log_evidence) - self._log_cap, 0.0)
        return log_evidence - surplus[:, np.newaxis]

    def _with_bounds(self, state: DetectorState, now: float) -> DetectorState:
        """The state with the times at which the dependence of values got, or lost, a bound."""
        known = self._known(state)
        bounded = ~self._bet_set.any_of_values(~known.bounded)
        lost = ~bounded & (now - state.bounded_since >= DAY_SECONDS)  # false where it had none: NaN
        return replace(
            state,
            bounded_since=np.where(bounded, np.where(np.isnan(state.bounded_since), now, state.bounded_since), np.nan),
            alike_since=np.where(lost, now, np.where(bounded, np.nan, state.alike_since)),
        )


def rhythm(state: DetectorState) -> NDArray[np.bool_]:
    """Which features have a rhythm of the day, as far as the stream shows it: shape `(d,)`."""
    return RhythmSums.unpack(state.rhythm).rhythm()
