"""Laws of the corrections, against the procedures as textbooks state them."""

from itertools import pairwise

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from driftgauge.drift.statistics.correction import Correction, p_value_thresholds

pytestmark = pytest.mark.long

Floats = NDArray[np.float64]

LEVELS = [0.0, 1e-9, 0.0125, 0.05 / 3, 0.025, 0.04, 0.05, 0.2, 1.0]
"""Values at and near the steps of small families, for ties and equalities."""

p_values = arrays.arrays(
    np.float64, st.integers(1, 12), elements=st.one_of(st.sampled_from(LEVELS), st.floats(0.0, 1.0))
)
alphas = st.sampled_from([0.01, 0.05, 0.5])


def holm_rejects(values: Floats, alpha: float) -> list[bool]:
    """Holm's step-down: from the smallest p-value, reject while it is below alpha over what remains."""
    rejected = [False] * values.size
    for step, index in enumerate(np.argsort(values, kind="stable")):
        if not values[index] < alpha / (values.size - step):
            break
        rejected[index] = True
    return rejected


def bh_rejects(values: Floats, alpha: float) -> list[bool]:
    """Benjamini and Hochberg's step-up: reject up to the largest k whose p-value is below alpha k / d."""
    ordered = np.sort(values)
    count = max((k for k in range(1, values.size + 1) if ordered[k - 1] < alpha / (values.size / k)), default=0)
    return [bool(count and value <= ordered[count - 1]) for value in values]


@settings(deadline=None)
@given(values=p_values, alpha=alphas)
def test_holm_is_the_step_down(values: Floats, alpha: float) -> None:
    """A feature is below its level exactly if Holm's procedure rejects it."""
    assert holm_rejects(values, alpha) == (values < p_value_thresholds(values, alpha, Correction.HOLM)).tolist()


@settings(deadline=None)
@given(values=p_values, alpha=alphas)
def test_bh_is_the_step_up(values: Floats, alpha: float) -> None:
    """A feature is below its level exactly if Benjamini and Hochberg's procedure rejects it."""
    assert bh_rejects(values, alpha) == (values < p_value_thresholds(values, alpha, Correction.BH)).tolist()


@settings(deadline=None)
@given(values=arrays.arrays(np.float64, st.integers(1, 12), elements=st.floats(0.0, 1.0)), alpha=alphas)
def test_bh_agrees_with_scipy(values: Floats, alpha: float) -> None:
    """Where no adjusted p-value lies at alpha itself, scipy's adjusted p-values give the same verdicts."""
    adjusted = false_discovery_control(values, method="bh")
    clear = np.abs(adjusted - alpha) > 1e-12
    rejected = values < p_value_thresholds(values, alpha, Correction.BH)

    assert (adjusted < alpha)[clear].tolist() == rejected[clear].tolist()


@pytest.mark.parametrize("method", Correction)
@settings(deadline=None)
@given(values=p_values, alpha=alphas, data=st.data())
def test_a_p_value_does_not_move_its_own_level(
    method: Correction, values: Floats, alpha: float, data: st.DataObject
) -> None:
    """The verdict on any other p-value of the feature is the same at the old and at the new level."""
    index = data.draw(st.integers(0, values.size - 1))
    level = p_value_thresholds(values, alpha, method)[index]
    values[index] = other = data.draw(st.one_of(st.sampled_from(LEVELS), st.floats(0.0, 1.0)))

    assert (other < level) == (other < p_value_thresholds(values, alpha, method)[index])


@pytest.mark.parametrize("method", Correction)
@settings(deadline=None)
@given(values=p_values, alpha=alphas, data=st.data())
def test_order_of_features_does_not_matter(
    method: Correction, values: Floats, alpha: float, data: st.DataObject
) -> None:
    """Permuted p-values have permuted verdicts."""
    order = data.draw(st.permutations(range(values.size)))
    rejected = values < p_value_thresholds(values, alpha, method)

    assert rejected[order].tolist() == (values[order] < p_value_thresholds(values[order], alpha, method)).tolist()


@settings(deadline=None)
@given(values=p_values, alpha=alphas)
def test_corrections_are_ordered(values: Floats, alpha: float) -> None:
    """Holm rejects all that Bonferroni rejects, Benjamini-Hochberg all that Holm rejects, and `none` all of these."""
    methods = (Correction.BONFERRONI, Correction.HOLM, Correction.BH, Correction.NONE)
    rejected = [values < p_value_thresholds(values, alpha, method) for method in methods]

    assert all((fewer <= more).all() for fewer, more in pairwise(rejected))
