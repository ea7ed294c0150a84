"""What new rows add to the evidence of each bet: at most a part of what an alarm needs, and by their dependence."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.alarms import LOG_RECOVERY, recovery_logs
from driftgauge.drift.detector.bet_set import BetSet, blocks_of
from driftgauge.drift.detector.dependence import KnownDependence
from driftgauge.drift.detector.detector_state import DetectorState
from driftgauge.drift.detector.new_rows import NewRows
from driftgauge.drift.detector.request_correlation import add_requests, row_weights

Floats = NDArray[np.float64]

ROWS_OF_AN_ALARM = 56
"""Neighbouring rows take a bet's evidence at most so far that it needs as many to reach the threshold. So a burst of
fewer rows cannot alarm alone. An e-value that is made smaller is one."""

REQUESTS_OF_AN_ALARM = 3
"""A request of several rows takes the evidence at most a third of the way to the threshold: one whose rows resemble
each other cannot alarm alone, however little those of earlier requests did."""

ROWS_OF_A_RECOVERY = 256
"""Rows without the change end an alarm only from so many on: a short spell of them ends nothing."""


class RowEvidence:
    """Weighs new rows.

    Args:
        bet_set: The bets on the features.
        climb: How far the log of a feature's evidence rises from the time of one evaluation to the threshold.
        checkpoint: Called between features.
    """

    def __init__(self, bet_set: BetSet, climb: float, checkpoint: Callable[[], object]) -> None:
        self._bet_set = bet_set
        self._checkpoint = checkpoint
        self._climb = climb
        self._blocks = blocks_of(len(bet_set.bets))
        self._greatest = [one.log_factors[:-1].max(axis=0, initial=0.0) for one in bet_set.bets]

    def weigh(
        self, state: DetectorState, rows: NewRows, known: KnownDependence, bounds: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """What the new rows add to the log evidence of each bet, and to the log of each bet against a lasting change.

        Returns:
            Shapes `(d, b)` and `(d, 4)`; and the running sums of the correlation within requests.
        """
        lengths = np.concatenate([np.ones(rows.groups_of_singles, dtype=np.int64), rows.of_several])
        logs: list[Floats] = []
        recovery = np.zeros_like(state.recovery)
        learned = state.correlation.copy()
        for features in self._blocks:
            part = self._bet_set.score_part(features)
            weights = row_weights(lengths, bounds[part])
            totals: list[Floats] = []
            squares: list[Floats] = []
            for feature in features:
                self._checkpoint()
                bets = self._bet_set.bets[feature]
                counts = rows.counts(feature, bets.score_table.shape[0]).astype(np.float64)
                own = self._bet_set.score_slices[feature]
                by_score = weights[:, own.start - part.start : own.stop - part.start]
                log, recovery[feature] = self._weigh_feature(state, feature, known, counts, (rows.group_rows, by_score))
                logs.append(log)
                if rows.of_several.size:
                    scores = bets.scores
                    totals.append(counts[rows.groups_of_singles :] @ scores)
                    squares.append(counts[rows.groups_of_singles :] @ scores**2)
            if rows.of_several.size:
                sums = state.correlation[:, part]
                learned[:, part] = add_requests(sums, np.hstack(totals), np.hstack(squares), rows.of_several)
        return self._bet_set.by_feature(logs), recovery, learned

    def _weigh_feature(
        self,
        state: DetectorState,
        feature: int,
        known: KnownDependence,
        counts: Floats,
        groups: tuple[NDArray[np.int64], Floats],
    ) -> tuple[Floats, Floats]:
        """What new rows add to the evidence of one feature: shapes `(b,)` and `(4,)`.

        Args:
            state: The state before them.
            feature: The feature.
            known: The dependence of rows.
            counts: Shape `(g, k + 1)`: the rows of each group in each cell.
            groups: The number of rows of each group, and its weight for each score of the feature.
        """
        bets, (group_rows, weights) = self._bet_set.bets[feature], groups
        shares = np.minimum(group_rows / ROWS_OF_AN_ALARM, 1 / REQUESTS_OF_AN_ALARM)[:, np.newaxis]
        part = self._bet_set.measured_slices[feature]
        factors, grows = known.factors[part][bets.factor_of], known.grows[part][bets.factor_of]
        by_bet = weights[:, bets.score_of] / factors
        assumed = known.assumed[part][bets.factor_of]
        gains = np.minimum(by_bet * bets.factors.gains(counts), shares * self._climb)
        # A bet on a score whose factor has no bound may lose and not gain: a smaller e-value is an e-value.
        total = np.where(grows, np.minimum(gains, 0.0), gains).sum(axis=0)
        # Events of unknown dependence count as long as they go on: several bursts do not add up.
        log = np.where(assumed & (total < 0), -np.inf, total)
        if not state.latched[feature]:
            return log, np.zeros(state.recovery.shape[1])
        leader = int(state.leader[feature])
        over = counts @ recovery_logs(bets.factors.column(leader), float(state.half_gain[feature]))
        most = group_rows[:, np.newaxis] * (LOG_RECOVERY / ROWS_OF_A_RECOVERY)
        return log, np.minimum(by_bet[:, leader, np.newaxis] * over, most).sum(axis=0)

    def reachable(self, known: KnownDependence, rows: int, weights: Floats | None) -> NDArray[np.bool_]:
        """Whether a bet on the values of each feature could reach the threshold within so many rows: shape `(d,)`.

        Args:
            known: The dependence of rows.
            rows: Their number.
            weights: Shape `(d,)`: the sum of their weights; `None` if all are 1.
        """
        found = []
        worth = np.full(len(self._bet_set.bets), float(rows)) if weights is None else weights
        each = zip(self._bet_set.bets, self._bet_set.measured_slices, self._greatest, worth.tolist(), strict=True)
        for bets, part, greatest, weight in each:
            factors, grows = known.factors[part][bets.factor_of], known.grows[part][bets.factor_of]
            of_values = bets.factor_of < bets.own_factors.size - 1
            most = np.minimum(weight * greatest / factors, rows * self._climb / ROWS_OF_AN_ALARM)
            gains = np.where(grows | ~of_values, -np.inf, most + bets.log_weights)
            found.append(bool(gains.max(initial=-np.inf) >= self._climb))
        return np.array(found, dtype=np.bool_)
