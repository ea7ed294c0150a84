"""How severe the drift of features is, and the order of features that follows from it."""

import math
from collections.abc import Sequence

from driftgauge.drift.result import DriftTest, DriftTestResult, FeatureDrift


def severity(feature: FeatureDrift) -> float:
    """How far a feature lies from its reference, in units of what alarms.

    Args:
        feature: A tested feature.

    Returns:
        The largest of statistic / threshold over its windowed tests, missing values included, at least 0. From 1 on (by
        budget above 1) a windowed test alarms. Infinite if a threshold is 0 and its statistic is not; 0 if no statistic
        could alarm. The detector does not count: its evidence is no distance.
    """
    return max(map(_severity_of, _windowed(feature)), default=0.0)


def most_severe_test(feature: FeatureDrift) -> DriftTestResult:
    """The windowed test that `severity` is about; among equals the one with the larger statistic."""
    return max(_windowed(feature), key=lambda test: (_severity_of(test), test.statistic))


def most_drifted(features: Sequence[FeatureDrift]) -> tuple[FeatureDrift, ...]:
    """The tested features of one window, the most severe first.

    Args:
        features: Of one report, in the reference's order.

    Returns:
        Those that alarm first; among equals by `severity`, then by the distance of their values, descending; then in
        the reference's order. The page, the metrics and the sentence on a window all follow this order.
    """
    return tuple(sorted(features, key=_order, reverse=True))


def _order(feature: FeatureDrift) -> tuple[bool, float, float]:
    return bool(feature.drift), severity(feature), feature.distance.statistic


def _windowed(feature: FeatureDrift) -> list[DriftTestResult]:
    return [test for test in feature.tests if test.test is not DriftTest.SEQUENTIAL]


def _severity_of(test: DriftTestResult) -> float:
    if test.statistic <= 0:
        return 0.0
    return test.statistic / test.threshold if test.threshold > 0 else math.inf
