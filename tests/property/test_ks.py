"""Laws of the KS statistic and its p-value, and agreement with scipy."""

import math

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from driftgauge.drift.statistics.ks import ks_statistic, sorted_ks_statistic
from driftgauge.drift.statistics.p_value import PValues

pytestmark = pytest.mark.long

Floats = NDArray[np.float64]

reals = st.floats(allow_nan=False, allow_infinity=False)
few = st.integers(-3, 3).map(float)  # ties, within and between the samples
values = st.one_of(few, reals)
samples = st.one_of(
    arrays.arrays(np.float64, st.integers(1, 60), elements=few),
    arrays.arrays(np.float64, st.integers(1, 60), elements=values),
)


@settings(deadline=None)
@given(first=samples, second=samples)
def test_equals_scipy(first: Floats, second: Floats) -> None:
    """Statistic and p-value are scipy's asymptotic ones to 1e-12 and 1e-9."""
    assume(first.size + second.size > 2)  # of one value each scipy divides by zero
    expected = ks_2samp(first, second, method="asymp")
    statistic = ks_statistic(np.sort(first), second)
    p_value = PValues().p_values(first.size, second.size, np.array([statistic]))[0]

    assert abs(float(expected.statistic) - statistic) <= 1e-12
    assert abs(float(expected.pvalue) - p_value) <= 1e-9


@settings(deadline=None)
@given(first=samples, second=samples)
def test_symmetric_and_within_bounds(first: Floats, second: Floats) -> None:
    """The distance is the same in both directions and lies in [0, 1] on the lattice of 1 / lcm(m, n)."""
    first, second = np.sort(first), np.sort(second)
    statistic = sorted_ks_statistic(first, second)
    points = math.lcm(first.size, second.size)

    assert statistic == sorted_ks_statistic(second, first)
    assert 0.0 <= statistic <= 1.0
    assert round(statistic * points) / points == statistic


@settings(deadline=None)
@given(sample=samples, data=st.data())
def test_zero_on_itself(sample: Floats, data: st.DataObject) -> None:
    """A sample has no distance from its own values, in any order and any number of times."""
    order = data.draw(st.permutations(range(sample.size)))

    assert ks_statistic(np.sort(sample), np.tile(sample[order], 2)) == 0.0


@settings(deadline=None)
@given(first=samples, second=samples)
def test_unmoved_by_monotone_maps(first: Floats, second: Floats) -> None:
    """A strictly increasing map keeps the distance; a decreasing one too, since it counts from the other end."""
    ranks = {value: float(rank) ** 3 for rank, value in enumerate(np.unique(np.concatenate([first, second])).tolist())}
    mapped = [np.array([ranks[value] for value in sample.tolist()]) for sample in (first, second)]
    expected = ks_statistic(np.sort(first), second)

    assert expected == ks_statistic(np.sort(mapped[0]), mapped[1])
    assert expected == ks_statistic(np.sort(-mapped[0]), -mapped[1])


@settings(deadline=None)
@given(
    m=st.integers(1, 3000),
    n=st.integers(1, 3000),
    alpha=st.floats(1e-12, 0.9),
    data=st.data(),
)
def test_verdict_by_statistic_is_verdict_by_p_value(m: int, n: int, alpha: float, data: st.DataObject) -> None:
    """A statistic reaches the critical one exactly if its p-value is below the level."""
    table = PValues()
    points = math.lcm(m, n)
    critical = table.critical_statistic(m, n, alpha)
    turn = points if math.isinf(critical) else round(critical * points)
    k = data.draw(st.one_of(st.integers(0, points), st.integers(max(0, turn - 2), min(points, turn + 2))))
    p_value = table.p_values(m, n, np.array([k / points]))[0]

    assert (k / points >= critical) == (p_value < alpha)
