"""One Kolmogorov-Smirnov test for each column of two matrices."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import ks_2samp

from driftgauge.errors import ReferenceDataError

_AXES = 2


def check_drift(
    reference_data: ArrayLike, production_data: ArrayLike, threshold: float = 0.05
) -> dict[str, dict[str, float | bool]]:
    """Test each column of two matrices with `scipy.stats.ks_2samp`.

    The function tests each column by itself, with no correction for many columns: without any drift, d independent
    columns give at least one alarm with a chance of 1 - (1 - threshold)^d, 40 % for ten columns. It does not know
    categories or missing values, and promises nothing on streams, where the same test is repeated again and again.
    `check` corrects for many columns and knows categories and missing values; the running monitor has a false-alarm
    budget for streams.

    Args:
        reference_data: Shape `(m, d)`, numbers, m at least 1.
        production_data: Shape `(n, d)`, numbers, n at least 1.
        threshold: A column drifts if its p-value is below this.

    Returns:
        For each column, under the name `feature_0`, `feature_1`, ...: `statistic` (D, in [0, 1]), `p_value` (in
        [0, 1]) and `drift_detected`.

    Raises:
        ReferenceDataError: The data is not two matrices of numbers with the same number of columns.

    Source:
        L. Berton, "Monitoring ML Models in Kubernetes: A Practical Guide", 19 February 2026.

    Example:
        >>> check_drift([[1.0], [2.0], [3.0], [4.0]], [[5.0], [6.0], [7.0], [8.0]])["feature_0"]["drift_detected"]
        True
    """
    reference, production = _matrix(reference_data, "reference_data"), _matrix(production_data, "production_data")
    if reference.shape[1] != production.shape[1]:
        raise ReferenceDataError(
            f"production_data: it has {production.shape[1]} columns, reference_data has {reference.shape[1]}"
        )
    results: dict[str, dict[str, float | bool]] = {}
    for column in range(reference.shape[1]):
        statistic, p_value = ks_2samp(reference[:, column], production[:, column])
        results[f"feature_{column}"] = {
            "statistic": float(statistic),
            "p_value": float(p_value),
            "drift_detected": bool(p_value < threshold),
        }
    return results


def _matrix(data: ArrayLike, name: str) -> "np.ndarray[Any, np.dtype[Any]]":
    """The data as an array of two axes with at least one row, in its own dtype."""
    try:
        matrix = np.asanyarray(data)  # a masked array keeps its mask, which `ks_2samp` heeds
    except ValueError as error:
        raise ReferenceDataError(f"{name}: it is not a matrix: {error}") from error
    if matrix.ndim != _AXES:
        raise ReferenceDataError(f"{name}: it has shape {matrix.shape}, a matrix (rows, columns) is needed")
    if matrix.dtype.kind not in "biuf":
        raise ReferenceDataError(f"{name}: it holds {matrix.dtype}, not numbers")
    if matrix.shape[0] == 0:
        raise ReferenceDataError(f"{name}: there are no rows")
    return matrix
