"""Confidence intervals of the rate of rare events, and quantiles of waiting times."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

CONFIDENCE = 0.95


def garwood(count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact two-sided confidence interval of a Poisson mean.

    Args:
        count: Events that were counted, at least 0.
        confidence: In (0, 1).

    Source:
        F. Garwood, "Fiducial Limits for the Poisson Distribution", Biometrika 28(3/4), 1936.
    """
    tail = (1 - confidence) / 2
    low = float(chi2.ppf(tail, 2 * count)) / 2 if count else 0.0
    return low, float(chi2.ppf(1 - tail, 2 * count + 2)) / 2


@dataclass(frozen=True, slots=True)
class Apart:
    """The mean distance between events.

    Args:
        exposure: Looks, or rows, in which events were counted.
        count: The number of events.
    """

    exposure: float
    count: int

    def __str__(self) -> str:
        """The mean distance and its confidence interval; a lower bound if there were no events."""
        low, high = garwood(self.count)
        nearest, farthest = self.exposure / high, self.exposure / low if low else math.inf
        if not self.count:
            return f"over {_round(nearest)}"
        return f"{_round(self.exposure / self.count)} ({_round(nearest)} to {_round(farthest)})"


def median_and_p90(values: Sequence[float], cap: float) -> str:
    """The median and the 90th percentile of waiting times; those cut off at the cap are infinite."""
    median, p90 = (float(np.quantile(values, level, method="higher")) for level in (0.5, 0.9))
    return f"{waited(median, cap)} ({waited(p90, cap)})"


def median(values: Sequence[float]) -> float:
    """The median of waiting times, the higher of two in the middle."""
    return float(np.quantile(values, 0.5, method="higher"))


def waited(value: float, cap: float) -> str:
    """A waiting time as the tables show it."""
    return f"{value:,.0f}" if math.isfinite(value) else f"over {cap:,.0f}"


def _round(value: float) -> str:
    """A number with three significant digits, more than the precision of such counts."""
    digits = max(0, len(str(int(value))) - 3)
    return f"{round(value, -digits):,.0f}"
