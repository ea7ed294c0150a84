"""The survival function of the one-sample statistic, against scipy over all of its branches."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstwo

from driftgauge.drift.statistics.kolmogorov import (
    BODY,
    BODY_N,
    SMALL_N_TAIL,
    TAIL,
    UNDERFLOW,
    durbin,
    stirling_error,
    survival,
)

pytestmark = pytest.mark.long

SIZES = [1, 2, 3, 7, 20, 83, 140, 141, 333, 1000, 1024, 1025, 1667, 4999, 5000, 9091, 30_000]


def grid(n: int) -> NDArray[np.float64]:
    """Statistics over the whole range, dense where p changes, and on both sides of every branch."""
    edges = [0.5 / n, 1 / n, 1 - 1 / n, 0.5, (BODY / n) ** (2 / 3)]
    edges += [math.sqrt(limit / n) for limit in (SMALL_N_TAIL, TAIL, UNDERFLOW)]
    sides = [edge * factor for edge in edges for factor in (1 - 1e-9, 1 + 1e-9)]
    steps = 160 if n < 6000 else 40  # scipy takes milliseconds for each value of the larger sizes
    dense = np.linspace(0.0, min(1.0, 4.0 / math.sqrt(n)), steps)
    values = np.concatenate([sides, dense, np.linspace(0.0, 1.0, steps // 4)])
    return np.unique(values[(values >= 0.0) & (values <= 1.0)])


@pytest.mark.parametrize("n", SIZES)
def test_equals_scipy(n: int) -> None:
    """Over a dense grid the values are those of `kstwo.sf`, and 0.0 exactly where scipy's are."""
    statistics = grid(n)
    expected = np.array([float(kstwo.sf(statistic, n)) for statistic in statistics])
    actual = survival(n, statistics)

    assert np.abs(expected - actual).max() <= (2e-10 if n >= BODY_N else 1e-13)
    assert ((expected == 0.0) == (actual == 0.0)).all()


@pytest.mark.parametrize("n", [83, 200, 1667, 9091])
def test_relative_error_of_the_tail(n: int) -> None:
    """Also the smallest p-values have ten right digits."""
    statistics = np.sqrt(np.linspace(TAIL + 2, UNDERFLOW / 2, 20) / n)
    statistics = statistics[statistics < 1.0]
    expected = np.array([float(kstwo.sf(statistic, n)) for statistic in statistics])

    assert survival(n, statistics) == pytest.approx(expected, rel=1e-10, abs=0.0)


def test_a_value_depends_on_its_own_statistic_alone() -> None:
    """A value computed among others is, to the last bit, the value computed alone."""
    statistics = grid(700)
    alone = [float(survival(700, statistics[index : index + 1])[0]) for index in range(statistics.size)]

    assert alone == survival(700, statistics).tolist()


def test_no_observations() -> None:
    """Without observations every statistic is likely."""
    assert [1.0, 1.0] == survival(0, np.array([0.0, 1.0])).tolist()


def test_many_values_at_once() -> None:
    """More values than one block of terms holds are all computed."""
    values = survival(1000, np.full(2000, 0.06))

    assert [float(kstwo.sf(0.06, 1000))] * 2000 == pytest.approx(values.tolist(), abs=1e-15)


def test_published_value() -> None:
    """Marsaglia, Tsang and Wang 2003, section 3: K(10, 0.274) = 0.628479615..."""
    assert durbin(10, 0.274) == pytest.approx(0.6284796154565, abs=1e-12)


def test_stirling_error() -> None:
    """What Stirling's formula lacks for 1! is 1 - log(sqrt(2 pi)), for large k about 1 / (12 k)."""
    actual = stirling_error(np.array([1.0, 1e6]))

    assert [1.0 - 0.5 * math.log(2.0 * math.pi), 1.0 / 12e6] == pytest.approx(actual.tolist(), rel=1e-12)
