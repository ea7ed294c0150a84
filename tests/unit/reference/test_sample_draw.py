"""The draw of a sample: which rows, how evenly, how far from the file."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftgauge.reference.sample import sample_rows, sampling_error

FALSE_ALARM = 1e-6
"""Chance that a fair draw would fail the test of evenness; the seeds are fixed."""


@given(st.integers(0, 10**8), st.integers(1, 50), st.integers(0, 2**32))
def test_a_sample_is_of_different_rows_in_order(seen: int, kept: int, seed: int) -> None:
    """As many as asked for, or all; each once, each of the file."""
    rows = sample_rows(seen, kept, seed)

    assert min(seen, kept) == rows.size
    assert (np.diff(rows) > 0).all()
    assert rows.size == 0 or (rows[0] >= 0 and rows[-1] < seen)


def test_the_same_seed_gives_the_same_rows() -> None:
    """Another seed gives others."""
    first, again, other = (sample_rows(10**8, 1000, seed).tolist() for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_every_set_of_rows_has_equal_chance() -> None:
    """Of 6 rows 3 are kept: the 20 sets come equally often, by chi-square."""
    draws = [sum(1 << row for row in sample_rows(6, 3, seed).tolist()) for seed in range(4000)]
    counts = np.unique(draws, return_counts=True)[1]
    statistic = float(((counts - 200) ** 2 / 200).sum())

    assert 20 == counts.size
    assert statistic < stats.chi2.isf(FALSE_ALARM, 19)


@pytest.mark.parametrize("seen", [20_000, 10**8])
def test_rows_of_a_large_file_are_drawn_evenly(seen: int) -> None:
    """Both of the generator's ways, for dense and for thin samples: ten parts of the file hold a tenth each."""
    kept = 2000
    rows = np.concatenate([sample_rows(seen, kept, seed) for seed in range(20)])
    counts = np.bincount(rows * 10 // seen, minlength=10)
    expected = rows.size / 10
    spread = expected * (1 - kept / seen)  # drawn without replacement, counts vary less

    assert float(((counts - expected) ** 2 / spread).sum()) < stats.chi2.isf(FALSE_ALARM, 9)


def test_the_error_is_massart_s() -> None:
    """sqrt(ln(2 / 0.01) / 2k): 0.00515 for 100,000 rows; none if all rows are kept, never more than 1."""
    assert math.sqrt(math.log(200) / 200_000) == pytest.approx(sampling_error(10**8, 100_000), rel=1e-12)
    assert 0.0 == sampling_error(100, 100) == sampling_error(99, 100)
    assert 1.0 == sampling_error(2, 1)


def test_the_error_is_kept() -> None:
    """Of 400 samples of 500 rows no more than 1 in 100 is farther from the file than is said."""
    seen, kept = 10_000, 500
    grid = np.arange(1, kept + 1) / kept
    farther = 0
    for seed in range(400):
        file_share = (sample_rows(seen, kept, seed) + 1) / seen
        distance = np.maximum(np.abs(grid - file_share), np.abs(grid - 1 / kept - file_share + 1 / seen)).max()
        farther += bool(distance > sampling_error(seen, kept))

    assert farther <= 4
