"""Laws of the scores by rank."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftgauge.drift.detector.polynomials import GREATEST, VARIATIONS, cell_scores

Floats = NDArray[np.float64]

weights = st.lists(st.integers(0, 1000), min_size=1, max_size=300).filter(any)


def normed(drawn: list[int]) -> Floats:
    """Shares in these proportions."""
    shares: Floats = np.array(drawn) / sum(drawn)
    return shares


@given(drawn=weights)
def test_under_the_reference_scores_are_centred_and_of_variance_up_to_one(drawn: list[int]) -> None:
    """The mean of each polynomial is 0, its variance at most 1, and no cell's score is beyond its range."""
    shares = normed(drawn)
    scores = cell_scores(shares)

    assert (np.abs(shares @ scores) < 1e-9).all()
    assert (shares @ np.square(scores) <= 1 + 1e-9).all()
    assert (np.abs(scores) <= np.array(GREATEST) + 1e-6).all()


@given(pairs=st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=300))
def test_a_mean_moves_by_at_most_variation_times_distance(pairs: list[tuple[int, int]]) -> None:
    """Under other shares the mean is within the polynomial's total variation times the KS distance (Hlawka, Koksma)."""
    first, second = (normed([pair[side] + 1 for pair in pairs]) for side in (0, 1))
    distance = np.abs(np.cumsum(first) - np.cumsum(second)).max()

    assert (np.abs(second @ cell_scores(first)) <= np.array(VARIATIONS) * distance + 1e-9).all()
