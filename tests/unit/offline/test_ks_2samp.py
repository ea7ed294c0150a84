"""The p-values of `scipy.stats.ks_2samp` by sizes and statistic."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from driftgauge.drift.statistics.p_value import PValues
from driftgauge.offline.ks_2samp import Ks2sampPValues

SIZES = st.integers(1, 60)


@pytest.mark.filterwarnings("ignore:ks_2samp. Exact calculation unsuccessful")  # of some p-values that are 1
@settings(deadline=None)
@given(m=SIZES, n=SIZES, seed=st.integers(0, 1000))
@example(m=5, n=5, seed=564)
def test_p_values_are_those_of_ks_2samp(m: int, n: int, seed: int) -> None:
    """Small samples, with ties: the exact p-value that scipy gives for the samples themselves."""
    rng = np.random.default_rng(seed)
    result = ks_2samp(rng.integers(0, 20, m), rng.integers(0, 30, n))

    assert result.pvalue == pytest.approx(
        float(Ks2sampPValues().p_values(m, n, np.array([result.statistic]))[0]), rel=1e-12
    )


@pytest.mark.parametrize(("m", "n"), [(10_000, 9_999), (1599, 4898), (10_001, 50), (20_000, 30_000)])
def test_p_values_of_larger_samples_are_those_of_ks_2samp(m: int, n: int) -> None:
    """On both sides of the 10,000 values at which scipy changes its method."""
    rng = np.random.default_rng(m)
    result = ks_2samp(rng.normal(size=m), rng.normal(0.03, 1.0, size=n))

    assert result.pvalue == pytest.approx(
        float(Ks2sampPValues().p_values(m, n, np.array([result.statistic]))[0]), rel=1e-9
    )


@settings(deadline=None)
@given(m=SIZES, n=SIZES, alpha=st.floats(1e-9, 0.9), data=st.data())
def test_a_statistic_reaches_the_critical_one_exactly_if_its_p_value_is_below_the_level(
    m: int, n: int, alpha: float, data: st.DataObject
) -> None:
    """For every statistic that samples of these sizes can have."""
    zeros = data.draw(st.integers(0, m)), data.draw(st.integers(0, n))
    source, points = Ks2sampPValues(), math.lcm(m, n)
    statistic = abs(zeros[0] * (points // m) - zeros[1] * (points // n)) / points
    p_value = source.p_values(m, n, np.array([statistic]))[0]

    assert (p_value < alpha) == (statistic >= source.critical_statistic(m, n, alpha))


def test_no_statistic_of_one_value_is_critical() -> None:
    """Of one value on each side the p-value is 1, whatever the values are."""
    assert math.inf == Ks2sampPValues().critical_statistic(1, 1, 0.05)


def test_large_samples_have_the_critical_statistic_of_the_serving_process() -> None:
    """Both are asymptotic there, and agree on the last row."""
    args = 20_000, 30_000, 0.01

    assert PValues().critical_statistic(*args) == Ks2sampPValues().critical_statistic(*args)


@pytest.mark.parametrize(("m", "n"), [(4, 5), (1000, 599), (2000, 2000), (3001, 1500), (10_001, 400)])
@pytest.mark.parametrize("alpha", [0.05, 0.0005])
def test_the_critical_statistic_is_the_least_possible_one(m: int, n: int, alpha: float) -> None:
    """The p-value of the next smaller point is not below the level, unless no samples have a statistic between both."""
    source, points = Ks2sampPValues(), math.lcm(m, n)
    critical = source.critical_statistic(m, n, alpha)
    if math.isinf(critical):
        assert source.p_values(m, n, np.array([1.0]))[0] >= alpha
        return
    at, before = source.p_values(m, n, np.array([round(critical * points), round(critical * points) - 1]) / points)

    assert at < alpha
    assert before >= alpha or at == before


def test_a_critical_statistic_is_one_that_samples_can_have() -> None:
    """Of four and five values, 17/20 is a multiple of 1/20 that no samples have."""
    assert 1.0 == Ks2sampPValues().critical_statistic(4, 5, 0.05)


def test_p_values_beyond_the_range_of_floats() -> None:
    """Two thousand values without a common range have the p-value 0, without a warning."""
    assert [0.0] == Ks2sampPValues().p_values(2000, 2000, np.array([1.0])).tolist()
