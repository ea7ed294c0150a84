"""A table stands for a whole matrix of scores or factors, of which it keeps each different line once."""

import numpy as np
import pytest

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.bets import make_bets
from driftgauge.drift.detector.step_table import StepTable
from driftgauge.drift.profile import categorical_profile, numeric_profile

VARYING = np.array([[0.1, -0.2], [0.3, -0.4], [0.5, -0.6], [0.0, 0.0]])
STEPS = np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 2.0], [0.0, -1.0]])
MATRIX = np.hstack([VARYING, STEPS])
BUDGET = Budget(86_400.0, 30.0, 0.05)
TABLE = StepTable.of_factors(MATRIX, 2)


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
    table = StepTable.of_factors(np.empty((2, 0)), 0)

    assert ((2, 0), (3, 0)) == (table.shape, table.gains(np.ones((3, 2))).shape)


def test_every_number_of_scores_is_kept() -> None:
    """The whole matrix, and each column, are those that were given."""
    generator = np.random.default_rng(1)
    events = np.repeat(generator.normal(size=(4, 5)), [3, 1, 10, 6], axis=0)
    scores = np.hstack([generator.normal(size=(20, 2)), events])
    table = StepTable.of_scores(scores, 2)

    assert (20, 7) == table.shape == table.whole().shape
    np.testing.assert_array_equal(scores, table.whole())
    np.testing.assert_array_equal(scores, np.column_stack([table.column(score) for score in range(7)]))
    assert 4 == table.starts.size


def test_bets_on_numbers_take_a_third_of_the_memory() -> None:
    """Of 132 cells few differ by the levels of the distribution function."""
    table = make_bets(numeric_profile("n", np.arange(5000.0)), BUDGET, 1).score_table

    assert 3 * (table.varying.nbytes + table.steps.nbytes) < table.whole().nbytes


def test_categories_have_runs_alone() -> None:
    """No score of a category differs in most cells."""
    table = make_bets(categorical_profile("c", np.arange(50.0), {}), BUDGET, 1).score_table

    assert 0 == table.varying.shape[1]
    assert (52 + 1, table.steps.shape[1]) == table.whole().shape
