"""The histograms of the chart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.statistics.ecdf import curve
from driftgauge.page.histograms import HISTOGRAM_BARS, SKETCH_BARS, Shape, shape, small_shape

SAMPLES = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50).map(
    lambda values: np.array(sorted(values))
)


def shape_of(reference: np.ndarray, window: np.ndarray) -> Shape:
    """Both histograms of two samples."""
    return shape(reference, window, curve(reference, window).place)


@given(SAMPLES, SAMPLES)
def test_any_two_samples_have_a_shape(reference: np.ndarray, window: np.ndarray) -> None:
    """Edges ascend, are finite and few, and the shares of a sample sum to at most 1."""
    found = shape_of(reference, window)

    assert np.isfinite(found.edges).all()
    assert (np.diff(found.edges) > 0).all()
    assert len(found.reference) == len(found.window) == len(found.edges) - 1 <= HISTOGRAM_BARS
    assert max(sum(found.reference), sum(found.window)) <= 1 + 1e-9


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=90).map(lambda values: np.array(sorted(values))))
def test_few_values_are_all_on_the_chart(values: np.ndarray) -> None:
    """Of fewer than a hundred values none is an outlier."""
    found = shape_of(values, values)

    assert 1.0 == pytest.approx(sum(found.reference))
    assert found.reference == found.window


def test_one_outlier_does_not_squeeze_the_others() -> None:
    """A value a thousand times as large lies off the chart."""
    values = np.sort(np.append(np.random.default_rng(1).normal(size=999), 1000.0))

    assert shape_of(values, values).edges[-1] < 4


def test_whole_numbers_have_bars_of_a_whole_width() -> None:
    """Every bar of ages covers the same number of whole numbers."""
    ages = np.repeat(np.arange(18.0, 91.0), 10)
    found = shape_of(ages, ages)

    assert {3.0} == set(np.diff(found.edges))
    assert 17.5 == found.edges[0]
    assert max(found.reference[:-1]) == pytest.approx(min(found.reference[:-1]))


def test_a_single_value_is_in_the_middle() -> None:
    """A constant that is no whole number has a chart too."""
    values = np.full(10, 7.5)
    found = shape_of(values, values)

    assert (6.75, 8.25) == pytest.approx((found.edges[0], found.edges[-1]))
    assert 1.0 in found.reference


def test_the_place_of_the_statistic_is_on_the_chart() -> None:
    """It is so even if nearly all values lie elsewhere."""
    reference, window = np.sort(np.r_[np.zeros(1000), 5.5]), np.sort(np.r_[np.zeros(1000), 9.5])
    place = curve(reference, window).place

    assert shape_of(reference, window).edges[-1] >= place


def test_a_sketch_leaves_out_longer_tails() -> None:
    """It is small, so that a few high values must not squeeze the others."""
    values = np.sort(np.append(np.random.default_rng(1).normal(size=980), np.full(20, 50.0)))

    assert shape_of(values, values).edges[-1] == 50.0
    assert small_shape(values, values).edges[-1] < 4
    assert SKETCH_BARS == len(small_shape(values, values).reference)
