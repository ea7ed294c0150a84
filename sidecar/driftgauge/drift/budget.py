"""The false-alarm budget: how far a window may lie from its reference before it alarms.

Each threshold is the sum of three parts: what a window of so few rows gets wrong by chance, what the reference gets
wrong, and the tolerance. The chances are shared so that all false alarms together stay within the budget.
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
"""Chance of drawing a reference whose error, in any test, is larger than the thresholds allow for."""

FAMILIES = 4
"""Parts of the budget: windows and detector, of inputs and of outputs."""

STREAMS = 2
"""Inputs and outputs: each has its own reference."""

TESTS_PER_FEATURE = 2
"""Windowed tests of each feature: the distance of its values, and the share of missing ones."""

ERRORS_PER_FEATURE = 4
"""Errors of a reference that thresholds and bets allow for: of its distribution, its share of missing values, its mean
scores, and its shares of single values."""

_MISSED = 0.1
"""Share of windows that may miss a change of the size of `detectable`."""


class Decision(StrEnum):
    """What decides whether a test alarms: the false-alarm budget, or the p-value against alpha."""

    BUDGET = "budget"
    P_VALUE = "p-value"


@dataclass(frozen=True, slots=True)
class Budget:
    """How often a false alarm is acceptable, and which distance is too small to matter.

    Args:
        false_alarm_seconds: Least mean time between two false alarms of a model, in seconds, above 0.
        evaluation_seconds: Time between two evaluations, in seconds, above 0.
        tolerance: Largest true distance that is no drift, in [0, 1).

    Notes:
        A family is the windows or the detector, of inputs or of outputs. Each evaluation of a family may alarm falsely
        with a chance of `level`, which its tests share equally. Chances add up whatever the dependence between tests,
        features and overlapping windows (Boole's inequality). So the expected number of false alarms in
        `false_alarm_seconds` is at most 1, for a reference whose own error is within its bound, as it is for 99 in 100.
        Dependence between rows is only allowed for by `effective_rows`.
    """

    false_alarm_seconds: float
    evaluation_seconds: float
    tolerance: float

    @property
    def level(self) -> float:
        """The chance of a false alarm of one evaluation of one family, in (0, 0.5]."""
        return min(0.5, self.evaluation_seconds / (FAMILIES * self.false_alarm_seconds))

    @property
    def evidence_threshold(self) -> float:
        """The evidence at which the detector of one family alarms, in seconds."""
        return FAMILIES * self.false_alarm_seconds

    def ks_threshold(self, reference_rows: int, effective_rows: float, features: int) -> float:
        """The D above which a numeric feature drifts; may be above 1.

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
        """The total variation above which a categorical feature drifts; may be above 1.

        Args:
            reference: Shape `(k,)`: rows of the reference in each cell: of the categories with a cell of their own, of
                all other known ones, and of unknown ones (0).
            categories: How many categories the reference knows.
            effective_rows: Independent rows that the window is worth, above 0.
            features: Features that are tested together, at least 1.

        Notes:
            The reference's counts chose the cells. The window had no influence on them, so that the simpler bound of
            fixed cells holds for it.
        """
        window = cells_error(effective_rows, reference.size, self._window_risk(features))
        return window + categories_reference_error(reference, categories, features)[0] + self.tolerance

    def share_threshold(
        self, reference_share: float, share: float, reference_rows: int, effective_rows: float, features: int
    ) -> float:
        """The gap above which a share has changed, in the direction of the window's share; may be above 1.

        Args:
            reference_share: The reference's share, in [0, 1].
            share: The window's share, in [0, 1]: only whether it is below or above the reference's matters.
            reference_rows: Rows of the reference, at least 1.
            effective_rows: Independent rows that the window is worth, above 0.
            features: Features that are tested together, at least 1.

        Notes:
            A share may alarm in both directions: each has half of the risk.
        """
        if share < reference_share:  # by symmetry: the share of all other rows has risen
            return self.share_threshold(1 - reference_share, 1 - share, reference_rows, effective_rows, features)
        true_share = (
            upper_bound_true_share(reference_share, reference_rows, reference_risk(features) / 2) + self.tolerance
        )
        if true_share >= 1:
            return math.inf
        return upper_bound_sample_share(true_share, effective_rows, self._window_risk(features) / 2) - reference_share

    def rows_needed(self, window_rows: int, features: int) -> int:
        """The least rows of a reference whose error is no larger than that of a full window.

        Args:
            window_rows: Rows of a full window, at least 1.
            features: Features that are tested together, at least 1.
        """
        ratio = math.log(2 / reference_risk(features)) / math.log(2 / self._window_risk(features))
        return math.ceil(window_rows * ratio)

    def _window_risk(self, features: int) -> float:
        return self.level / (TESTS_PER_FEATURE * features)


def detectable(threshold: float, effective_rows: float) -> float:
    """The smallest true distance that exceeds a threshold in nine of ten windows; infinity if none does.

    Args:
        threshold: The distance that alarms.
        effective_rows: Independent rows that the window is worth, above 0.

    Notes:
        Take the point at which the true distribution functions are farthest apart. There the window's share falls
        short of the true one by more than sqrt(ln(10) / 2n) in at most one window of ten (Hoeffding, 1963).
    """
    distance = threshold + math.sqrt(math.log(1 / _MISSED) / (2 * effective_rows))
    return distance if distance <= 1 else math.inf


def reference_risk(features: int) -> float:
    """The chance that one error of one feature is larger than allowed for: all errors share `REFERENCE_RISK`."""
    return REFERENCE_RISK / (STREAMS * ERRORS_PER_FEATURE * features)


def reference_error(reference_rows: int, features: int) -> float:
    """A bound on the KS distance of a reference from the true distribution, which holds for 99 of 100 references."""
    return distribution_error(reference_rows, reference_risk(features))


def categories_reference_error(reference: NDArray[np.float64], categories: int, features: int) -> tuple[float, float]:
    """A bound on the error of a reference's shares, and one on the true share of categories that it does not know.

    Args:
        reference: Shape `(k,)`: its rows in each cell, of rare categories in the last but one, of unknown ones in the
            last.
        categories: How many categories it knows.
        features: Features that are tested together, at least 1.
    """
    own = reference[:-2]
    pooled = categories - own.size, float(reference[-2])
    return categories_error(own, pooled, reference_risk(features))
