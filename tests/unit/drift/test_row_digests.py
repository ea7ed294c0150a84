"""Digests of rows: equal for equal bits, different for any other."""

import numpy as np

from driftgauge.drift.row_digests import RowDigests


def test_equal_rows_have_equal_digests() -> None:
    """A digest depends on the bits of its row alone, NaN included, and not on the rows beside it."""
    rows = np.random.default_rng(1).normal(size=(5000, 13))
    rows[7, 3] = np.nan
    digests = RowDigests(13)
    found = digests.of(rows)

    np.testing.assert_array_equal(found[1234:], digests.of(rows[1234:].copy()))
    np.testing.assert_array_equal(found, digests.of(np.asfortranarray(rows)))


def test_every_bit_counts() -> None:
    """A row with any one bit changed, or with two values exchanged, has another digest."""
    row = np.array([[1.5, -2.0, 0.0]])
    digests = RowDigests(3)
    changed = np.tile(row.view(np.uint64), (3 * 64, 1))
    for place in range(3 * 64):
        changed[place, place // 64] ^= np.uint64(1 << (place % 64))
    found = digests.of(np.vstack([row, row[:, ::-1], changed.view(np.float64)]))

    assert 3 * 64 + 2 == np.unique(found).size


def test_zeros_of_different_columns_differ() -> None:
    """A value counts by its column: equal values in two columns do not cancel."""
    digests = RowDigests(2)

    assert digests.of(np.array([[0.0, 1.0]])) != digests.of(np.array([[1.0, 0.0]]))


def test_no_rows_have_no_digests() -> None:
    """A window may be empty."""
    assert 0 == RowDigests(2).of(np.empty((0, 2))).size
