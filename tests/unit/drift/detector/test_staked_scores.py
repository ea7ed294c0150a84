"""Bets on scores that differ in every cell."""

import math

import numpy as np

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.detector.staked_scores import StakedScores, where_rows_are
from driftgauge.drift.profile import numeric_profile

SCORES = np.array([[-1.5, 0.5], [0.25, -1.0], [1.5, 1.0], [0.0, 0.0]])
STAKED = StakedScores(SCORES, np.array([[0.1, -0.1], [0.3, -0.3]]), np.array([[0.01, 0.02], [0.03, 0.04]]))


def test_by_hand() -> None:
    """Each is the log of one and the staked score, less the cost; nothing is bet on rows that lack the feature."""
    expected = [math.log1p(0.1 * -1.5) - 0.01, math.log1p(-0.1 * -1.5) - 0.02, math.log1p(0.15) - 0.03]

    np.testing.assert_allclose(STAKED.all()[0, :3], expected, rtol=2**-23)
    assert [0.0] * 4 == STAKED.all()[-1].tolist()
    assert (STAKED.all()[0, :3] <= expected).all()


def test_each_column_is_that_of_all() -> None:
    """To the last bit."""
    for bet in range(STAKED.width):
        assert STAKED.all()[:, bet].tolist() == STAKED.column(bet).tolist()


def test_cells_with_rows_have_the_numbers_of_all_cells() -> None:
    """To the last bit; cells without rows have 0."""
    counts = np.array([[[2.0, 0.0, 0.0, 1.0], [1.0, 0.0, 3.0, 0.0]], [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]])
    first, second = where_rows_are([STAKED, STAKED], counts)

    assert [True, False, True, False] == first.any(axis=1).tolist()
    assert [False, True, False, False] == second.any(axis=1).tolist()
    assert STAKED.all()[[0, 2]].tolist() == first[[0, 2]].tolist()
    assert STAKED.all()[1].tolist() == second[1].tolist()


def test_the_bets_on_numbers_take_a_fifth_of_the_memory() -> None:
    """Those on polynomials are not kept."""
    table = make_bets(numeric_profile("n", np.arange(5000.0)), Budget(86_400.0, 30.0, 0.05), 1).factors

    assert table.staked is not None
    assert 5 * (table.varying.nbytes + table.steps.nbytes + table.staked.scores.nbytes) < table.whole().nbytes
