"""Laws of the dependence factor."""

import hypothesis.extra.numpy as arrays
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftgauge.drift.detector.dependence import FEW_REQUESTS, dependence_factors

Floats = NDArray[np.float64]

values = st.one_of(st.integers(-2, 2).map(float), st.floats(-2.7, 2.7))
scores = arrays.arrays(np.float64, st.tuples(st.integers(1, 60), st.integers(1, 20)), elements=values)


def requests(sizes: list[int], rows: int) -> NDArray[np.int64]:
    """The request of each row; requests have these sizes, repeated."""
    return np.repeat(np.arange(rows), np.resize(sizes, rows))[:rows]


@settings(deadline=None)
@given(block=scores, sizes=st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_factors_are_finite_and_at_least_one(block: Floats, sizes: list[int]) -> None:
    """Whatever the rows, each score has a finite factor that is at least 1."""
    actual = dependence_factors(block, requests(sizes, block.shape[0]))

    assert (block.shape[1],) == actual.shape
    assert np.isfinite(actual).all()
    assert (actual >= 1).all()


@settings(deadline=None)
@given(block=scores, sizes=st.lists(st.integers(1, 5), min_size=1, max_size=6), data=st.data())
def test_each_score_has_a_factor_of_its_own(block: Floats, sizes: list[int], data: st.DataObject) -> None:
    """The other scores do not change it, however many there are."""
    of = requests(sizes, block.shape[0])
    column = data.draw(st.integers(0, block.shape[1] - 1))
    alone = dependence_factors(block[:, column : column + 1], of)[0]

    assert np.isclose(alone, dependence_factors(block, of)[column], rtol=1e-6)


@settings(deadline=None)
@given(constant=st.floats(-2.7, 2.7), rows=st.integers(1, 3000), sizes=st.lists(st.integers(1, 40), min_size=1))
def test_a_constant_score_has_no_dependence(constant: float, rows: int, sizes: list[int]) -> None:
    """Its factor is exactly 1, though its mean may have a rounding error."""
    actual = dependence_factors(np.full((rows, 1), constant), requests(sizes, rows))

    assert [1.0] == actual.tolist()


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 200), min_size=2, max_size=FEW_REQUESTS - 1), seed=st.integers(0, 99))
def test_few_requests_are_one_row_each(sizes: list[int], seed: int) -> None:
    """With few requests the rows of one count as wholly alike: the factor is sum(b^2) / sum(b), by Kish."""
    block = np.random.default_rng(seed).normal(size=(sum(sizes), 1))
    expected = sum(size**2 for size in sizes) / sum(sizes)

    assert [expected] == dependence_factors(block, np.repeat(np.arange(len(sizes)), sizes)).tolist()
