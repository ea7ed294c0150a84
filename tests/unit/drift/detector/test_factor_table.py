"""A table of factors stands for a whole matrix, of which it keeps each different line once."""

import numpy as np
import pytest

from driftgauge.drift.detector.factor_table import FactorTable

VARYING = np.array([[0.1, -0.2], [0.3, -0.4], [0.5, -0.6], [0.0, 0.0]])
STEPS = np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 2.0], [0.0, -1.0]])
MATRIX = np.hstack([VARYING, STEPS])
TABLE = FactorTable.of(MATRIX, 2)


def test_equal_lines_are_kept_once() -> None:
    """Neighbouring cells in which the bets on events are equal share a line."""
    assert ([0, 2, 3], (3, 2)) == (TABLE.starts.tolist(), TABLE.steps.shape)


def test_the_whole_matrix_is_as_given_or_a_trifle_smaller() -> None:
    """Bets on events are exact; bets that vary are rounded down to single precision, and zeros stay zeros."""
    whole = TABLE.whole()

    assert (MATRIX[:, 2:] == whole[:, 2:]).all()
    assert (whole <= MATRIX).all()
    assert (whole[-1] == MATRIX[-1]).all()
    np.testing.assert_allclose(whole, MATRIX, rtol=2**-23)


def test_gains_are_those_of_the_whole_matrix() -> None:
    """The product with counts of rows equals that of the whole matrix, up to rounding."""
    counts = np.array([[3, 0, 1, 2], [0, 5, 0, 0]])

    np.testing.assert_allclose(TABLE.gains(counts), counts @ TABLE.whole(), rtol=1e-14)


@pytest.mark.parametrize("bet", range(4))
def test_a_column_is_that_of_the_whole_matrix(bet: int) -> None:
    """The line of one bet over all cells is the column of the matrix."""
    assert (TABLE.whole()[:, bet] == TABLE.column(bet)).all()


def test_a_table_without_bets_has_no_gains() -> None:
    """An ignored feature has cells and no bets."""
    table = FactorTable.of(np.empty((2, 0)), 0)

    assert ((2, 0), (3, 0)) == (table.shape, table.gains(np.ones((3, 2))).shape)
