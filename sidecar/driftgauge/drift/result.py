"""What the tests say of a window: values that the gauges, the JSON and the page are made of.

This room is pure: values only.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from driftgauge.drift.profile import FeatureKind


class DriftTest(StrEnum):
    """The tests, as they stand in the label `test`."""

    __test__ = False  # to pytest, a class whose name begins so is one of tests

    KS = "ks"
    TV = "tv"
    MISSING = "missing"
    SEQUENTIAL = "sequential"


class Change(StrEnum):
    """What kind of change a person should look for first."""

    NONE = "none"
    SCHEMA = "schema"
    SCALE = "scale"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftTestResult:
    """What one test said of one feature.

    Args:
        test: Which test.
        statistic: `ks`: D, in [0, 1]. `tv`: total variation, the largest gap between the shares of any set of
            categories, in [0, 1]. `missing`: the gap between the shares of missing values, in [0, 1].
            `sequential`: the evidence, log10 of seconds, at least 0.
        p_value: Two-sided asymptotic p-value, in [0, 1], as if rows were independent; `None` for `sequential`.
        threshold: The smallest statistic that would alarm; infinity where none could.
        drift: The test alarms.
    """

    __test__ = False

    test: DriftTest
    statistic: float
    p_value: float | None
    threshold: float
    drift: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """How large the difference is, whatever the sample size.

    Args:
        psi: Population stability index over the histogram's bins, at least 0, in nats.
        jensen_shannon: Jensen-Shannon distance over the same bins, base 2, in [0, 1].
        wasserstein: First Wasserstein distance in units of the reference's standard deviation, at least 0;
            `None` for categories, and where the reference is constant.
    """

    psi: float
    jensen_shannon: float
    wasserstein: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One bar of a feature's histogram.

    Args:
        label: `missing`, `unseen`, `below`, `above`, a category's text, `rare`, or the decile's number `0` to `9`.
        upper: The greatest value that lies in it, in the feature's own unit; `None` where bins have no order.
        reference: Its share of the reference's rows, in [0, 1].
        window: Its share of the window's rows, in [0, 1].
    """

    label: str
    upper: float | None
    reference: float
    window: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureDrift:
    """What the tests said of one feature.

    Args:
        feature: The reference's column name.
        kind: Numeric or categorical.
        tests: The windowed distance (`ks` or `tv`) first, then `missing`, then `sequential` where it runs.
        rows: Values that were tested.
        missing: Values that were missing.
        outside: Values that the reference does not have: unknown categories, numbers below or above all of its.
        effective_rows: How many independent rows the tested values are worth, in (0, rows].
        detectable: The smallest true distance that would alarm in nine windows of ten, such windows being full;
            infinity where none could.
        effects: Effect sizes.
        histogram: Bars over all rows, missing ones included; the shares of each side sum to 1.
        window_quantiles: Deciles of the tested values, ascending, in the feature's own unit; empty for categories.
        reference_quantiles: Those of the reference.
        change: What kind of change it is.
        reading: One sentence for a person, in which the change is told.
        since: When the feature's alarm began, seconds since the epoch; `None` without alarm, or where nobody knows.
    """

    feature: str
    kind: FeatureKind
    tests: tuple[DriftTestResult, ...]
    rows: int
    missing: int
    outside: int
    effective_rows: float
    detectable: float
    effects: Effects
    histogram: tuple[Bin, ...]
    window_quantiles: tuple[float, ...]
    reference_quantiles: tuple[float, ...]
    change: Change
    reading: str
    since: float | None = None

    @property
    def distance(self) -> DriftTestResult:
        """The windowed test of the values: `ks` or `tv`."""
        return self.tests[0]

    @property
    def drift(self) -> bool:
        """Whether any of the tests alarms."""
        return any(test.drift for test in self.tests)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """What the tests said of one window.

    Args:
        features: The features that were tested, in the reference's order.
        untested: Those with fewer values than the rule asks for, in the reference's order.
        ignored: Columns that are left out of every test (dates, identifiers), in the reference's order.
        rows: Rows of the window, missing values included.
        drift: Some feature drifted; `None` if no feature was tested.
        drifted_features: How many drifted; `None` if no feature was tested.
        reading: One sentence on the whole window.
    """

    features: tuple[FeatureDrift, ...]
    untested: tuple[str, ...]
    ignored: tuple[str, ...]
    rows: int
    drift: bool | None
    drifted_features: int | None
    reading: str


def severity(feature: FeatureDrift) -> float:
    """How far a feature lies from its reference, in units of what alarms.

    Args:
        feature: A tested feature.

    Returns:
        The largest of statistic / threshold over its windowed tests, missing values included, at least 0. Above 1 a
        windowed test alarms. Infinite where a threshold is 0 and its statistic is not; 0 where no statistic could
        alarm. The detector does not count: its evidence is no distance.
    """
    windowed = [test for test in feature.tests if test.test is not DriftTest.SEQUENTIAL and test.statistic > 0]
    return max((test.statistic / test.threshold if test.threshold > 0 else math.inf for test in windowed), default=0.0)


def most_drifted(report: DriftReport) -> tuple[FeatureDrift, ...]:
    """The tested features, the most severe first.

    Args:
        report: The report on one window.

    Returns:
        Those that alarm first; among equals by `severity`, then by the distance of their values, descending; then in
        the reference's order. The page and the metrics both show features in this order.
    """
    return tuple(
        sorted(report.features, key=lambda one: (one.drift, severity(one), one.distance.statistic), reverse=True)
    )
