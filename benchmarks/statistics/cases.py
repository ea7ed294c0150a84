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


def skewed(factor: float, rng: np.random.Generator, rows: int) -> Floats:
    """Lognormal values, times a factor."""
    return factor * np.exp(rng.standard_normal(rows))


def mixed(share: float, other: Column, rng: np.random.Generator, rows: int) -> Floats:
    """Standard normal values, of which a share is drawn otherwise."""
    return np.where(rng.random(rows) < share, other(rng, rows), rng.standard_normal(rows))


def constant(value: float, rng: np.random.Generator, rows: int) -> Floats:  # noqa: ARG001 - a column is drawn
    """The same value in all rows."""
    return np.full(rows, value)


def with_highest(new: Column, rng: np.random.Generator, rows: int) -> Floats:
    """Standard normal values, of which the highest 2 % of the distribution are drawn again."""
    values = rng.standard_normal(rows)
    return np.where(values > HIGHEST, new(rng, rows), values)


def higher(rng: np.random.Generator, rows: int) -> Floats:
    """Values 3 to 4 higher than the border of the highest 2 %."""
    return HIGHEST + rng.uniform(3.0, 4.0, rows)


def rounded(rng: np.random.Generator, rows: int) -> Floats:
    """Standard normal values without their decimals."""
    return np.rint(rng.standard_normal(rows))


def _moved(mean: float = 0.0, deviation: float = 1.0) -> Case:
    return Case(NORMAL, partial(normal, mean, deviation))


def _shares(gain: float) -> Case:
    """The second rarest category gains what the most frequent one loses."""
    after = (BEFORE_SHARES[0] - gain, *BEFORE_SHARES[1:3], BEFORE_SHARES[3] + gain, BEFORE_SHARES[4])
    return Case(partial(category, BEFORE_SHARES), partial(category, after), FeatureKind.CATEGORICAL)


def _new_category(share: float) -> Case:
    """A category that the reference does not have takes its share from all others."""
    after = (*(one * (1 - share) for one in BEFORE_SHARES), share)
    return Case(partial(category, BEFORE_SHARES), partial(category, after), FeatureKind.CATEGORICAL)


def _missing(before: float, after: float) -> Case:
    return Case(partial(missing, before), partial(missing, after), missing=True)


HIGHEST = 2.0537
"""The 98th percentile of the standard normal distribution."""

NORMAL = partial(normal, 0.0, 1.0)

CASES = {
    "mean + 0.1 s": _moved(0.1),
    "mean + 0.15 s": _moved(0.15),
    "mean + 0.25 s": _moved(0.25),
    "mean + 0.5 s": _moved(0.5),
    "mean + 1 s": _moved(1.0),
    "scale x 1.25": _moved(deviation=1.25),
    "scale x 1.5": _moved(deviation=1.5),
    "scale x 2": _moved(deviation=2.0),
    "highest 2 % become 1e6": Case(NORMAL, partial(with_highest, partial(constant, 1e6))),
    "highest 2 % 3 to 4 s higher": Case(NORMAL, partial(with_highest, higher)),
    "0.5 % become -999": Case(NORMAL, partial(mixed, 0.005, partial(constant, -999.0))),
    "10 % of rows + 3 s": Case(NORMAL, partial(mixed, 0.1, partial(normal, 3.0, 1.0))),
    "5 % of rows + 3 s": Case(NORMAL, partial(mixed, 0.05, partial(normal, 3.0, 1.0))),
    "new category 5 %": _new_category(0.05),
    "new category 1 %": _new_category(0.01),
    "category 10 % to 15 %": _shares(0.05),
    "category 10 % to 20 %": _shares(0.1),
    "category 10 % to 30 %": _shares(0.2),
    "missing 0 to 1 %": _missing(0.0, 0.01),
    "missing 0 to 2.5 %": _missing(0.0, 0.025),
    "missing 0 to 5 %": _missing(0.0, 0.05),
    "missing 2 % to 10 %": _missing(0.02, 0.1),
    "missing 2 % to 20 %": _missing(0.02, 0.2),
    "all missing": _missing(0.0, 1.0),
    "rounded to whole numbers": Case(NORMAL, rounded),
    "frozen at the median": Case(NORMAL, partial(constant, 0.0)),
    "unit x 1000 (skewed)": Case(partial(skewed, 1.0), partial(skewed, 1000.0)),
    "sign turned (skewed)": Case(partial(skewed, 1.0), partial(skewed, -1.0)),
}
"""The changes by their names in the tables; s is the standard deviation."""


WITHOUT_TOLERANCE = (
    *("mean + 0.15 s", "mean + 0.25 s", "mean + 0.5 s", "mean + 1 s", "scale x 1.25", "scale x 1.5", "scale x 2"),
    *("category 10 % to 20 %", "category 10 % to 30 %", "missing 2 % to 10 %", "missing 2 % to 20 %"),
)
"""The changes of the table without any tolerance."""


def kinds_of(case: Case) -> list[FeatureKind]:
    """The kinds of all features, the changing one first."""
    return [case.kind, *[FeatureKind.NUMERIC] * (FEATURES - 1)]


def rows_of(column: Column, rng: np.random.Generator, rows: int) -> Floats:
    """Rows whose first column is drawn from `column`: shape `(rows, FEATURES)`."""
    return np.column_stack([column(rng, rows), rng.standard_normal((rows, FEATURES - 1))])


def stream_of(case: Case, rng: np.random.Generator, before: int, after: int) -> Floats:
    """Rows before the change, then rows after it: shape `(before + after, FEATURES)`."""
    return np.vstack([rows_of(case.before, rng, before), rows_of(case.after, rng, after)])
