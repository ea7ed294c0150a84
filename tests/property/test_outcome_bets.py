"""The law of bets on outcomes: at every edge of what is tolerated the mean of each factor is at most 1."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.drift.budget import Budget
from driftgauge.drift.outcomes.outcome_bets import OutcomeBets
from driftgauge.drift.outcomes.performance_bets import performance_bets
from driftgauge.drift.outcomes.prediction_bins import PredictionBins
from tests.support.labelled_streams import class_output, class_rows, number_output, number_rows
from tests.support.worst_case_bets import worst_of_numbers

SLACK = 1 + 1e-9

tolerances = st.one_of(st.just(0.0), st.floats(0.0, 0.9))
seeds = st.integers(0, 2**32)
sizes = st.one_of(st.integers(1, 40), st.integers(200, 3_000))
outputs = st.integers(1, 10)
sums = st.booleans()


def budget(tolerance: float, *, beyond_reference: bool) -> Budget:
    """A budget of 30 days with this tolerance."""
    return Budget(30 * 86_400.0, 30.0, tolerance, beyond_reference=beyond_reference)


@settings(deadline=None)
@given(wrong=st.integers(0, 500), right=st.integers(0, 500), tolerance=tolerances, d=outputs, beyond=sums)
def test_a_share_of_errors_within_the_tolerance_wins_nothing(
    wrong: int, right: int, tolerance: float, d: int, *, beyond: bool
) -> None:
    """Whatever the reference's share, no factor on the performance has a mean above 1 up to the tolerated share."""
    errors = np.repeat([1.0, 0.0], [wrong + 1, right])
    bets = performance_bets(
        class_output(class_rows(1, 1)).task, errors, 1.0, budget(tolerance, beyond_reference=beyond), 0.01 / d
    )
    factors = np.exp(bets.column.bets.log_factors[:-1])
    edge = min(1.0, float(errors.mean()) + bets.rise)

    for share in (0.0, edge / 2, edge):
        assert (np.array([1 - share, share]) @ factors <= SLACK).all()


@settings(deadline=None)
@given(
    made=st.tuples(seeds, sizes, st.floats(0.0, 1.0)),
    tolerance=tolerances,
    d=outputs,
    mix=st.lists(st.floats(0.0, 1.0), min_size=16, max_size=16),
    beyond=sums,
)
def test_errors_within_the_tolerance_of_each_bin_win_nothing_however_bins_move(
    made: tuple[int, int, float], tolerance: float, d: int, mix: list[float], *, beyond: bool
) -> None:
    """Given any bin, and so for any mix of bins, no factor has a mean above 1 at the edges of what is tolerated."""
    seed, rows, flipped = made
    output = class_output(class_rows(seed, rows, flipped=flipped))
    bets = OutcomeBets.of(output, PredictionBins.of(output), budget(tolerance, beyond_reference=beyond), d).concept
    factors = np.exp(bets.column.bets.log_factors[:-1])
    parts = np.array(mix[: bets.bins.count]) + 1e-3
    for edge in (bets.lower, bets.upper):
        given_bin = np.stack([1 - edge, edge], axis=1)
        in_bins = np.stack([row @ factors[2 * at : 2 * at + 2] for at, row in enumerate(given_bin)])

        assert (in_bins <= SLACK).all()
        assert (parts / parts.sum() @ in_bins <= SLACK).all()


@settings(deadline=None, max_examples=40)
@given(seed=seeds, rows=sizes, rounded=st.booleans(), tolerance=tolerances, d=outputs, beyond=sums)
def test_numbers_within_the_tolerance_win_nothing(
    seed: int, rows: int, tolerance: float, d: int, *, rounded: bool, beyond: bool
) -> None:
    """Over all distributions of errors within the tolerance, in each bin, the mean of every factor is at most 1."""
    made = number_rows(seed, rows)
    output = number_output(np.round(made) if rounded else made)
    bets = OutcomeBets.of(output, PredictionBins.of(output), budget(tolerance, beyond_reference=beyond), d)
    cells = bets.performance.cells
    assert cells is not None
    performance = np.exp(bets.performance.column.bets.log_factors[:-1])
    concept = np.exp(bets.concept.column.bets.log_factors[:-1])

    assert (worst_of_numbers(performance, cells.shares, tolerance) <= SLACK).all()
    for at, of_bin in enumerate(bets.concept.cells):
        part = slice(*bets.concept.starts[at : at + 2].tolist())
        assert (worst_of_numbers(concept[part], of_bin.shares, tolerance) <= SLACK).all()


@settings(deadline=None, max_examples=40)
@given(seed=seeds, rows=sizes, tolerance=tolerances)
def test_weights_of_bets_sum_to_one(seed: int, rows: int, tolerance: float) -> None:
    """The evidence of each column is a mean over its bets."""
    outputs_of = (class_output(class_rows(seed, rows)), number_output(number_rows(seed, rows)))
    for output in outputs_of:
        bets = OutcomeBets.of(output, PredictionBins.of(output), budget(tolerance, beyond_reference=False), 1)
        for column in bets.columns:
            weights = np.exp(column.bets.log_weights)
            assert weights.size == 0 or abs(weights.sum() - 1) < 1e-9
