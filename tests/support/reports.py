"""Reports on windows of wine, written by hand."""

import math
from dataclasses import replace

from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.result import (
    Bin,
    CannotTellReason,
    Change,
    DriftReport,
    DriftTest,
    DriftTestResult,
    Effects,
    FeatureDrift,
    Untested,
)

DECILES = tuple(float(n) for n in range(11))
TENFOLD = tuple(10 * value for value in DECILES)

_MISSING = DriftTestResult(test=DriftTest.MISSING, statistic=0.1, p_value=0.02, threshold=0.2, drift=False)
_EVIDENCE = DriftTestResult(test=DriftTest.SEQUENTIAL, statistic=9.5, p_value=None, threshold=7.0, drift=True)


def few(feature: str, explanation: str = "the window has 7 rows, 50 are needed") -> Untested:
    """A feature with too few values."""
    return Untested(feature=feature, reason=CannotTellReason.FEW_ROWS, explanation=explanation)


NO_COLOUR = Untested(
    feature="colour",
    reason=CannotTellReason.REFERENCE_SMALL,
    explanation="the reference has 8 values, too few for any window to alarm",
)
"""The category below has no verdict."""

ALCOHOL = FeatureDrift(
    feature="alcohol",
    kind=FeatureKind.NUMERIC,
    tests=(
        DriftTestResult(test=DriftTest.KS, statistic=0.5, p_value=0.001, threshold=0.25, drift=True),
        _MISSING,
        _EVIDENCE,
    ),
    rows=90,
    missing=10,
    outside=3,
    effective_rows=30.0,
    detectable=0.375,
    effects=Effects(psi=0.75, jensen_shannon=0.5, wasserstein=1.25),
    histogram=(
        Bin(label="below", upper=0.0, reference=0.0, window=0.25),
        Bin(label="0", upper=5.0, reference=1.0, window=0.625),
        Bin(label="missing", upper=None, reference=0.0, window=0.125),
    ),
    window_quantiles=DECILES,
    reference_quantiles=TENFOLD,
    change=Change.DRIFT,
    reading="alcohol has moved.",
    since=900.0,
)
"""A numeric feature that drifts by every test except that of missing values."""

COLOUR = FeatureDrift(
    feature="colour",
    kind=FeatureKind.CATEGORICAL,
    tests=(DriftTestResult(test=DriftTest.TV, statistic=0.1, p_value=0.4, threshold=math.inf, drift=False),),
    rows=100,
    missing=0,
    outside=0,
    effective_rows=100.0,
    detectable=math.inf,
    effects=Effects(psi=0.0, jensen_shannon=0.0, wasserstein=None),
    histogram=(
        Bin(label="red", upper=None, reference=0.75, window=0.5),
        Bin(label="unseen", upper=None, reference=0.25, window=0.5),
    ),
    window_quantiles=(),
    reference_quantiles=(),
    change=Change.NONE,
    reading="Cannot tell: the reference has 8 values, too few for any window to alarm.",
    untested=NO_COLOUR,
)
"""A categorical feature whose reference is too small for any alarm."""

FOUND = DriftReport(
    features=(ALCOHOL, COLOUR),
    untested=(NO_COLOUR, few("sulphates", "the window has 3 values, 50 are needed")),
    ignored=("bottled", "barrel"),
    rows=100,
    drift=True,
    drifted_features=1,
    reading="1 of 2 features has drifted.",
)

TOO_FEW = DriftReport(
    features=(),
    untested=(few("alcohol"), few("colour")),
    ignored=(),
    rows=7,
    drift=None,
    drifted_features=None,
    reading="7 rows are too few.",
)


def moved(name: str, statistic: float, threshold: float, *, drift: bool = False) -> FeatureDrift:
    """Alcohol with another name, and with a single test of this statistic and threshold."""
    distance = DriftTestResult(test=DriftTest.KS, statistic=statistic, p_value=0.5, threshold=threshold, drift=drift)
    return replace(ALCOHOL, feature=name, tests=(distance,))


def report_of(*features: FeatureDrift) -> DriftReport:
    """A report on these features."""
    drifted = sum(bool(feature.drift) for feature in features)
    return replace(FOUND, features=features, untested=(), ignored=(), drift=drifted > 0, drifted_features=drifted)
