"""Changes: the distribution of a column before and after."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind

Floats = NDArray[np.float64]
Column = Callable[[np.random.Generator, int], Floats]

BEFORE_SHARES = (0.4, 0.3, 0.15, 0.1, 0.05)

FEATURES = 10
"""One of ten features changes; the nine others are normal and do not."""


@dataclass(frozen=True, slots=True)
class Case:
    """A column that changes.

    Args:
        before: Draws values as before the change, and as in the reference.
        after: Draws values as after the change.
        kind: The column's kind.
        missing: Whether the share of missing values is what changes.
    """

    before: Column
    after: Column
    kind: FeatureKind = FeatureKind.NUMERIC
    missing: bool = False


def normal(mean: float, deviation: float, rng: np.random.Generator, rows: int) -> Floats:
    """Normal values."""
    return mean + deviation * rng.standard_normal(rows)


def category(shares: tuple[float, ...], rng: np.random.Generator, rows: int) -> Floats:
    """Codes of categories."""
    return rng.choice(len(shares), rows, p=shares).astype(np.float64)


def missing(share: float, rng: np.random.Generator, rows: int) -> Floats:
    """Normal values of which some are missing."""
    return np.where(rng.random(rows) < share, np.nan, rng.standard_normal(rows))


def _moved(mean: float = 0.0, deviation: float = 1.0) -> Case:
    return Case(partial(normal, 0.0, 1.0), partial(normal, mean, deviation))


def _shares(gain: float) -> Case:
    """The second rarest category gains what the most frequent one loses."""
    after = (BEFORE_SHARES[0] - gain, *BEFORE_SHARES[1:3], BEFORE_SHARES[3] + gain, BEFORE_SHARES[4])
    return Case(partial(category, BEFORE_SHARES), partial(category, after), FeatureKind.CATEGORICAL)


def _missing(share: float) -> Case:
    return Case(partial(missing, 0.02), partial(missing, share), missing=True)


CASES = {
    "mean + 0.1 s": _moved(0.1),
    "mean + 0.15 s": _moved(0.15),
    "mean + 0.25 s": _moved(0.25),
    "mean + 0.5 s": _moved(0.5),
    "mean + 1 s": _moved(1.0),
    "scale x 1.25": _moved(deviation=1.25),
    "scale x 1.5": _moved(deviation=1.5),
    "scale x 2": _moved(deviation=2.0),
    "category 10 % to 20 %": _shares(0.1),
    "category 10 % to 30 %": _shares(0.2),
    "missing 2 % to 10 %": _missing(0.1),
    "missing 2 % to 20 %": _missing(0.2),
}
"""The changes by their names in the tables; s is the standard deviation."""


def kinds_of(case: Case) -> list[FeatureKind]:
    """The kinds of all features, the changing one first."""
    return [case.kind, *[FeatureKind.NUMERIC] * (FEATURES - 1)]


def rows_of(column: Column, rng: np.random.Generator, rows: int) -> Floats:
    """Rows whose first column is drawn from `column`: shape `(rows, FEATURES)`."""
    return np.column_stack([column(rng, rows), rng.standard_normal((rows, FEATURES - 1))])


def stream_of(case: Case, rng: np.random.Generator, before: int, after: int) -> Floats:
    """Rows before the change, then rows after it: shape `(before + after, FEATURES)`."""
    return np.vstack([rows_of(case.before, rng, before), rows_of(case.after, rng, after)])
