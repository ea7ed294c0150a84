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

from driftgauge.drift.budget import Budget, EffectiveRows
from driftgauge.drift.detector.alarms import RECOVERY_STAKES, Alarms, recovery_logs
from driftgauge.drift.detector.bet_set import BetSet
from driftgauge.drift.detector.bets import Bets, make_bets
from driftgauge.drift.detector.dependence import (
    ASSUMED_FACTOR,
    KnownDependence,
    ScoreDependence,
    reference_effective_rows,
)
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.detector.new_rows import NewRows
from driftgauge.drift.detector.request_correlation import add_requests, correlation_bounds, no_sums, row_weights
from driftgauge.drift.detector.score_factors import score_factors
from driftgauge.drift.detector.verdict import Checkpoint, DetectorVerdict, no_checkpoint
from driftgauge.drift.profile import FeatureKind, Profile

DAY_SECONDS = 86_400.0

Floats = NDArray[np.float64]

CAP_RATIO = 10
"""Evidence is capped at this multiple of the threshold."""

ROWS_OF_AN_ALARM = 64
"""Neighbouring rows take a bet's evidence at most so far that it needs as many to reach the threshold. So a burst of
fewer rows cannot alarm alone. An e-value that is made smaller is one."""

REQUESTS_OF_AN_ALARM = 3
"""A request of several rows takes the evidence at most a third of the way to the threshold: one whose rows resemble
each other cannot alarm alone, however little those of earlier requests did."""

_STATE_VERSION = 3
"""To be raised with each change of the bets or of the state: evidence of other bets means nothing, and may have another
shape."""


