"""Buckets of hours in which the shares of a feature are alike, of its values and of missing ones together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.hour_shares import HourShares, hour_numbers
from driftgauge.drift.hours.local_hours import local_hours
from driftgauge.drift.hours.merge import HOURS_A_DAY

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class HourBuckets:
    """`B` buckets of hours of one feature with `k` cells.

    Args:
        zone: The time zone of the hours.
        bucket_of_hour: Shape `(24,)`, or `(48,)` where the hours of a weekend follow those of a working day.
        shares: Shape `(B, k)`: the part of each bucket's values that each cell has.
        missing: Shape `(B,)`: the part of each bucket's rows that lack the feature.
        value_rows: Shape `(B,)`: how many times as many values as a bucket's shares are known from, all have; at least
            1.
        missing_rows: Shape `(B,)`: the same of rows, for the share of missing values.
        value_bucket: Shape `(B,)`: equal where the shares of the values are those of the same hours.
        missing_bucket: Shape `(B,)`: equal where the shares of missing values are those of the same hours.
    """

    zone: str
    bucket_of_hour: NDArray[np.intp]
    shares: Floats
    missing: Floats
    value_rows: Floats
    missing_rows: Floats
    value_bucket: NDArray[np.intp]
    missing_bucket: NDArray[np.intp]

    @property
    def cells(self) -> int:
        """The cells of a bucket: k, and one for rows that lack the feature."""
        return int(self.shares.shape[1]) + 1

    def expected(self, values: Floats, rows: Floats) -> "ExpectedShares":
        """What the reference expects of a window with such hours.

        Args:
            values: Shape `(B,)`, at least 0: values of the window in each bucket.
            rows: Shape `(B,)`, at least 0, not all 0: rows of the window in each bucket.

        Notes:
            The error of a mean of independent shares, with parts w of m / r rows each, is that of m / sum(w^2 r) rows.
        """
        parts = values / values.sum() if values.sum() > 0 else np.full(values.size, 1 / values.size)
        of_rows = rows / rows.sum()
        return ExpectedShares(
            cells=parts @ self.shares,
            missing=float(of_rows @ self.missing),
            value_rows=_cost(parts, self.value_rows, self.value_bucket),
            missing_rows=_cost(of_rows, self.missing_rows, self.missing_bucket),
        )

    def of(self, times: Floats) -> NDArray[np.intp]:
        """The bucket of each row: shape `(n,)`.

        Args:
            times: Shape `(n,)`: seconds since the epoch.
        """
        return self.bucket_of_hour[hour_numbers(local_hours(times, self.zone), self.bucket_of_hour.size)]


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedShares:
    """The shares that a reference expects of a window with some mix of hours.

    Args:
        cells: Shape `(k,)`, sums to 1: of its values.
        missing: Of rows that lack the feature, in [0, 1].
        value_rows: How many times as many values the reference has as `cells` is known from.
        missing_rows: The same of rows, for `missing`.
    """

    cells: Floats
    missing: float
    value_rows: float
    missing_rows: float


def hour_buckets(
    shares: Floats, missing: float, by_hour: HourShares | None, missing_by_hour: HourShares | None
) -> HourBuckets | None:
    """The buckets of a feature; `None` if there is only one.

    Args:
        shares: Shape `(k,)`: the shares of its cells at all hours.
        missing: The part of all rows that lack it.
        by_hour: The shares of its cells by hour; `None` if they do not depend on it.
        missing_by_hour: The shares of rows with and without it by hour; `None` if they do not depend on it.
    """
    known = [one for one in (by_hour, missing_by_hour) if one is not None and one.buckets > 1]
    if not known:
        return None
    hours = max(one.bucket_of_hour.size for one in known)
    of_values, value_shares, value_rows = _by_hour(by_hour, hours, shares)
    of_missing, missing_shares, missing_rows = _by_hour(missing_by_hour, hours, np.array([1 - missing, missing]))
    pairs, bucket_of_hour = np.unique(np.stack([of_values, of_missing], axis=1), axis=0, return_inverse=True)
    first, second = pairs.T
    return HourBuckets(
        zone=known[0].zone,
        bucket_of_hour=bucket_of_hour.reshape(-1).astype(np.intp),
        shares=value_shares[first],
        missing=missing_shares[second, 1],
        value_rows=value_rows[first],
        missing_rows=missing_rows[second],
        value_bucket=first,
        missing_bucket=second,
    )


def _cost(parts: Floats, rows: Floats, bucket: NDArray[np.intp]) -> float:
    """How many times as many rows the reference has as the mean of its shares is known from."""
    weight = np.bincount(bucket, parts)
    each = np.bincount(bucket, rows) / np.maximum(np.bincount(bucket), 1)
    return float(weight**2 @ each)


def _by_hour(found: HourShares | None, hours: int, shares: Floats) -> tuple[NDArray[np.intp], Floats, Floats]:
    """The bucket of each hour, the shares of each bucket, and how many times as many rows as a bucket all have."""
    if found is None or found.buckets == 1:
        return np.zeros(hours, dtype=np.intp), shares[np.newaxis], np.ones(1)
    of_hour = found.bucket_of_hour
    if of_hour.size < hours:
        of_hour = np.tile(of_hour, hours // HOURS_A_DAY)
    return of_hour, found.shares, found.rows.sum() / np.maximum(found.rows, 1)
