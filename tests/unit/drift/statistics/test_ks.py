"""The KS statistic: known values, refusals, and many windows at once."""

import math

import numpy as np
import pytest

from driftgauge.drift.statistics.ks import ks_statistic, ranked_ks_statistics, sorted_ks_statistic, sorted_ks_statistics
from driftgauge.errors import EmptySampleError

KNOWN = [
    # by hand: all of one sample is below the other
    pytest.param([1, 2], [3, 4], 1.0, id="apart"),
    # by hand: at 1 the window's function is 1/2, the reference's 1/3
    pytest.param([1, 2, 3], [1, 3], 1 / 6 + 1 / 6 - 1 / 6, id="lattice-of-six"),
    # by hand: equal samples, in any order
    pytest.param([1, 2, 3], [3, 1, 2], 0.0, id="equal"),
    # by hand: a constant against the same constant, samples of other sizes
    pytest.param([5, 5, 5], [5, 5], 0.0, id="constants"),
    # by hand: at 0 the functions are 1/2 and 3/4
    pytest.param([0, 1], [0, 0, 0, 1], 0.25, id="ties"),
    # by hand: just before the single value the functions differ by 1/2
    pytest.param([1, 3], [2], 0.5, id="one-value"),
    pytest.param([7], [7], 0.0, id="one-and-one"),
    # by hand: -0.0 and 0.0 are one value
    pytest.param([-0.0], [0.0], 0.0, id="signed-zero"),
    # Conover, Practical Nonparametric Statistics, 3rd edition, section 6.3, example 1: T = 0.4 = 18/45
    pytest.param(
        [5.2, 5.7, 5.9, 6.5, 6.8, 8.2, 9.1, 9.8, 10.8, 11.3, 11.5, 12.3, 12.5, 13.4, 14.6],
        [7.6, 8.4, 8.6, 8.7, 9.3, 9.9, 10.1, 10.6, 11.2],
        0.4,
        id="conover",
    ),
]


@pytest.mark.parametrize(("reference", "window", "expected"), KNOWN)
def test_known_values(reference: list[float], window: list[float], expected: float) -> None:
    """The statistic of small samples is the one found by hand or in print."""
    actual = ks_statistic(np.array(reference, dtype=np.float64), np.array(window, dtype=np.float64))

    assert expected == pytest.approx(actual, abs=1e-15)


def test_lies_on_the_lattice() -> None:
    """The statistic of 6 and 4 values is the float nearest to a multiple of 1/12."""
    actual = ks_statistic(np.arange(6.0), np.array([0.5, 0.6, 0.7, 9.0]))

    assert 7 / 12 == actual


def test_leaves_the_window_as_it_was() -> None:
    """The window is not sorted in place."""
    window = np.array([3.0, 1.0, 2.0])
    ks_statistic(np.array([1.0]), window)

    assert [3.0, 1.0, 2.0] == window.tolist()


@pytest.mark.parametrize(("reference", "window"), [([], [1.0]), ([1.0], [])])
def test_empty_sample(reference: list[float], window: list[float]) -> None:
    """A sample without values is refused."""
    with pytest.raises(EmptySampleError, match="has no values"):
        ks_statistic(np.array(reference), np.array(window))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_not_finite(value: float) -> None:
    """NaN and infinities are refused on both sides."""
    bad = np.sort([1.0, value, 2.0])
    with pytest.raises(ValueError, match="the window holds NaN or an infinity"):
        sorted_ks_statistic(np.array([1.0]), bad)
    with pytest.raises(ValueError, match="the reference holds NaN or an infinity"):
        sorted_ks_statistic(bad, np.array([1.0]))


def test_many_windows_by_their_ranks() -> None:
    """By hand, against 1, 2, 2, 3: the values 0 and 9 give 1/2; twice the value 2 gives 1/4."""
    below, at_most = np.array([[0, 4], [1, 1]], dtype=np.uint16), np.array([[0, 4], [3, 3]], dtype=np.uint16)

    assert [0.5, 0.25] == ranked_ks_statistics(4, below, at_most).tolist()


def test_sizes_whose_multiple_exceeds_32_bits() -> None:
    """By hand: all three values have the ranks of the reference's first three, of m."""
    m = 4_294_967_291
    ranks = np.array([[1, 2, 3]], dtype=np.uint32)

    assert (m - 3) / m == ranked_ks_statistics(m, ranks, ranks)[0]


@pytest.mark.parametrize(("m", "n"), [(40, 1), (7, 300), (1_000, 999), (300, 5_000)])
@pytest.mark.parametrize("digits", [0, 1, 8])
def test_skipped_blocks_change_nothing(m: int, n: int, digits: int) -> None:
    """The statistic is the same whether blocks are skipped or all values are looked up, with ties or without."""
    generator = np.random.default_rng(m + n + digits)
    references = [np.sort(generator.normal(size=m).round(digits)) for _ in range(20)]
    windows = np.sort(generator.normal(0.2, 1, size=(20, n)).round(digits), axis=1)
    pairs = list(zip(references, windows, strict=True))
    below, at_most = (np.stack([np.searchsorted(*pair, side=side) for pair in pairs]) for side in ("left", "right"))

    assert ranked_ks_statistics(m, below, at_most).tolist() == sorted_ks_statistics(references, windows).tolist()
