"""A report as plain values for JSON, the same wherever a program reads it. This room is pure."""

import math
from typing import Any

from driftgauge.drift.result import DriftReport, DriftTestResult, FeatureDrift
from driftgauge.inference.names import printable

NOTHING = DriftReport(
    features=(), untested=(), ignored=(), rows=0, drift=None, drifted_features=None, reading="Not evaluated."
)
"""Stands for a report where there is none."""


def tree(report: DriftReport) -> dict[str, Any]:
    """A report for programs, features in the reference's order; a threshold that nothing could reach is null."""
    return {
        "rows": report.rows,
        "drift": report.drift,
        "drifted_features": report.drifted_features,
        "reading": printable(report.reading),
        "features": [_feature(feature) for feature in report.features],
        "untested": [printable(name) for name in report.untested],
        "ignored": [printable(name) for name in report.ignored],
    }


def _feature(feature: FeatureDrift) -> dict[str, Any]:
    """One feature; beside its name stands the windowed distance, and `drift` is the verdict of all its tests."""
    effects = feature.effects
    return {
        "feature": printable(feature.feature),
        "kind": str(feature.kind),
        **_test(feature.distance),
        "drift": feature.drift,
        "rows": feature.rows,
        "missing": feature.missing,
        "outside": feature.outside,
        "effective_rows": feature.effective_rows,
        "detectable": _finite(feature.detectable),
        "effects": {
            "psi": effects.psi,
            "jensen_shannon": effects.jensen_shannon,
            "wasserstein": effects.wasserstein,
        },
        "change": str(feature.change),
        "reading": printable(feature.reading),
        "since": feature.since,
        "tests": [_test(test) for test in feature.tests],
        "histogram": [
            {"bin": printable(one.label), "upper": one.upper, "reference": one.reference, "window": one.window}
            for one in feature.histogram
        ],
        "window_quantiles": list(feature.window_quantiles),
        "reference_quantiles": list(feature.reference_quantiles),
    }


def _test(test: DriftTestResult) -> dict[str, Any]:
    return {
        "test": str(test.test),
        "statistic": test.statistic,
        "p_value": test.p_value,
        "threshold": _finite(test.threshold),
        "drift": test.drift,
    }


def _finite(value: float) -> float | None:
    """JSON knows no infinity."""
    return value if math.isfinite(value) else None
