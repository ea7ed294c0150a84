"""95 % intervals of the metrics of outcomes, for rows that may depend on each other. They decide nothing."""

import math
from collections.abc import Callable, Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.outcomes.outcome_columns import Floats

Z = 1.959963984540054
"""The 97.5 % point of the normal distribution."""

DRAWS = 200
"""Bootstrap draws of an interval."""

_SEED = 14
"""Equal for all intervals: the interval of the same rows is the same at each evaluation and in each replica."""

_LEAST_DEFINED = 0.5
"""Share of draws in which a metric must be defined, or it has no interval."""

Interval = tuple[float, float]


def effective_rows(rows: int, weights: Floats | None = None, factor: float = 1.0) -> float:
    """How many independent rows the plain mean of some rows is worth.

    Args:
        rows: How many there are.
        weights: Shape `(rows,)`, in (0, 1]: the weight of each row as `request_correlation.row_weights` gives it, which
            is 1 / (1 + (k - 1) rho) in a request of k rows; `None` if all are 1.
        factor: Rows / effective rows of requests that depend on each other, at least 1.

    Returns:
        In [0, rows].

    Notes:
        The sum of k rows of one request has the variance k (1 + (k - 1) rho), the sum of 1 / weight over them. So the
        variance of the mean of n rows is that of n^2 / sum(1 / weight) independent ones.
    """
    if rows == 0:
        return 0.0
    worth = float(rows) if weights is None else rows**2 / float(np.sum(1.0 / weights))
    return min(worth, float(rows)) / factor


def wilson_interval(share: float, rows: float) -> Interval:
    """Wilson's score interval of a share.

    Args:
        share: In [0, 1].
        rows: Effective rows, above 0.

    Source:
        E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927.
    """
    spread = Z**2 / rows
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    lower = 0.0 if share == 0.0 else max(0.0, middle - half)
    return lower, 1.0 if share == 1.0 else min(1.0, middle + half)


def mean_interval(values: Floats, rows: float) -> Interval | None:
    """The normal interval of a mean: mean +- 1.96 s / sqrt(rows).

    Args:
        values: Shape `(n,)`.
        rows: Effective rows, above 0.

    Returns:
        `None` for fewer than two values, whose spread is unknown.
    """
    if values.size < 2:  # noqa: PLR2004 - a spread needs two values
        return None
    mean, half = float(values.mean()), Z * float(values.std(ddof=1)) / math.sqrt(rows)
    return mean - half, mean + half


def bootstrap_intervals(
    metrics: Callable[[Floats], Mapping[str, float]],
    rows: int,
    requests: NDArray[np.int64] | None = None,
    draws: int = DRAWS,
    biased: Collection[str] = (),
) -> dict[str, Interval]:
    """Percentile intervals of metrics over draws of whole requests with replacement.

    Args:
        metrics: Computes the metrics of the rows, given how often each one was drawn, shape `(rows,)`; NaN where one is
            not defined.
        rows: How many rows there are.
        requests: Shape `(rows,)`, ascending: equal for rows of one request; `None` if each row is one.
        draws: How many draws; with 0 there are no intervals.
        biased: Metrics that are larger in draws than in the rows themselves, such as a sum of absolute values.

    Returns:
        The interval of each metric that is defined in at least half of the draws: the middle 95 % of the draws, or of
        those in `biased` the value of the rows themselves +- 1.96 standard deviations of the draws, at least 0.

    Source:
        B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13; A. C. Davison, D. V. Hinkley,
        "Bootstrap Methods and their Application", 1997, section 3.8, on drawing clusters as a whole.
    """
    if draws == 0 or rows == 0:
        return {}
    places = np.arange(rows) if requests is None else np.cumsum(np.diff(requests, prepend=requests[:1]) != 0)
    count = int(places[-1]) + 1
    generator = np.random.default_rng(_SEED)
    found: dict[str, list[float]] = {}
    for _ in range(draws):
        times = np.bincount(generator.integers(count, size=count), minlength=count).astype(np.float64)
        for name, value in metrics(times[places]).items():
            if not math.isnan(value):
                found.setdefault(name, []).append(value)
    kept = {name: values for name, values in found.items() if len(values) >= _LEAST_DEFINED * draws}
    own = metrics(np.ones(rows)) if kept.keys() & set(biased) else {}
    return {
        name: _around(own[name], each) if name in own and name in biased else _middle(each)
        for name, each in kept.items()
    }


def _around(value: float, values: list[float]) -> Interval:
    """A value +- 1.96 standard deviations of some values, at least 0."""
    half = Z * float(np.std(values))
    return max(0.0, value - half), value + half


def _middle(values: list[float]) -> Interval:
    """The range of the middle 95 % of some values."""
    lower, upper = np.percentile(values, (2.5, 97.5))
    return float(lower), float(upper)
