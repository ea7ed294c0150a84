"""Streams of rows without drift, and their references.

A stream is drawn as a whole, in the order of time. Its reference is a sample of independent rows with the distribution
of a single row of the stream, however its rows depend on each other.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import norm

from benchmarks.statistics.engine import TOLERANCE
from driftgauge.drift.profile import FeatureKind

Floats = NDArray[np.float64]
SampleSpec = Callable[[np.random.Generator, int, int], Floats]

TOLERANCE_SHIFT = 2 * float(norm.ppf((1 + TOLERANCE) / 2))
"""Standard deviations s by which a normal variable moves for a KS distance of the tolerance: 2 Phi(s / 2) - 1."""

CATEGORY_SHARES = np.array([0.3, 0.2, 0.15, 0.12, 0.1, 0.07, 0.04, 0.02])

MISSING = 0.05


@dataclass(frozen=True, slots=True)
class Stream:
    """The distribution of a stream's rows.

    Args:
        draw: Draws the stream: so many rows and features, in the order of time.
        single: Draws independent rows of the same distribution.
        kind: The kind of its features.
        request_rows: Rows of each request.
    """

    draw: SampleSpec
    single: SampleSpec
    kind: FeatureKind = FeatureKind.NUMERIC
    request_rows: int = 1

    def requests(self, rows: int) -> NDArray[np.int64]:
        """The request of each row: shape `(rows,)`, ascending."""
        return np.arange(rows, dtype=np.int64) // self.request_rows


def normal(rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Independent standard normal values."""
    return rng.standard_normal((rows, features))


def moved(rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Normal values, all shifted by as much as the default tolerance allows."""
    return normal(rng, rows, features) + TOLERANCE_SHIFT


def cauchy(rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Values without a mean."""
    return rng.standard_cauchy((rows, features))


def tied(rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Normal values rounded to halves: about fifteen different ones."""
    return np.round(2 * normal(rng, rows, features)) / 2


def counts(rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Poisson counts of mean 3."""
    return rng.poisson(3.0, (rows, features)).astype(np.float64)


def categories(rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Codes of eight categories, the rarest with a share of 0.02."""
    return rng.choice(CATEGORY_SHARES.size, (rows, features), p=CATEGORY_SHARES).astype(np.float64)


def gaps(rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Normal values of which one in twenty is missing."""
    return np.where(rng.random((rows, features)) < MISSING, np.nan, normal(rng, rows, features))


def autoregressive(correlation: float, rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Standard normal values, each correlated with the one before: x <- r x + sqrt(1 - r^2) e."""
    noise = math.sqrt(1 - correlation**2) * normal(rng, rows, features)
    noise[:1] = normal(rng, 1, features)
    return lfilter([1.0], [1.0, -correlation], noise, axis=0)


def batched(request_rows: int, correlation: float, rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Standard normal values; any two of one request have the same correlation, those of different requests none."""
    shared = np.repeat(normal(rng, -(-rows // request_rows), features), request_rows, axis=0)[:rows]
    return math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * normal(rng, rows, features)


def daily(day_rows: int, rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Values that rise and fall with the hour, by as much as their noise; a day has `day_rows` rows."""
    hours = 2 * math.pi * (np.arange(rows)[:, np.newaxis] / day_rows + rng.random())
    return np.sin(hours) + math.sqrt(0.5) * normal(rng, rows, features)


def any_hour(rng: np.random.Generator, rows: int, features: int) -> Floats:
    """Rows as in `daily`, each at an independent hour."""
    hours = 2 * math.pi * rng.random((rows, 1))
    return np.sin(hours) + math.sqrt(0.5) * normal(rng, rows, features)


def _independent(draw: SampleSpec, kind: FeatureKind = FeatureKind.NUMERIC) -> Stream:
    return Stream(draw, draw, kind)


STREAMS = {
    "normal": _independent(normal),
    "normal, moved by the tolerance": Stream(moved, normal),
    "Cauchy": _independent(cauchy),
    "tied (normal, to halves)": _independent(tied),
    "integers (Poisson 3)": _independent(counts),
    "eight categories": _independent(categories, FeatureKind.CATEGORICAL),
    "5 % missing": _independent(gaps),
    "AR(1), 0.3": Stream(partial(autoregressive, 0.3), normal),
    "AR(1), 0.6": Stream(partial(autoregressive, 0.6), normal),
    "AR(1), 0.9": Stream(partial(autoregressive, 0.9), normal),
    "requests of 8 rows, 0.5": Stream(partial(batched, 8, 0.5), normal, request_rows=8),
    "requests of 32 rows, 0.5": Stream(partial(batched, 32, 0.5), normal, request_rows=32),
    "daily, 500 rows a day": Stream(partial(daily, 500), any_hour),
    "daily, 20,000 rows a day": Stream(partial(daily, 20_000), any_hour),
}
"""The streams by their names in the tables."""
