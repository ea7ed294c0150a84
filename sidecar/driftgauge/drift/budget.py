"""The false-alarm budget: how far a window may lie from its reference before it alarms.

Each threshold is the sum of two parts: what a window of so few rows gets wrong by chance, and the larger of what the
reference gets wrong and the tolerance. The chances are shared so that all false alarms together stay within the budget.
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

FAMILIES = 5
"""Parts of the budget: windows and detector, of inputs and of outputs, and the detector of outcomes."""

STREAMS = 3
"""Inputs, outputs and outcomes: each has its own reference."""

TESTS_PER_FEATURE = 2
"""Windowed tests of each feature: the distance of its values, and the share of missing ones."""

ERRORS_PER_FEATURE = 5
"""Errors of a reference that thresholds and bets allow for: of its distribution, its share of missing values, its mean
scores, its shares of single values, and the mass beyond its extremes."""

RARE = 0.05
"""Shares up to this are rare: even with a stake of 16 a factor 1 + 16 (0 - share) is positive."""

SHARE_TOLERANCE = 0.002
"""How large a share of values without example in the reference is no drift, by default."""

_MISSED = 0.1
"""Share of windows that may miss a change of the size of `detectable`."""


class Decision(StrEnum):
    """What decides whether a test alarms: the false-alarm budget, or the p-value against alpha."""

    BUDGET = "budget"
    P_VALUE = "p-value"


@dataclass(frozen=True, slots=True)
class EffectiveRows:
    """How many independent rows a feature's reference is worth.

    Args:
        values: As to its values, at least 1.
        all: As to whether a row lacks the feature, at least 1.
    """

    values: float
    all: float


@dataclass(frozen=True, slots=True)
class Budget:
    """How often a false alarm is acceptable, and which distance is too small to matter.

    Args:
        false_alarm_seconds: Least mean time between two false alarms of a model, in seconds, above 0.
        evaluation_seconds: Time between two evaluations, in seconds, above 0.
        tolerance: Largest true distance that is no drift, in [0, 1).
        share_tolerance: Largest true share of values outside of the reference's range (on each side), of unknown
            categories, and of missing values in a feature that hardly ever lacks one, that is no drift; in [0, 1).
        beyond_reference: Whether a tolerance counts in addition to the reference's own error. By default the larger of
            both counts: a change up to the tolerance less the error raises no alarm, and where the error reaches the
            tolerance only "nothing changed" is protected.

    Notes:
        A family is the windows or the detector, of inputs or of outputs, or the detector of outcomes. Each evaluation
        of a family may alarm falsely with a chance of `level`, which its tests share equally. Chances add up whatever
        the dependence between tests, features and overlapping windows (Boole's inequality). So the expected number of
        false alarms in `false_alarm_seconds` is at most 1, for a reference whose own error is within its bound, as it
        is for 99 in 100. Dependence between rows is only allowed for by `effective_rows`.
    """

    false_alarm_seconds: float
    evaluation_seconds: float
    tolerance: float
    share_tolerance: float = SHARE_TOLERANCE
    beyond_reference: bool = False

    @property
    def level(self) -> float:
        """The chance of a false alarm of one evaluation of one family, in (0, 0.5]."""
        return min(0.5, self.evaluation_seconds / (FAMILIES * self.false_alarm_seconds))

    @property
    def evidence_threshold(self) -> float:
        """The evidence at which the detector of one family alarms, in seconds."""
        return FAMILIES * self.false_alarm_seconds

    def tolerated(self, tolerance: float, error: float) -> float:
        """How far the truth may lie from the reference without drift: a tolerance and an error of the reference."""
        return tolerance + error if self.beyond_reference else max(tolerance, error)

    def tolerance_of_missing(self, reference_share: float) -> float:
        """The tolerance of a share of missing values, given that of the reference."""
        return self.share_tolerance if reference_share <= RARE else self.tolerance

    def ks_threshold(self, reference_rows: float, effective_rows: float, features: int) -> float:
        """The D above which a numeric feature drifts; may be above 1.

        Args:
            reference_rows: Independent values that the reference is worth, at least 1.
            effective_rows: Independent rows that the window is worth, above 0.
            features: Features that are tested together, at least 1.
        """
        window = distribution_error(effective_rows, self._window_risk(features))
        return window + self.tolerated(self.tolerance, reference_error(reference_rows, features))

    def tv_threshold(
        self, reference: NDArray[np.float64], categories: int, effective_rows: float, features: int
    ) -> float:
        """The total variation above which a categorical feature drifts; may be above 1.

        Args:
            reference: Shape `(k,)`: independent rows of the reference in each cell: of the categories with a cell of
                their own, of all other known ones, and of unknown ones (0).
            categories: How many categories the reference knows.
            effective_rows: Independent rows that the window is worth, above 0.
            features: Features that are tested together, at least 1.

        Notes:
            The reference's counts chose the cells. The window had no influence on them, so that the simpler bound of
            fixed cells holds for it.
        """
        window = cells_error(effective_rows, reference.size, self._window_risk(features))
        error = categories_reference_error(reference, categories, features)[0]
        return window + self.tolerated(self.tolerance, error)

    def share_threshold(
        self, reference_share: float, share: float, reference_rows: float, effective_rows: float, features: int
    ) -> float:
        """The gap above which the share of missing values has changed, in the direction of the window's share.

        Args:
            reference_share: The reference's share, in [0, 1].
            share: The window's share, in [0, 1]: only whether it is below or above the reference's matters.
            reference_rows: Independent rows that the reference is worth, at least 1.
            effective_rows: Independent rows that the window is worth, above 0.
            features: Features that are tested together, at least 1.

        Notes:
            A share may alarm in both directions: each has half of the risk.
        """
        tolerance = self.tolerance_of_missing(reference_share)
        # By symmetry: where the share has fallen, that of all other rows has risen.
        known = 1 - reference_share if share < reference_share else reference_share
        error = upper_bound_true_share(known, reference_rows, reference_risk(features) / 2) - known
        true_share = known + self.tolerated(tolerance, error)
        if true_share >= 1:
            return math.inf
        return upper_bound_sample_share(true_share, effective_rows, self._window_risk(features) / 2) - known

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


def reference_error(reference_rows: float, features: int) -> float:
    """A bound on the KS distance of a reference from the true distribution, which holds for 99 of 100 references."""
    return distribution_error(reference_rows, reference_risk(features))


def extremes_reference_error(reference_rows: float, features: int) -> float:
    """A bound on the mass below the least value of a reference, and on that above its greatest one.

    Args:
        reference_rows: Independent values that the reference is worth, at least 1.
        features: Features that are tested together, at least 1.

    Notes:
        The mass beyond the least, or the greatest, of m independent values of a continuous distribution has the
        distribution Beta(1, m), whatever the distribution; with ties it is stochastically smaller. So it exceeds
        1 - r^(1/m) with a chance of at most r. Each side has half of the risk. For dependent values m is what they are
        worth, which is a heuristic for extremes.
    """
    return -math.expm1(math.log(reference_risk(features) / 2) / reference_rows)


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
