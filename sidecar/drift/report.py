"""One window against one reference: the test of every feature, and the verdict on the model.

This room is pure: numpy in, values out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.drift.correction import Correction, bars
from sidecar.drift.ks import sorted_ks_statistic
from sidecar.drift.p_value import PValues
from sidecar.drift.quantiles import deciles


@dataclass(frozen=True, slots=True)
class Rule:
    """When a window is tested, and when a feature counts as drifted.

    Args:
        alpha: Significance level in (0, 1); a feature drifts if its p-value is below its share of it.
        correction: How alpha is shared over the features that are tested.
        min_rows: Fewest rows of a window, and fewest values of a feature, that are tested; at least 1.
    """

    alpha: float
    correction: Correction
    min_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureDrift:
    """What the test said of one feature.

    Args:
        feature: The reference's column name.
        test: Name of the statistical test.
        statistic: KS distance D, in [0, 1].
        p_value: Two-sided asymptotic p-value, in [0, 1].
        threshold: The smallest D that would have alarmed, in [0, 1], the other features being what they
            are; infinity where no D could (few rows, small alpha).
        drift: The null hypothesis was rejected after correction: `p_value` is below the feature's bar.
        rows: Values that were tested.
        missing: Values that were missing and left out.
        window_quantiles: The deciles of the values that were tested, ascending, in the feature's own unit.
        reference_quantiles: Those of the reference.
    """

    feature: str
    test: str = "ks"
    statistic: float
    p_value: float
    threshold: float
    drift: bool
    rows: int
    missing: int
    window_quantiles: tuple[float, ...]
    reference_quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What the tests said of one window.

    Args:
        features: The features that were tested, in the reference's order.
        untested: The features with fewer values than the rule asks for, in the reference's order.
        rows: Rows of the window, missing values included.
        drift: Some feature drifted; `None` if no feature was tested.
        drifted_features: How many drifted; `None` if no feature was tested.
    """

    features: tuple[FeatureDrift, ...]
    untested: tuple[str, ...]
    rows: int
    drift: bool | None
    drifted_features: int | None


def evaluate(
    columns: Sequence[str],
    reference_columns: Sequence[NDArray[np.float64]],
    window: NDArray[np.float64],
    rule: Rule,
    p_values: PValues,
) -> DriftReport:
    """Test every feature of a window against the reference.

    Args:
        columns: Names of the `d` features.
        reference_columns: One array per feature, sorted ascending, finite, float64, at least one value.
        window: Shape `(n, d)`, float64; NaN is a missing value, anything else is finite.
        rule: Level, correction and least rows.
        p_values: Turns statistics into p-values; used by one thread at a time.

    Returns:
        The report. Under `rule.min_rows` rows no feature is tested.

    Raises:
        ValueError: The window is not as wide as the reference, or holds an infinity (the caller's fault).

    Notes:
        Rows are assumed independent, within the window and of the reference. Correlated rows
        (time series, many rows of one request) alarm more often than alpha says.
    """
    _require_fit(columns, reference_columns, window)
    sorted_window = np.sort(window.T, axis=1)
    values = window.shape[0] - np.count_nonzero(np.isnan(sorted_window), axis=1)
    samples = [
        _Sample(name, reference, column[:count])
        for name, reference, column, count in zip(columns, reference_columns, sorted_window, values, strict=True)
    ]
    rows = window.shape[0]
    least = max(1, rule.min_rows)
    tested = [sample for sample in samples if sample.window.size >= least]
    features = _test(tested, rows, rule, p_values)
    drifted = sum(feature.drift for feature in features)
    return DriftReport(
        features=features,
        untested=tuple(sample.feature for sample in samples if sample.window.size < least),
        rows=rows,
        drift=drifted > 0 if features else None,
        drifted_features=drifted if features else None,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """One feature's values of both sides, sorted and without what is missing."""

    feature: str
    reference: NDArray[np.float64]
    window: NDArray[np.float64]

    @property
    def sizes(self) -> tuple[int, int]:
        """Values of the reference and of the window."""
        return self.reference.size, self.window.size


def _require_fit(
    columns: Sequence[str], reference_columns: Sequence[NDArray[np.float64]], window: NDArray[np.float64]
) -> None:
    """Refuse what a caller must not give."""
    width = window.shape[1]
    if not len(columns) == len(reference_columns) == width:
        raise ValueError(
            f"the window is {width} columns wide, for {len(columns)} names and {len(reference_columns)} references"
        )
    if np.isinf(window).any():
        raise ValueError("the window holds an infinity: only finite values are tested, NaN is a missing one")


def _test(samples: Sequence[_Sample], rows: int, rule: Rule, p_values: PValues) -> tuple[FeatureDrift, ...]:
    """The test of the features that have values enough, corrected over these alone."""
    statistics = np.array([sorted_ks_statistic(sample.reference, sample.window) for sample in samples])
    found = _p_values_by_size([sample.sizes for sample in samples], statistics, p_values)
    levels = bars(found, rule.alpha, rule.correction)
    return tuple(
        FeatureDrift(
            feature=sample.feature,
            statistic=float(statistic),
            p_value=float(p_value),
            threshold=p_values.critical_statistic(*sample.sizes, float(level)),
            drift=bool(p_value < level),
            rows=sample.window.size,
            missing=rows - sample.window.size,
            window_quantiles=deciles(sample.window),
            reference_quantiles=deciles(sample.reference),
        )
        for sample, statistic, p_value, level in zip(samples, statistics, found, levels, strict=True)
    )


def _p_values_by_size(
    sizes: Sequence[tuple[int, int]], statistics: NDArray[np.float64], p_values: PValues
) -> NDArray[np.float64]:
    """The p-values of all features, those of equal sample sizes in one call."""
    result = np.empty(len(sizes))
    groups: dict[tuple[int, int], list[int]] = {}
    for index, pair in enumerate(sizes):
        groups.setdefault(pair, []).append(index)
    for (m, n), indices in groups.items():
        result[indices] = p_values.p_values(m, n, statistics[indices])
    return result
