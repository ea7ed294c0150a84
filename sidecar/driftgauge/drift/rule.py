"""The rule: when a window is tested, and which statistic alarms.

This room is pure: numpy in, numbers out.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget, Decision
from driftgauge.drift.measure import Counts, Measurement
from driftgauge.drift.result import DriftTest, DriftTestResult
from driftgauge.drift.statistics.chi_square import homogeneity_p_value
from driftgauge.drift.statistics.correction import Correction, p_value_thresholds
from driftgauge.drift.statistics.p_value import PValues

_STEPS = 40
"""Halvings that find a threshold among shares: to 1e-12."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a window is tested, and when a feature counts as drifted.

    Args:
        alpha: Significance level in (0, 1) of the decision by p-value.
        correction: How alpha is shared over the tests of a window.
        min_rows: Fewest rows of a window, and fewest values of a feature, that are tested; at least 1.
        budget: The false-alarm budget; `None` decides by p-value.
    """

    alpha: float
    correction: Correction
    min_rows: int
    budget: Budget | None = None

    @property
    def decision(self) -> Decision:
        """What makes a verdict."""
        return Decision.P_VALUE if self.budget is None else Decision.BUDGET


@dataclass(frozen=True, slots=True)
class Measured:
    """A measurement and what the budget needs to know of it.

    Args:
        measurement: Statistic and sample sizes.
        effective_rows: Independent rows that the window's values are worth.
    """

    measurement: Measurement
    effective_rows: float


def judge(measured: Sequence[Measured], features: int, rule: Rule, p_values: PValues) -> Iterator[DriftTestResult]:
    """The verdict of each test of one window, in their order, each when it is asked for.

    Args:
        measured: The tests of all features.
        features: Features that are tested together, at least 1.
        rule: What makes a verdict.
        p_values: Turns KS statistics into p-values; used by one thread at a time.
    """
    found = _p_values([one.measurement for one in measured], p_values)
    levels = p_value_thresholds(found, rule.alpha, rule.correction)
    for one, p_value, level in zip(measured, found.tolist(), levels.tolist(), strict=True):
        if rule.budget is None:
            drift = p_value < level
            threshold = _critical(one.measurement, level, p_values, drift=drift)
        else:
            threshold = _threshold(one, features, rule.budget)
            drift = one.measurement.statistic > threshold
        statistic = one.measurement.statistic
        test = one.measurement.test
        yield DriftTestResult(
            test=test, statistic=statistic, p_value=p_value, threshold=_reachable(threshold), drift=drift
        )


def _threshold(one: Measured, features: int, budget: Budget) -> float:
    """The statistic above which the budget alarms."""
    reference_rows = one.measurement.rows[0]
    counts = one.measurement.counts
    if counts is None:
        return budget.ks_threshold(reference_rows, one.effective_rows, features)
    if one.measurement.test is DriftTest.TV:
        return budget.tv_threshold(counts[0], one.measurement.categories, one.effective_rows, features)
    reference, window = (float(side[-1] / side.sum()) for side in counts)
    return budget.share_threshold(reference, window, reference_rows, one.effective_rows, features)


def _critical(one: Measurement, level: float, p_values: PValues, *, drift: bool) -> float:
    """The smallest statistic whose p-value is below a level; that of the measurement is or is not."""
    if one.counts is None:
        return p_values.critical_statistic(*one.rows, level)
    return one.statistic * _critical_multiple(*(one.every or one.counts), level, drift=drift)


def _critical_multiple(reference: Counts, window: Counts, level: float, *, drift: bool) -> float:
    """By how much a change of shares must be multiplied for its p-value to be below a level; infinity for none.

    Cells are pooled by what is in them, so that p-values do not fall everywhere as a change grows: what the verdict
    on the change itself was tells on which side of it to look.
    """
    shares, rows = reference / reference.sum(), window.sum()
    change = window / rows - shares
    low, high = 0.0, 1.0
    if not drift:
        falls = change < 0
        low, high = 1.0, float(np.min(shares[falls] / -change[falls], initial=np.inf))
        if not math.isfinite(high) or homogeneity_p_value(reference, _grown(shares, change, high, rows)) >= level:
            return math.inf
    for _ in range(_STEPS):
        middle = (low + high) / 2
        below = homogeneity_p_value(reference, _grown(shares, change, middle, rows)) < level
        low, high = (low, middle) if below else (middle, high)
    return high


def _grown(shares: Counts, change: Counts, multiple: float, rows: float) -> Counts:
    """The rows in each cell if the change of shares were so many times as large."""
    grown: Counts = rows * np.maximum(shares + multiple * change, 0.0)
    return grown


def _p_values(measurements: Sequence[Measurement], p_values: PValues) -> NDArray[np.float64]:
    """The p-values of all tests; KS of equal sample sizes in one call."""
    result = np.empty(len(measurements))
    groups: dict[tuple[int, int], list[int]] = {}
    for index, one in enumerate(measurements):
        if one.counts is None:
            groups.setdefault(one.rows, []).append(index)
        else:
            result[index] = homogeneity_p_value(*(one.every or one.counts))
    for (m, n), indices in groups.items():
        statistics = np.array([measurements[index].statistic for index in indices])
        result[indices] = p_values.p_values(m, n, statistics)
    return result


def _reachable(threshold: float) -> float:
    return threshold if threshold <= 1 else math.inf
