"""Windows of fixed size, one feature at a time: the best that each could do, and what each does with our promise."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2_contingency

from benchmarks.statistics.cases import FEATURES, Case
from benchmarks.statistics.engine import ALPHA, DEFAULT, LOOK_ROWS
from driftgauge.drift.budget import Budget
from driftgauge.drift.measure import Sample
from driftgauge.drift.profile import FeatureKind, Profile
from driftgauge.drift.rule import Rule, judge
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.ks import ks_statistic
from driftgauge.drift.statistics.p_value import PValues

Floats = NDArray[np.float64]

Alarm = Callable[[Floats], bool]
"""Whether a window of the changing column alarms."""

SIZES = (250, 500, 1_000, 2_000, 4_000)

LEVEL = DEFAULT.evaluation_seconds / DEFAULT.false_alarm_seconds / FEATURES
"""One false alarm in thirty days of looks, over all features: the window has the whole budget."""


def threshold(m: int, n: int) -> float:
    """Smirnov's asymptotic threshold of D at `LEVEL`.

    Source:
        N. V. Smirnov, "Table for Estimating the Goodness of Fit of Empirical Distributions", Annals of Mathematical
        Statistics 19(2), 1948: the first term of its series.
    """
    return math.sqrt(math.log(2 / LEVEL) / 2) * math.sqrt((n + m) / (n * m))


def plain(case: Case, reference: Floats) -> Alarm:
    """A test at `LEVEL` at each look, without tolerance, and as if the reference were the truth.

    Args:
        case: What changes.
        reference: The column's reference, shape `(m,)`; NaN is a missing value.
    """
    if case.missing:
        expected = _present(reference)
        return lambda window: _differ(expected, _present(window))
    if case.kind is FeatureKind.CATEGORICAL:
        codes = np.unique(reference).size
        known = np.bincount(reference.astype(np.intp), minlength=codes)
        return lambda window: _differ(known, np.bincount(window.astype(np.intp), minlength=codes))
    ordered = np.sort(reference)
    return lambda window: ks_statistic(ordered, window) > threshold(ordered.size, window.size)


def promised(profile: Profile, budget: Budget) -> Alarm:
    """The program's own thresholds for such a window, tolerance and the reference's error included."""
    rule, p_values = Rule(ALPHA, Correction.HOLM, 1, budget), PValues()

    def alarms(window: Floats) -> bool:
        present = np.sort(window[~np.isnan(window)])
        measurements = Sample(profile, present, window.size - present.size).measure(1)
        tests = judge(measurements, FEATURES, rule, p_values)
        return any(test.drift for test in tests)

    return alarms


def waits(alarm: Alarm, stream: Floats, change: int) -> Sequence[float]:
    """Rows from the change to the alarm, for each size; infinity if the stream ends first.

    Args:
        alarm: The rule.
        stream: The column, shape `(n,)`; it has at least the longest window before the change.
        change: Rows before the change.
    """
    return [_wait(alarm, stream, change, size) for size in SIZES]


def _wait(alarm: Alarm, stream: Floats, change: int, size: int) -> float:
    first = change - change % LOOK_ROWS + LOOK_ROWS
    ends = range(first, stream.size + 1, LOOK_ROWS)
    return next((float(end - change) for end in ends if alarm(stream[end - size : end])), math.inf)


def _present(values: Floats) -> NDArray[np.int64]:
    """The number of values, and of missing ones."""
    lacking = np.count_nonzero(np.isnan(values))
    return np.array([values.size - lacking, lacking])


def _differ(reference: NDArray[np.int64], window: NDArray[np.int64]) -> bool:
    """Whether Pearson's test of homogeneity is below the level."""
    counts = np.stack([reference, window])
    if np.count_nonzero(counts.sum(axis=0)) < 2:  # noqa: PLR2004 nothing to compare
        return False
    return bool(chi2_contingency(counts[:, counts.sum(axis=0) > 0], correction=False).pvalue < LEVEL)
