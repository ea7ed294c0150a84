"""The distribution functions that charts show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ecdf

from driftgauge.drift.statistics.ecdf import POINTS, curve
from driftgauge.drift.statistics.ks import ks_statistic
from driftgauge.errors import EmptySampleError

SAMPLES = st.lists(st.floats(-1e6, 1e6) | st.integers(-3, 3).map(float), min_size=1, max_size=200).map(
    lambda values: np.array(sorted(values))
)


def test_known_functions() -> None:
    """All of a few values are points: the functions of [1, 2] and [2, 3] are farthest apart at 1."""
    found = curve(np.array([1.0, 2.0]), np.array([2.0, 3.0]))

    assert (1.0, 2.0, 3.0) == found.xs
    assert (0.5, 1.0, 1.0) == found.reference
    assert (0.0, 0.5, 1.0) == found.window
    assert (1.0, -0.5) == (found.place, found.gap)


@given(SAMPLES, SAMPLES)
def test_marks_the_place_of_the_statistic(reference: np.ndarray, window: np.ndarray) -> None:
    """The gap at the marked point is D, whichever function is higher."""
    found = curve(reference, window)
    at = found.xs.index(found.place)

    assert ks_statistic(reference, window) == pytest.approx(abs(found.gap), abs=1e-12)
    assert found.gap == found.window[at] - found.reference[at]


@given(SAMPLES, SAMPLES)
def test_is_exact_at_its_points(reference: np.ndarray, window: np.ndarray) -> None:
    """At every point both functions are scipy's, and there are at most `POINTS` points."""
    found = curve(reference, window)

    assert ecdf(reference).cdf.evaluate(found.xs).tolist() == pytest.approx(found.reference)
    assert ecdf(window).cdf.evaluate(found.xs).tolist() == pytest.approx(found.window)
    assert len(found.xs) <= POINTS
    assert list(found.xs) == sorted(set(found.xs))


@given(SAMPLES, SAMPLES)
def test_reaches_from_end_to_end(reference: np.ndarray, window: np.ndarray) -> None:
    """The least and the greatest value of both samples are among the points."""
    found = curve(reference, window)

    assert min(reference[0], window[0]) == found.xs[0]
    assert max(reference[-1], window[-1]) == found.xs[-1]


def test_thousands_of_values_leave_small_steps() -> None:
    """Between two points a function of distinct values rises by little more than 1/31."""
    values = np.sort(np.random.default_rng(1).normal(size=5000))
    found = curve(values, values + 0.5)

    assert max(np.diff(found.reference)) < 1 / 29


@pytest.mark.parametrize("empty", [0, 1])
def test_refuses_a_sample_without_values(empty: int) -> None:
    """Neither sample may be empty."""
    reference, window = np.ones(1 - empty), np.ones(empty)

    with pytest.raises(EmptySampleError, match="needs at least one value"):
        curve(reference, window)
