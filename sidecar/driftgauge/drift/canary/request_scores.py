"""Scores of requests: numbers that differ between two revisions if what they respond with differs.

A score is computed from all requests of a stratum together, without regard to the revision: ranks, and the most
frequent categories. Scores have mean 0 and a variance of about 1, so that a tilt is about a shift in standard
deviations.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.detector.request_correlation import row_weights
from driftgauge.drift.profile import FeatureKind

Floats = NDArray[np.float64]

CATEGORIES: Final = 12
"""Categories of a column that have a score; all others have none."""

_NUMBER_SCORES: Final = 2
"""Scores of a column of numbers: location and scale."""

_GREATEST: Final = 5.0
"""The greatest score of a rare value: a share of 4 % and less has no variance of 1."""

_PRIOR_REQUESTS: Final = 2
"""The correlation of rows is drawn to 1 as by so many requests of equal rows."""


def score_count(kind: FeatureKind) -> int:
    """How many scores a column has, the last of which is that of missing values; 0 if it is not tested."""
    if kind is FeatureKind.IGNORED:
        return 0
    return 1 + (CATEGORIES if kind is FeatureKind.CATEGORICAL else _NUMBER_SCORES)


def column_scores(values: Floats, kind: FeatureKind, categories: list[float]) -> Floats:
    """The scores of a column's values.

    Args:
        values: Shape `(n,)`; NaN is missing. The rows of both revisions.
        kind: Numbers or categories.
        categories: The categories that have a score, in order; new ones are added, the most frequent first.

    Returns:
        Shape `(n, score_count(kind))`. Of numbers: location, scale, missing.
    """
    found = np.zeros((values.size, score_count(kind)))
    if kind is FeatureKind.IGNORED:
        return found
    missing = np.isnan(values)
    found[:, -1] = share_scores(missing)
    if kind is FeatureKind.CATEGORICAL:
        codes, counts = np.unique(values[~missing], return_counts=True)
        ordered = codes[np.argsort(-counts, kind="stable")].tolist()
        categories += [one for one in ordered if one not in categories][: CATEGORIES - len(categories)]
        for place, code in enumerate(categories):
            found[:, place] = share_scores(values == code)
    elif not missing.all():
        ranks = mid_ranks(values[~missing])
        found[~missing, 0] = np.sqrt(3) * (2 * ranks - 1)
        found[~missing, 1] = np.sqrt(5) * (6 * ranks**2 - 6 * ranks + 1)
    return found


def mid_ranks(values: Floats) -> Floats:
    """The share of values below each one, and half of those equal to it: shape `(n,)`, in (0, 1)."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = ((np.cumsum(counts) - counts / 2) / max(values.size, 1))[places]
    return ranks


def share_scores(chosen: NDArray[np.bool_]) -> Floats:
    """Whether a row is one of the chosen ones, with mean 0 and a variance of at most 1: shape `(n,)`."""
    share = float(chosen.mean()) if chosen.size else 0.0
    deviation = np.sqrt(share * (1 - share))
    if not deviation:
        return np.zeros(chosen.size)
    scores: Floats = (chosen - share) * min(1 / deviation, _GREATEST)
    return scores


def sum_requests(scores: Floats, requests: NDArray[np.int64]) -> Floats:
    """The scores of requests: the sum of the rows of each, weighted by how much rows of one request resemble another.

    Args:
        scores: Shape `(n, k)`, of mean 0 over all rows.
        requests: Shape `(n,)`: the index of each row's request, from 0, ascending, each used.

    Returns:
        Shape `(r, k)`. Rows that are all equal in a request count as one, independent ones as so many.
    """
    lengths = np.bincount(requests)
    if lengths.max(initial=1) == 1:
        return scores
    starts = np.cumsum(lengths) - lengths
    totals = np.add.reduceat(scores, starts)
    squares = np.add.reduceat(scores**2, starts)
    several = lengths > 1
    rows = lengths[several, np.newaxis]
    products = ((totals[several] ** 2 - squares[several]) / (rows * (rows - 1))).mean(axis=0)
    power = (squares[several] / rows).mean(axis=0)
    correlation = np.clip(products / np.where(power > 0, power, 1.0), 0.0, 1.0)
    number = int(several.sum())
    bound = (number * correlation + _PRIOR_REQUESTS) / (number + _PRIOR_REQUESTS)
    sums: Floats = totals * row_weights(lengths, bound[np.newaxis])
    return sums


def table_scores(kinds: Sequence[FeatureKind], rows: Floats, categories: Sequence[list[float]]) -> Floats:
    """The scores of all columns of rows: shape `(n, k)`, k the sum of their `score_count`.

    Args:
        kinds: The kind of each column.
        rows: Shape `(n, d)`.
        categories: The categories of each column that have a score; new ones are added.
    """
    parts = [
        column_scores(rows[:, place], kind, known)
        for place, (kind, known) in enumerate(zip(kinds, categories, strict=True))
    ]
    return np.hstack(parts) if parts else np.zeros((len(rows), 0))


def error_scores(rows: Floats, _: Sequence[list[float]]) -> Floats:
    """The scores of whether predictions are wrong, so that a tilt is the log of the odds ratio: shape `(n, 1)`.

    Args:
        rows: Shape `(n, 1)`: 0 or 1.
    """
    scores: Floats = rows - rows.mean(axis=0)
    return scores


def rank_scores(rows: Floats, _: Sequence[list[float]]) -> Floats:
    """The scores of absolute errors, by their ranks: shape `(n, 1)`.

    Args:
        rows: Shape `(n, 1)`, finite.
    """
    scores: Floats = np.sqrt(3) * (2 * mid_ranks(rows[:, 0]) - 1)[:, np.newaxis]
    return scores
