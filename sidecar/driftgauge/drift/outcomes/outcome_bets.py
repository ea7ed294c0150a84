"""The two columns of bets on one output: its performance, and its concept."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import REFERENCE_RISK, STREAMS, Budget
from driftgauge.drift.detector.bet_column import BetColumn
from driftgauge.drift.detector.bet_set import BetSet
from driftgauge.drift.detector.dependence import ScoreDependence
from driftgauge.drift.detector.new_rows import NewRows
from driftgauge.drift.outcomes.concept_bets import MEAN_RANK, ConceptBets, concept_bets
from driftgauge.drift.outcomes.outcome_columns import LabelledOutput, OutcomeColumns
from driftgauge.drift.outcomes.performance_bets import PerformanceBets, performance_bets
from driftgauge.drift.outcomes.prediction_bins import PredictionBins, errors_of

Floats = NDArray[np.float64]

TESTS = 2
"""Tests of each output: performance and concept. They share the risk of a bad reference, and the threshold."""


def outcome_reference_risk(outputs: int) -> float:
    """The chance that a reference of outcomes misleads one test of one output by more than is allowed for.

    Args:
        outputs: Outputs that are tested together, at least 1.
    """
    return REFERENCE_RISK / (STREAMS * TESTS * outputs)


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeBets:
    """The bets on one output.

    Args:
        output: The output.
        bins: The bins of its predictions.
        performance: The bets on its loss.
        concept: The bets on its errors, given the bin of its prediction.
        worth: How many independent rows each row of its reference is worth, in (0, 1].
    """

    output: LabelledOutput
    bins: PredictionBins
    performance: PerformanceBets
    concept: ConceptBets
    worth: float

    @classmethod
    def of(cls, output: LabelledOutput, bins: PredictionBins, budget: Budget, outputs: int) -> "OutcomeBets":
        """The bets on one output.

        Args:
            output: The output; its reference has at least one row.
            bins: The bins of its predictions.
            budget: Has the tolerance of the performance.
            outputs: Outputs that are tested together.
        """
        risk = outcome_reference_risk(outputs)
        errors = errors_of(output.task, output.reference)
        first = cls._with_worth(output, bins, errors, budget, risk, 1.0)
        if output.requests is None:
            return first
        return cls._with_worth(output, bins, errors, budget, risk, first.measure_worth())

    @classmethod
    def _with_worth(
        cls, output: LabelledOutput, bins: PredictionBins, errors: Floats, budget: Budget, risk: float, worth: float
    ) -> "OutcomeBets":
        performance = performance_bets(output.task, errors, worth, budget, risk)
        return cls(output, bins, performance, concept_bets(output, bins, worth, budget, risk), worth)

    @property
    def columns(self) -> Sequence[BetColumn]:
        """The bets on the performance, then those on the concept."""
        return self.performance.column, self.concept.column

    @property
    def smallest_rise(self) -> float | None:
        """What a rise of the mean loss must exceed to be found, however long it lasts; `None` if none is found.

        The loss is 1 for a wrong prediction; of numbers it is the rank of the absolute error among the reference's.
        """
        greatest = 1.0 if self.performance.cells is None else 1 - MEAN_RANK
        found = self.performance.column.bets.log_weights.size > 0 and self.performance.rise < greatest
        return self.performance.rise if found else None

    @property
    def smallest_bin_change(self) -> float | None:
        """What a rise of the share of errors within a bin must exceed to be found, in the bin where that is least.

        Of numbers that of the mean rank of the residual. `None` if none is found in any bin.
        """
        least = float(self.concept.rises.min(initial=np.inf))
        return least if math.isfinite(least) else None

    def find(self, columns: OutcomeColumns) -> NDArray[np.intp]:
        """The cells of rows: shape `(2, n)`; the one after the last for a row without a label of this output."""
        errors = errors_of(self.output.task, columns)
        return np.stack([self.performance.find(errors), self.concept.find(self.bins.find(columns), errors)])

    def measure_worth(self) -> float:
        """How many independent rows each row of a reference in the order of time is worth, in (0, 1]."""
        if self.output.requests is None:
            return 1.0
        rows = NewRows(self.find(self.output.reference), self.output.requests)
        bet_set = BetSet([one.bets for one in self.columns])
        known = ScoreDependence(bet_set, rows)
        each = (known.reference_weights / known.reference_factors)[bet_set.of_values]
        return float(min(1.0, each.min(initial=1.0)))
