"""What new rows add to the evidence of each bet: at most a part of what an alarm needs, and by their dependence."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.alarms import LOG_RECOVERY, recovery_logs
from driftgauge.drift.detector.alike_bets import AlikeBets, gains, parts, whole
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

_MOST_COUNTS = 2**15
"""Counts of cells that are worked on at once, but for those of a single feature: a quarter of a megabyte."""


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
        self._greatest = bet_set.by_feature([one.log_factors[:-1].max(axis=0, initial=0.0) for one in bet_set.bets])

    def weigh(
        self, state: DetectorState, rows: NewRows, known: KnownDependence, bounds: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """What the new rows add to the log evidence of each bet, and to the log of each bet against a lasting change.

        Returns:
            Shapes `(d, b)` and `(d, 4)`; and the running sums of the correlation within requests.
        """
        lengths = np.concatenate([np.ones(rows.groups_of_singles, dtype=np.int64), rows.of_several])
        logs = np.full_like(state.log_evidence, -np.inf)
        recovery = np.zeros_like(state.recovery)
        learned = state.correlation.copy()
        for features in self._blocks:
            part = self._bet_set.score_part(features)
            weights = row_weights(lengths, bounds[part])
            totals, squares = (np.empty((rows.of_several.size, weights.shape[1])) for _ in range(2))
            for group in self._groups(features, rows):
                self._checkpoint()
                counts = rows.counts(group.features, group.cells).astype(np.float64)
                scores = self._bet_set.scores_of(group) - part.start
                by_bet = weights.T[scores[:, group.first.score_of]].swapaxes(1, 2)
                gained = self._weigh_group(group, known, counts, (rows.group_rows, by_bet))
                logs[group.features, : gained.shape[1]] = gained
                for place in np.flatnonzero(state.latched[group.features]).tolist():
                    feature = int(group.features[place])
                    each = counts[place], by_bet[place], rows.group_rows
                    recovery[feature] = self._weigh_recovery(state, feature, known, each)
                if rows.of_several.size:
                    table = whole([one.score_table for one in group.bets])
                    for sums, of_cells in ((totals, table), (squares, table**2)):
                        found = np.matmul(counts[:, rows.groups_of_singles :], of_cells)
                        sums[:, scores.ravel()] = found.swapaxes(0, 1).reshape(len(sums), -1)
            if rows.of_several.size:
                learned[:, part] = add_requests(state.correlation[:, part], totals, squares, rows.of_several)
        return logs, recovery, learned

    def _groups(self, features: range, rows: NewRows) -> Iterator[AlikeBets]:
        """Features of a block that are weighed together, a few at a time, so that no step takes long."""
        for group in self._bet_set.alike_in(features):
            yield from parts(group, rows.group_rows.size, _MOST_COUNTS)

    def _weigh_group(
        self,
        group: AlikeBets,
        known: KnownDependence,
        counts: Floats,
        groups: tuple[NDArray[np.int64], Floats],
    ) -> Floats:
        """What new rows add to the evidence of features of one form: shape `(f, b)`.

        Args:
            group: The features.
            known: The dependence of rows.
            counts: Shape `(f, g, k + 1)`: the rows of each group in each cell.
            groups: The number of rows of each group, and its weight for each bet: shape `(f, g, b)`.
        """
        group_rows, by_bet = groups
        shares = np.minimum(group_rows / ROWS_OF_AN_ALARM, 1 / REQUESTS_OF_AN_ALARM)[:, np.newaxis]
        places = self._bet_set.measured_of_bets(group)
        by_bet = by_bet / known.factors[places][:, np.newaxis]
        each = np.minimum(by_bet * gains([one.factors for one in group.bets], counts), shares * self._climb)
        # A bet on a score whose factor has no bound may lose and not gain: a smaller e-value is an e-value.
        total = np.where(known.grows[places][:, np.newaxis], np.minimum(each, 0.0), each).sum(axis=1)
        # Events of unknown dependence count as long as they go on: several bursts do not add up.
        return np.where(known.assumed[places] & (total < 0), -np.inf, total)

    def _weigh_recovery(
        self, state: DetectorState, feature: int, known: KnownDependence, each: tuple[Floats, Floats, NDArray[np.int64]]
    ) -> Floats:
        """What new rows add to the bets against a lasting change of a feature that alarms: shape `(4,)`.

        Args:
            state: The state before them.
            feature: The feature.
            known: The dependence of rows.
            each: Of each group the rows in each cell, `(g, k + 1)`, its weight for each bet, `(g, b)`, and its rows.
        """
        bets, (counts, by_bet, group_rows) = self._bet_set.bets[feature], each
        leader = int(state.leader[feature])
        factor = known.factors[self._bet_set.measured_slices[feature]][bets.factor_of[leader]]
        over = counts @ recovery_logs(bets.factors.column(leader), float(state.half_gain[feature]))
        most = group_rows[:, np.newaxis] * (LOG_RECOVERY / ROWS_OF_A_RECOVERY)
        least: Floats = np.minimum((by_bet[:, leader] / factor)[:, np.newaxis] * over, most).sum(axis=0)
        return least

    def reachable(self, known: KnownDependence, rows: int, weights: Floats | None) -> NDArray[np.bool_]:
        """Whether a bet on the values of each feature could reach the threshold within so many rows: shape `(d,)`.

        Args:
            known: The dependence of rows.
            rows: Their number.
            weights: Shape `(d,)`: the sum of their weights; `None` if all are 1.
        """
        found = np.zeros(len(self._bet_set.bets), dtype=np.bool_)
        worth = np.full(found.size, float(rows)) if weights is None else weights
        for group in (group for features in self._blocks for group in self._bet_set.alike_in(features)):
            bets, places = group.first, self._bet_set.measured_of_bets(group)
            greatest = self._greatest[group.features, : bets.log_weights.size]
            most = np.minimum(
                worth[group.features, np.newaxis] * greatest / known.factors[places],
                rows * self._climb / ROWS_OF_AN_ALARM,
            )
            of_values = bets.factor_of < bets.own_factors.size - 1
            each = np.where(known.grows[places] | ~of_values, -np.inf, most + bets.log_weights)
            found[group.features] = each.max(axis=1, initial=-np.inf) >= self._climb
        return found
