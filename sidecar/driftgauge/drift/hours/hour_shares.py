"""Shares of the cells of a feature by hour: of categories, or of missing and known values."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.cross_validation import BLOCKS, FOLDS, simplest, units_of
from driftgauge.drift.hours.local_hours import LocalHours, local_hours
from driftgauge.drift.hours.merge import HOURS_A_DAY, partitions

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

FEWEST_ROWS = 500
"""Rows of each bucket, where there is more than one."""

BUCKET_COUNTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
"""Cross-validation chooses among these."""


@dataclass(frozen=True, slots=True, eq=False)
class HourShares:
    """The shares of `k` cells in `B` buckets of hours.

    Args:
        zone: The time zone of the hours.
        bucket_of_hour: Shape `(24,)`, or `(48,)` where the hours of a weekend follow those of a working day.
        shares: Shape `(B, k)`: the part of each bucket's rows that each cell has.
        rows: Shape `(B,)`: the rows of each bucket.
    """

    zone: str
    bucket_of_hour: Indices
    shares: Floats
    rows: NDArray[np.int64]

    @property
    def buckets(self) -> int:
        """Their number B: 1 where nothing depends on the hour."""
        return self.rows.size

    def bucket(self, times: Floats) -> Indices:
        """The bucket of each row: shape `(n,)`.

        Args:
            times: Shape `(n,)`: seconds since the epoch.
        """
        if self.buckets == 1:
            return np.zeros(times.shape, np.intp)
        return self.bucket_of_hour[hour_numbers(local_hours(times, self.zone), self.bucket_of_hour.size)]


def fit_hour_shares(cells: NDArray[np.integer], cell_count: int, times: Floats, zone: str) -> HourShares:
    """Merges neighbouring hours of like shares, into as many buckets as cross-validation over whole days chooses.

    Rows that come in bursts do not make buckets: the shares of a burst do not predict those of other days.

    Args:
        cells: Shape `(n,)`, in [0, `cell_count`).
        cell_count: The number k of cells.
        times: Shape `(n,)`, finite, ascending: seconds since the epoch.
        zone: A name of the IANA time zone database.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: No zone has this name.
    """
    hours = local_hours(times, zone)
    counts = _counts(cells, cell_count, hours)
    bucket_of_hour = _chosen(counts)
    of_bucket = np.zeros((int(bucket_of_hour.max()) + 1, cell_count))
    np.add.at(of_bucket, bucket_of_hour, counts.sum(axis=0))
    rows = of_bucket.sum(axis=1)
    return HourShares(zone, bucket_of_hour, of_bucket / np.maximum(rows, 1)[:, None], rows.astype(np.int64))


def hour_numbers(hours: LocalHours, hour_count: int) -> Indices:
    """The number of each row's hour, in [0, 24), or in [0, 48) with the weekend."""
    of_day = hours.hour.astype(np.intp)
    return of_day if hour_count == HOURS_A_DAY else of_day + HOURS_A_DAY * hours.weekend


def _counts(cells: NDArray[np.integer], cell_count: int, hours: LocalHours) -> Floats:
    """Rows of each day or block, hour and cell: shape `(units, 24 or 48, k)`."""
    units = units_of(hours)
    unit_count = int(units.max(initial=0)) + 1
    if unit_count > BLOCKS:  # many days: neighbours count as one
        units, unit_count = units * BLOCKS // unit_count, BLOCKS
    hour_count = 2 * HOURS_A_DAY if hours.cover_two_weeks else HOURS_A_DAY
    place = (units * hour_count + hour_numbers(hours, hour_count)) * cell_count + cells
    counts = np.bincount(place, minlength=unit_count * hour_count * cell_count)
    return counts.reshape(unit_count, hour_count, cell_count).astype(np.float64)


def _chosen(counts: Floats) -> Indices:
    """The bucket of each hour, in the simplest of the best partitions."""
    whole = counts.sum(axis=0)
    possible = partitions(whole, FEWEST_ROWS)
    folds = np.arange(counts.shape[0]) % FOLDS
    training = [whole - counts[folds == fold].sum(axis=0) for fold in range(FOLDS)]
    found = [partitions(rows, FEWEST_ROWS * (FOLDS - 1) / FOLDS) for rows in training]
    sizes = [size for size in BUCKET_COUNTS if all(size in ways for ways in (possible, *found))]
    if len(sizes) == 1 or (whole > 0).any(axis=0).sum() <= 1:
        return possible[1]
    scores = np.empty((len(sizes), counts.shape[0], 1))
    for index, size in enumerate(sizes):
        for fold, (rows, ways) in enumerate(zip(training, found, strict=True)):
            logs = np.log(_shares(rows, ways[size]))
            scores[index, folds == fold, 0] = (counts[folds == fold] * logs).sum(axis=(1, 2))
    return possible[sizes[int(simplest(scores, counts.sum(axis=(1, 2)))[0])]]


def _shares(counts: Floats, bucket_of_hour: Indices) -> Floats:
    """The shares in each hour's bucket, with one row of the shares of all hours more, so that none is 0."""
    total = counts.sum(axis=0) + 0.5
    overall = total / total.sum()
    of_bucket = np.zeros((int(bucket_of_hour.max()) + 1, counts.shape[1]))
    np.add.at(of_bucket, bucket_of_hour, counts)
    shares = (of_bucket + overall) / (of_bucket.sum(axis=1, keepdims=True) + 1)
    return np.asarray(shares[bucket_of_hour])