class Detector:
    """An e-detector of Shiryaev-Roberts form over bets on every feature.

    Args:
        profiles: The reference's features; nothing is bet on those that are ignored.
        budget: Sets the threshold and the tolerance.
        min_rows: No alarm before so many rows.
        digest: Identifies the reference.
        checkpoint: Called between features while the bets are made.
        reference: How many independent rows each feature's reference is worth, if that is known already.

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
        profiles: Sequence[Profile],
        budget: Budget,
        min_rows: int,
        digest: str,
        checkpoint: Checkpoint = no_checkpoint,
        reference: Sequence[EffectiveRows] | None = None,
    ) -> None:
        self._budget = budget
        self._kinds = [profile.kind for profile in profiles]
        features = max(1, sum(profile.kind is not FeatureKind.IGNORED for profile in profiles))
        bets = []
        for profile, rows in zip(profiles, reference or reference_effective_rows(profiles), strict=True):
            checkpoint()
            bets.append(make_bets(profile, budget, features, rows))
        self._bet_set = BetSet(bets)
        self._greatest = [one.log_factors[:-1].max(axis=0, initial=0.0) for one in bets]
        self._dependence = ScoreDependence(self._bet_set, profiles)
        threshold = features * budget.evidence_threshold
        self._log_threshold = math.log(threshold)
        self._log_cap = self._log_threshold + math.log(CAP_RATIO)
        self._alarms = Alarms(self._bet_set, self._log_threshold, budget.evaluation_seconds, min_rows)
        self._climb = max(self._log_threshold - math.log(budget.evaluation_seconds), 0.0)
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
            correlation=no_sums(self._bet_set.scores),
            spans=self._dependence.start_spans,
        )

    def advance(self, state: DetectorState, rows: NewRows, number: int, now: float) -> DetectorState:
        """Update the evidence with rows that were not fed before.

        Args:
            state: The last state, with this detector's key.
            rows: The new rows, of whole requests. They count by what was known before of their dependence.
            number: The number of the newest of them in the stream.
            now: Seconds since the epoch. However far the clock jumps, at most one evaluation's time is added.
        """
        known = self._dependence.known(state.spans)
        bounds = correlation_bounds(state.correlation)
        seconds = self._seconds(state, now)
        log_seconds = math.log(seconds) if seconds > 0 else -math.inf
        gains, recovery, learned = self._weigh(state, rows, known, bounds)
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

    def verdict(self, state: DetectorState, rows: int) -> DetectorVerdict:
        """What a state adds to the tests of a window of so many rows."""
        known = self._dependence.known(state.spans)
        factors = np.where(known.grows, np.inf, known.factors)
        missing = np.where(known.bounded, factors, np.maximum(factors, ASSUMED_FACTOR))
        of_values = [one.start + np.flatnonzero(self._bet_set.of_values[one]) for one in self._bet_set.measured_slices]
        last = [one.stop - 1 for one in self._bet_set.measured_slices]
        empty = [one.start == one.stop for one in self._bet_set.measured_slices]
        return DetectorVerdict(
            factors=np.array([factors[part].max(initial=1.0) for part in of_values]),
            missing_factors=np.array([1.0 if no else missing[one] for one, no in zip(last, empty, strict=True)]),
            evidence=self.evidence(state),
            threshold=self.threshold,
            since=state.since,
            alike_since=state.alike_since,
            score_factors=score_factors(self._kinds, self._bet_set, known),
            alike=np.array([bool(known.grows[part].any()) for part in of_values], dtype=np.bool_),
            unknown=np.array(
                [bool((~(known.bounded | known.grows))[part].any()) for part in of_values], dtype=np.bool_
            ),
            risen_at=state.risen_at,
            raised=state.raised > 0,
            reachable=self._reachable(known, rows),
        )

    def _reachable(self, known: KnownDependence, rows: int) -> NDArray[np.bool_]:
        """Whether a bet on the values of each feature could reach the threshold within so many rows: shape `(d,)`."""
        found = []
        for bets, part, greatest in zip(self._bet_set.bets, self._bet_set.measured_slices, self._greatest, strict=True):
            factors, grows = known.factors[part][bets.factor_of], known.grows[part][bets.factor_of]
            of_values = bets.factor_of < bets.own_factors.size - 1
            gains = np.where(grows | ~of_values, -np.inf, rows * greatest / factors + bets.log_weights)
            found.append(bool(gains.max(initial=-np.inf) >= self._climb))
        return np.array(found, dtype=np.bool_)

    def _seconds(self, state: DetectorState, now: float) -> float:
        """The time that passed since the last rows, in seconds: at most that between two evaluations."""
        longest = self._budget.evaluation_seconds
        return longest if state.rows == 0 else min(max(now - state.time, 0.0), longest)

    def _weigh(
        self, state: DetectorState, rows: NewRows, known: KnownDependence, bounds: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """What the new rows add to the log evidence of each bet, and to the log of each bet against a lasting change.

        Returns:
            Shapes `(d, b)` and `(d, 4)`; and the running sums of the correlation within requests.
        """
        singles = rows.groups_of_singles
        shares = np.minimum(rows.group_rows / ROWS_OF_AN_ALARM, 1 / REQUESTS_OF_AN_ALARM)[:, np.newaxis]
        weights = row_weights(np.concatenate([np.ones(singles, dtype=np.int64), rows.of_several]), bounds)
        logs, totals, squares = [], [], []
        recovery = np.zeros_like(state.recovery)
        for feature, bets in enumerate(self._bet_set.bets):
            counts = rows.counts(feature, bets.scores.shape[0])
            part = self._bet_set.measured_slices[feature]
            factors, grows = known.factors[part][bets.factor_of], known.grows[part][bets.factor_of]
            by_bet = weights[:, self._bet_set.score_slices[feature]][:, bets.score_of] / factors
            assumed = known.assumed[part][bets.factor_of]
            gains = np.minimum(by_bet * (counts @ bets.log_factors), shares * self._climb)
            # A bet on a score whose factor has no bound may lose and not gain: a smaller e-value is an e-value.
            total = np.where(grows, np.minimum(gains, 0.0), gains).sum(axis=0)
            # Events of unknown dependence count as long as they go on: several bursts do not add up.
            logs.append(np.where(assumed & (total < 0), -np.inf, total))
            totals.append(counts[singles:] @ bets.scores)
            squares.append(counts[singles:] @ bets.scores**2)
            if state.latched[feature]:
                leader = state.leader[feature]
                recovery[feature] = by_bet[:, leader] @ (
                    counts @ recovery_logs(bets.log_factors[:, leader], float(state.half_gain[feature]))
                )
        learned = state.correlation
        if rows.of_several.size:
            learned = add_requests(learned, np.hstack(totals), np.hstack(squares), rows.of_several)
        return self._bet_set.by_feature(logs), recovery, learned

    def _capped(self, log_evidence: Floats) -> Floats:
        """The evidence with the weighted mean of each feature's bets at most at the cap.

        All bets of a feature are divided by the same number: the bet that fits the drift best still dominates. Less
        evidence can only delay an alarm, so the promised time between false alarms is kept.
        """
        surplus = np.maximum(self._bet_set.log_by_feature(log_evidence) - self._log_cap, 0.0)
        return log_evidence - surplus[:, np.newaxis]

    def _with_bounds(self, state: DetectorState, now: float) -> DetectorState:
        """The state with the times at which the dependence of values got, or lost, a bound."""
        known = self._dependence.known(state.spans)
        parts = [one.start + np.flatnonzero(self._bet_set.of_values[one]) for one in self._bet_set.measured_slices]
        bounded = np.array([bool(known.bounded[part].all()) for part in parts], dtype=np.bool_)
        lost = ~bounded & (now - state.bounded_since >= DAY_SECONDS)  # false where it had none: NaN
        return replace(
            state,
            bounded_since=np.where(bounded, np.where(np.isnan(state.bounded_since), now, state.bounded_since), np.nan),
            alike_since=np.where(lost, now, np.where(bounded, np.nan, state.alike_since)),
        )
