"""Windows of three features, and their reports by p-values and by the budget."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.verdict import DetectorVerdict
from driftgauge.drift.profile import Profile, categorical_profile, numeric_profile
from driftgauge.drift.result import DriftReport, FeatureDrift
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.window_tester import evaluate

Floats = NDArray[np.float64]
COLUMNS = ("still", "shifted", "short")
HOLM = Rule(alpha=0.05, correction=Correction.HOLM, min_rows=50)
BUDGET = replace(HOLM, budget=Budget(false_alarm_seconds=30 * 86400, evaluation_seconds=60, tolerance=0.05))
COLOURS = {0.0: "red", 1.0: "white", 2.0: "rosé"}


def reference() -> tuple[Profile, ...]:
    """Three standard normal features of 1000, 900 and 800 values."""
    generator = np.random.default_rng(1)
    return tuple(
        numeric_profile(name, np.sort(generator.normal(size=size)))
        for name, size in zip(COLUMNS, (1000, 900, 800), strict=True)
    )


def window(rows: int = 300) -> Floats:
    """Two features, one as the reference, one shifted by a standard deviation; and one as short as the window."""
    return np.random.default_rng(4).normal([0.0, 1.0, 0.0], 1.0, size=(rows, 3))


def report(rows: Floats, rule: Rule = HOLM, detector: DetectorVerdict | None = None) -> DriftReport:
    """The report on a window."""
    return evaluate(reference(), rows, rule, PValues(), detector)


def only(profile: Profile, values: Floats, rule: Rule = HOLM) -> FeatureDrift:
    """The results of a single feature."""
    (feature,) = evaluate([profile], values.reshape(-1, 1), rule, PValues()).features
    return feature


def colours(red: int, white: int, pink: int = 0) -> Profile:
    """A column of categories."""
    return categorical_profile("colour", np.repeat([0.0, 1.0, 2.0], [red, white, pink]), COLOURS)
