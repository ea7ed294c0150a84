"""P-values of two samples, and the critical statistic of a level."""

import math

import numpy as np
import pytest
from scipy.stats import ks_2samp

from driftgauge.drift.statistics.p_value import PValues, effective_size

SIZES = [
    (1, 1),
    (1, 2),
    (2, 3),
    (10, 10),
    (11, 125),
    (100, 7),
    (1000, 200),
    (1599, 500),
    (10_007, 2000),
    (9999, 10_000),
]
LEVELS = [0.999, 0.9, 0.5, 0.05, 0.05 / 13, 1e-6, 4.2e-9, 1e-30]


def p_value(m: int, n: int, statistic: float) -> float:
    """One p-value."""
    return float(PValues().p_values(m, n, np.array([statistic]))[0])


@pytest.mark.parametrize(("m", "n"), [(100, 80), (1000, 1000), (5000, 300), (3, 2)])
def test_equals_scipy(m: int, n: int) -> None:
    """The p-value of two samples is that of scipy's asymptotic method."""
    generator = np.random.default_rng(m + n)
    first, second = generator.normal(size=m), generator.normal(0.1, 1.0, size=n)
    expected = ks_2samp(first, second, method="asymp")

    assert float(expected.pvalue) == pytest.approx(p_value(m, n, float(expected.statistic)), abs=1e-12)


def test_effective_size_rounds_halves_to_even() -> None:
    """The effective sizes 0.5, 1.5 and 2.5 are rounded to 0, 2 and 2, as numpy and scipy do."""
    assert [0, 2, 2] == [effective_size(1, 1), effective_size(3, 3), effective_size(5, 5)]


def test_ends_of_the_range() -> None:
    """No distance is no evidence, distance 1 of many values leaves no doubt."""
    assert (1.0, 0.0) == (p_value(100, 100, 0.0), p_value(100, 100, 1.0))


def test_one_value_each_is_no_evidence() -> None:
    """Two samples of one value have p = 1, where scipy gives NaN; neither is below any level."""
    assert p_value(1, 1, 1.0) == 1.0


@pytest.mark.parametrize(("m", "n"), SIZES)
@pytest.mark.parametrize("alpha", LEVELS)
def test_critical_statistic_is_where_the_verdict_turns(m: int, n: int, alpha: float) -> None:
    """At the critical statistic p is below the level, one step of the lattice before it is not."""
    critical = PValues().critical_statistic(m, n, alpha)
    points = math.lcm(m, n)
    if math.isinf(critical):
        assert p_value(m, n, 1.0) >= alpha
        return
    step = round(critical * points)

    assert critical == step / points
    assert p_value(m, n, critical) < alpha <= p_value(m, n, (step - 1) / points)


def test_critical_statistic_in_print() -> None:
    """For 1000 and 1000 values at 0.05 it is about 1.358 sqrt(2 / 1000) (Smirnov 1948, table: K(1.358) = 0.95)."""
    assert PValues().critical_statistic(1000, 1000, 0.05) == pytest.approx(1.358 * math.sqrt(2 / 1000), abs=1.5e-3)


def test_there_may_be_no_critical_statistic() -> None:
    """With one value on each side, and for level 0, no distance alarms."""
    values = PValues()

    assert (math.inf, math.inf) == (values.critical_statistic(1, 1, 0.05), values.critical_statistic(50, 60, 0.0))
