"""Windows whose rows have weights: with equal weights nothing changes, and a whole weight is as many equal rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from driftgauge.drift.measure import Measurement, Past, Sample, total_variation
from driftgauge.drift.profile import Profile, categorical_profile
from driftgauge.drift.statistics.ks import ranks, weighted_ks_statistics

Floats = NDArray[np.float64]

VALUES = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6))
SAMPLES = st.lists(VALUES, min_size=2, max_size=40)
CODES = st.lists(st.sampled_from([0.0, 1.0, 2.0, 9.0]), min_size=1, max_size=30)


def weighted_ks(reference: list[float], window: list[float], weights: list[float]) -> float:
    """D of a window whose values have these weights."""
    values = np.array(window)
    order = np.argsort(values)
    below, at_most = ranks([np.sort(reference)], values[np.newaxis, order])
    return float(weighted_ks_statistics(len(reference), below, at_most, np.array(weights)[np.newaxis, order])[0])


@given(reference=SAMPLES, window=SAMPLES, weight=st.sampled_from([1.0, 0.25, 1 / 3, 0.004]))
def test_with_equal_weights_it_is_the_statistic_of_scipy(
    reference: list[float], window: list[float], weight: float
) -> None:
    """To 1e-12, with ties within and between the samples, whatever the weight."""
    expected = ks_2samp(reference, window, method="asymp").statistic

    assert weighted_ks(reference, window, [weight] * len(window)) == pytest.approx(expected, abs=1e-12)


@given(reference=SAMPLES, window=st.lists(st.tuples(VALUES, st.integers(1, 5)), min_size=2, max_size=20))
def test_a_whole_weight_is_as_many_equal_values(reference: list[float], window: list[tuple[float, int]]) -> None:
    """The weighted distribution function is that of the sample with each value repeated."""
    values, weights = [value for value, _ in window], [float(weight) for _, weight in window]
    repeated = [value for value, weight in window for _ in range(weight)]
    expected = ks_2samp(reference, repeated, method="asymp").statistic

    assert weighted_ks(reference, values, weights) == pytest.approx(expected, abs=1e-12)


def profile_of(codes: list[float], missing: int) -> Profile:
    """The profile of a column of categories."""
    return categorical_profile("c", np.sort(codes), {}, missing)


def by_test(measured: tuple[Measurement, ...]) -> dict[str, Measurement]:
    """Measurements by the names of their tests."""
    return {one.test.value: one for one in measured}


@given(
    reference=CODES,
    window=st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.0, 9.0]), st.integers(1, 4)), min_size=1, max_size=20),
    missing=st.integers(0, 5),
)
def test_shares_of_categories_and_of_missing_values_are_weighted(
    reference: list[float], window: list[tuple[float, int]], missing: int
) -> None:
    """Both statistics and the p-values' counts are those of the window with each row repeated."""
    profile = profile_of(reference, 2)
    rows = sorted(window)
    values, weights = (np.array(side, dtype=np.float64) for side in zip(*rows, strict=True))
    repeated = np.repeat(values, weights.astype(np.int64))
    plain = by_test(Sample(profile, repeated, missing).measure(1))
    sample = Sample(profile, values, missing, weights=weights, row_weights=(weights.sum(), float(missing)))
    weighted = by_test(sample.measure(1))

    assert plain.keys() == weighted.keys()
    for name, one in weighted.items():
        assert one.counts is not None
        assert one.statistic == pytest.approx(plain[name].statistic, abs=1e-12)
        assert one.statistic == total_variation(*one.counts)
        assert one.effective_rows == plain[name].effective_rows


@given(weights=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=20), factor=st.floats(1.0, 5.0))
def test_effective_rows_are_the_sum_of_the_weights_by_the_factor(weights: list[float], factor: float) -> None:
    """At least 1."""
    values = np.zeros(len(weights))
    sample = Sample(profile_of([0.0], 0), values, 0, Past(factor), weights=np.array(weights))

    assert sample.measure(1)[0].effective_rows == pytest.approx(max(1.0, sum(weights) / factor))
    assert sample.measure(1)[0].rows == (1, len(weights))
