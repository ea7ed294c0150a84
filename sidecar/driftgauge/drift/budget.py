"""The false-alarm budget: how far a window may lie from its reference before someone is woken.

This room is pure: numbers in, numbers out.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.statistics.concentration import (
    categories_error,
    cells_error,
    distribution_error,
    upper_bound_sample_share,
    upper_bound_true_share,
)

REFERENCE_RISK = 0.01
"""Chance, over the drawing of the reference, that its error is larger than the bars allow for; over all tests."""

FAMILIES = 4
"""The budget is shared equally by windows and detector, of inputs and of outputs."""

STREAMS = 2
"""Inputs and outputs: each has a reference of its own."""

TESTS_PER_FEATURE = 2
"""The distance of its values and the share of missing ones."""

ERRORS_PER_FEATURE = 4
"""What is asked of a reference: its distribution, its share of missing values, its polynomials, its single shares."""

_MISSED = 0.1
"""Share of windows that may miss a change of `detectable` size."""


class Decision(StrEnum):
    """What makes a verdict: the false-alarm budget, or the article's p-value against alpha."""

    BUDGET = "budget"
    P_VALUE = "p-value"


@dataclass(frozen=True, slots=True)
class Budget:
    """How often a false alarm is tolerable, and what is too small to matter.

    Args:
        false_alarm_seconds: Least mean time between two false alarms of a model, in seconds, above 0.
        evaluation_seconds: Time between two evaluations, in seconds, above 0.
        tolerance: Smallest distance worth waking someone, in [0, 1): a true distance up to it is no drift.

    Notes:
        Each evaluation of a family may alarm falsely with a chance of `level`, shared equally by its tests.
        Chances add whatever the dependence between tests, features and overlapping windows (Boole), so that the
        expected number of false alarms in `false_alarm_seconds` is at most 1, given a reference whose own error
        is within its bound, which 99 in 100 are. Rows are taken as independent, but for `effective_rows`.
    """

    false_alarm_seconds: float
    evaluation_seconds: float
    tolerance: float

    @property
    def level(self) -> float:
        """The chance of a false alarm that one evaluation of one family has, in (0, 0.5]."""
        return min(0.5, self.evaluation_seconds / (FAMILIES * self.false_alarm_seconds))

    @property
    def evidence_threshold(self) -> float:
        """The evidence at which the detector of one family alarms, in seconds."""
        return FAMILIES * self.false_alarm_seconds

    def ks_threshold(self, reference_rows: int, effective_rows: float, features: int) -> float:
        """The D above which a numeric feature drifts, perhaps above 1.

        Args:
            reference_rows: Values of the reference, at least 1.
            effective_rows: Independent rows that the window is worth, above 0.
            features: Features that are tested together, at least 1.
        """
        window = distribution_error(effective_rows, self._window_risk(features))
        return window + reference_error(reference_rows, features) + self.tolerance

    def tv_threshold(
        self, reference: NDArray[np.float64], categories: int, effective_rows: float, features: int
    ) -> float:
        """The total variation above which a categorical feature drifts, perhaps above 1.

        Args:
            reference: Shape `(k,)`: rows of the reference in each cell: of the categories that have one to
                themselves, of the others that are known, of unknown ones (0).
            categories: Categories that the reference knows.
            effective_rows: Independent rows that the window is worth, above 0.
            features: Features that are tested together, at least 1.

        Notes:
            To the window the cells are given; the reference has chosen them by its own counts.
        """
        window = cells_error(effective_rows, reference.size, self._window_risk(features))
        return window + categories_reference_error(reference, categories, features)[0] + self.tolerance

    def share_threshold(
        self, reference_share: float, share: float, reference_rows: int, effective_rows: float, features: int
    ) -> float:
        """The gap above which a share has changed, on the side of the share that was found; perhaps above 1.

        Args:
            reference_share: The reference's share, in [0, 1].
            share: The window's, in [0, 1]: only its side is used.
            reference_rows: Rows of the reference, at least 1.
            effective_rows: Independent rows that the window is worth, above 0.
            features: Features that are tested together, at least 1.

        Notes:
            Both sides may alarm: each has half of the risk.
        """
        if share < reference_share:  # by symmetry, of the share that is not so
            return self.share_threshold(1 - reference_share, 1 - share, reference_rows, effective_rows, features)
        true_share = (
            upper_bound_true_share(reference_share, reference_rows, reference_risk(features) / 2) + self.tolerance
        )
        if true_share >= 1:
            return math.inf
        return upper_bound_sample_share(true_share, effective_rows, self._window_risk(features) / 2) - reference_share

    def rows_needed(self, window_rows: int, features: int) -> int:
        """The rows at which a reference's error is no larger than that of a full window.

        Args:
            window_rows: Rows of a full window, at least 1.
            features: Features that are tested together, at least 1.
        """
        ratio = math.log(2 / reference_risk(features)) / math.log(2 / self._window_risk(features))
        return math.ceil(window_rows * ratio)

    def _window_risk(self, features: int) -> float:
        return self.level / (TESTS_PER_FEATURE * features)


def detectable(threshold: float, effective_rows: float) -> float:
    """The smallest true distance that exceeds a bar in nine windows of ten; infinity where none does.

    Args:
        threshold: The distance that alarms.
        effective_rows: Independent rows that the window is worth, above 0.

    Notes:
        One point of the distribution decides: a window's share there falls short of the true one by more than
        sqrt(ln(10) / 2n) in at most one window of ten (Hoeffding, 1963).
    """
    distance = threshold + math.sqrt(math.log(1 / _MISSED) / (2 * effective_rows))
    return distance if distance <= 1 else math.inf


def reference_risk(features: int) -> float:
    """The chance that one error of one feature is larger than allowed for: all of them share `REFERENCE_RISK`."""
    return REFERENCE_RISK / (STREAMS * ERRORS_PER_FEATURE * features)


def reference_error(reference_rows: int, features: int) -> float:
    """How far a reference's distribution function may lie from the true one, at most with 99 references of 100."""
    return distribution_error(reference_rows, reference_risk(features))


def categories_reference_error(reference: NDArray[np.float64], categories: int, features: int) -> tuple[float, float]:
    """How far a reference's shares may lie from the true ones, and the true share of categories that it lacks.

    Args:
        reference: Shape `(k,)`: its rows in each cell, the last of which but one is shared, and the last unknown.
        categories: Categories that it knows.
        features: Features that are tested together, at least 1.
    """
    own = reference[:-2]
    pooled = categories - own.size, float(reference[-2])
    return categories_error(own, pooled, reference_risk(features))
