"""The laws of the rows that the detector needs: they rise with the tolerance and with the dependence of rows."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.feature_detector import feature_detector
from driftgauge.drift.profile import numeric_profile
from driftgauge.drift.rows_to_detect import RowsToDetect, rows_to_detect, shifted_shares

BUDGET = Budget(30 * 86_400.0, 30.0, 0.02)

numbers = st.one_of(
    st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=300),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=300),
    st.integers(1, 5000).map(lambda count: [math.sqrt(value) for value in range(count)]),
)


def rows(values: list[float], budget: Budget) -> float:
    """The estimate; infinity for none."""
    (found,) = rows_to_detect([numeric_profile("n", np.sort(values))], budget)
    return math.inf if found is None else found


@settings(deadline=None)
@given(values=numbers, lower=st.floats(0.0, 0.2), more=st.floats(0.0, 0.2))
def test_a_larger_tolerance_takes_more_rows(values: list[float], lower: float, more: float) -> None:
    """What is tolerated is taken from every bet's gain."""
    budgets = replace(BUDGET, tolerance=lower), replace(BUDGET, tolerance=lower + more)

    assert rows(values, budgets[0]) <= rows(values, budgets[1])


@settings(deadline=None)
@given(values=numbers, factor=st.floats(1.0, 1e3), more=st.floats(1.0, 1e3))
def test_more_dependence_takes_more_rows(values: list[float], factor: float, more: float) -> None:
    """Each row counts 1 / factor."""
    profiles = [numeric_profile("n", np.sort(values))] * 2
    estimate = RowsToDetect(profiles, feature_detector(profiles, BUDGET, 50, ""))
    first, second = estimate.of(np.array([factor, factor * more]))

    assert second is None or (first is not None and first <= second)


@settings(deadline=None)
@given(values=numbers, missing=st.integers(0, 1000), shift=st.floats(0.0, 10.0))
def test_shifted_rows_all_have_a_cell(values: list[float], missing: int, shift: float) -> None:
    """In both directions shares are at least 0 and sum to 1."""
    shares = shifted_shares(numeric_profile("n", np.sort(values), missing), shift)

    assert (shares >= 0).all()
    assert np.allclose(shares.sum(axis=1), 1.0)
