"""Shares by hour: which hours share a bucket, and the shares of each bucket."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftgauge.drift.hours.hour_shares import HourShares, fit_hour_shares
from driftgauge.drift.hours.merge import partitions

Floats = NDArray[np.float64]

MONDAY = 1_704_067_200.0
DAY = 86_400.0


def _times(generator: np.random.Generator, rows: int, days: float) -> Floats:
    return MONDAY + np.sort(generator.random(rows)) * days * DAY


def _night(times: Floats) -> NDArray[np.bool_]:
    return np.asarray(times % DAY < 8 * 3600)


def _found(missing: NDArray[np.bool_], times: Floats) -> HourShares:
    return fit_hour_shares(missing.astype(np.int64), 2, times, "UTC")


@pytest.mark.parametrize("days", [2.5, 5, 14])
def test_missing_values_of_the_night_have_their_own_bucket(days: float) -> None:
    """The shares of both buckets are those of their rows, and each row is in the bucket of its hour."""
    generator = np.random.default_rng(1)
    times = _times(generator, 10_000, days)
    missing = generator.random(times.size) < np.where(_night(times), 0.2, 0.05)
    found = _found(missing, times)
    bucket = found.bucket(times)

    assert found.buckets == 2
    assert np.mean((bucket == bucket[0]) == _night(times)) > 0.9
    assert [missing[bucket == one].mean() for one in (0, 1)] == pytest.approx(found.shares[:, 1].tolist())
    assert np.bincount(bucket).tolist() == found.rows.tolist()
    assert [1, 1] == pytest.approx(found.shares.sum(axis=1).tolist())


def test_without_a_rhythm_there_is_one_bucket() -> None:
    """Nearly always: in 40 references at most one has more."""
    found = []
    for seed in range(40):
        generator = np.random.default_rng([2, seed])
        times = _times(generator, 5_000, 5)
        found.append(fit_hour_shares(generator.integers(0, 6, times.size), 6, times, "UTC").buckets)

    assert found.count(1) >= 39


def test_bursts_of_equal_rows_are_no_rhythm() -> None:
    """Fifty rows of one category in a row, and a category that changes three times a day."""
    found = []
    for seed in range(40):
        generator = np.random.default_rng([3, seed])
        times = _times(generator, 6_000, 6)
        run = 50 if seed % 2 else 333
        cells = np.repeat(generator.integers(0, 5, -(-times.size // run)), run)[: times.size]
        found.append(fit_hour_shares(cells, 5, times, "UTC").buckets)

    assert found.count(1) >= 38


def test_weekends_have_buckets_of_their_own_after_two_weeks() -> None:
    """A category that only weekends have."""
    generator = np.random.default_rng(4)
    times = _times(generator, 10_000, 14)
    weekend = (times - MONDAY) % (7 * DAY) >= 5 * DAY
    found = fit_hour_shares(np.where(weekend, 2, generator.integers(0, 2, times.size)), 3, times, "UTC")

    assert (48,) == found.bucket_of_hour.shape
    assert found.buckets == 2
    assert [0, 1] == sorted(found.shares[:, 2].tolist())


def test_one_cell_and_no_rows_have_one_bucket() -> None:
    """A feature that is never missing, and a reference without rows."""
    times = _times(np.random.default_rng(5), 5_000, 5)
    never = _found(np.zeros(times.size, bool), times)
    empty = _found(np.empty(0, bool), np.empty(0))

    assert ([[1, 0]], [5_000]) == (never.shares.tolist(), never.rows.tolist())
    assert ([[0, 0]], [0]) == (empty.shares.tolist(), empty.rows.tolist())
    assert [0] == empty.bucket(np.array([MONDAY])).tolist()


@given(st.integers(0, 2**32 - 1), st.sampled_from([24, 48]), st.integers(0, 600))
def test_partitions_are_nested_and_their_buckets_have_enough_rows(seed: int, hours: int, fewest: int) -> None:
    """Each way merges buckets of the way before it, and together they have all hours."""
    counts = np.random.default_rng(seed).integers(0, 200, (hours, 3)).astype(np.float64)
    ways = partitions(counts, fewest)
    finer: NDArray[np.intp] | None = None
    for size, bucket in ways.items():
        assert np.arange(size).tolist() == np.unique(bucket).tolist()
        assert size == 1 or np.bincount(bucket, counts.sum(axis=1)).min() >= fewest
        if finer is not None:
            assert all(np.unique(bucket[finer == one]).size == 1 for one in np.unique(finer))
        finer = bucket

    assert 1 in ways


def test_hours_around_midnight_are_neighbours() -> None:
    """Five hours of the night, two of them before midnight, make one bucket."""
    counts = np.tile([90.0, 10.0], (24, 1))
    counts[[22, 23, 0, 1, 2]] = [10.0, 90.0]

    assert 2 == np.unique(partitions(counts, 0)[2][[22, 23, 0, 1, 2, 12]]).size
    assert 1 == np.unique(partitions(counts, 0)[2][[22, 23, 0, 1, 2]]).size
