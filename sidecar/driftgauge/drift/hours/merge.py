"""Merges neighbouring hours whose shares are alike."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

HOURS_A_DAY = 24


def partitions(counts: Floats, fewest_rows: float) -> dict[int, Indices]:
    """Ways to merge the hours, by the number of buckets: each has the bucket of each hour, shape `(h,)`.

    Greedy: merges the pair of neighbours with the smallest chi-square, first of those with a bucket that has too few
    rows. Neighbours are the hours before and after, around midnight, and the same hour of working days and weekends.

    Args:
        counts: Shape `(h, k)`, h = 24 or 48: the rows of each hour and cell.
        fewest_rows: All buckets have so many rows, unless there is only one.
    """
    counts = counts.copy()
    neighbours = _neighbours(counts.shape[0])
    bucket = np.arange(counts.shape[0])
    found: dict[int, Indices] = {}
    for left in range(counts.shape[0], 0, -1):
        if left == 1 or _rows_of_least(counts, bucket) >= fewest_rows:
            found[left] = np.unique(bucket, return_inverse=True)[1].astype(np.intp)
        if left > 1:
            first, second = _nearest_pair(counts, neighbours, fewest_rows)
            counts[first] += counts[second]
            counts[second] = 0.0
            neighbours[first] |= neighbours[second]
            neighbours[:, first] |= neighbours[:, second]
            neighbours[second] = neighbours[:, second] = False
            neighbours[first, first] = False
            bucket[bucket == second] = first
    return found


def _neighbours(hours: int) -> NDArray[np.bool_]:
    """Which hours may be merged with which: shape `(h, h)`, symmetric."""
    hour = np.arange(hours)
    day, of_day = np.divmod(hour, HOURS_A_DAY)
    apart = (of_day[:, None] - of_day) % HOURS_A_DAY
    same_day = day[:, None] == day
    return np.asarray(np.where(same_day, (apart == 1) | (apart == HOURS_A_DAY - 1), apart == 0))


def _rows_of_least(counts: Floats, bucket: Indices) -> float:
    return float(counts[np.unique(bucket)].sum(axis=1).min())


def _nearest_pair(counts: Floats, neighbours: NDArray[np.bool_], fewest_rows: float) -> tuple[int, int]:
    """The pair of neighbours to merge next."""
    first, second = np.nonzero(np.triu(neighbours))
    rows = counts.sum(axis=1)
    few = np.minimum(rows[first], rows[second]) < fewest_rows
    if few.any():
        first, second = first[few], second[few]
    nearest = int(_chi_square(counts[first], counts[second]).argmin())
    return int(first[nearest]), int(second[nearest])


def _chi_square(one: Floats, other: Floats) -> Floats:
    """Pearson's statistic of each pair of rows of counts, 0 where one has no rows: shape `(pairs,)`."""
    rows, other_rows = one.sum(axis=1, keepdims=True), other.sum(axis=1, keepdims=True)
    apart = one * other_rows - other * rows
    pooled = np.maximum(one + other, 1.0)
    return np.asarray((apart**2 / (pooled * np.maximum(rows * other_rows, 1.0))).sum(axis=1))
