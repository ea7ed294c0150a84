"""The Wasserstein distance, against scipy and by hand."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from driftgauge.drift.sorted_values import SortedValues
from driftgauge.drift.statistics.effects import MOST_VALUES, Quantiles, wasserstein
from tests.support.effects import distance_of


def test_a_shift_is_its_own_distance() -> None:
    """A shift by two standard deviations has distance 2."""
    values = np.sort(np.random.default_rng(1).normal(1e9, 1.0, size=500))

    assert 2.0 == pytest.approx(distance_of(values, values + 2 * values.std()), rel=1e-6)


@pytest.mark.parametrize("value", [3.0, 0.0, -7.5])
def test_a_constant_reference_has_none(value: float) -> None:
    """It has no standard deviation to measure by."""
    assert distance_of(np.full(3, value), np.array([3.0, 4.0])) is None


@pytest.mark.parametrize(("m", "n"), [(250_000, 5_000), (5_000, 250_000), (250_000, 250_000)])
def test_long_samples_are_thinned(m: int, n: int) -> None:
    """Of 250,000 values every third is used, and the distance is within a thousandth of a deviation."""
    generator = np.random.default_rng(2)
    reference, window = np.sort(generator.normal(size=m)), np.sort(generator.normal(0.5, 1.5, size=n))
    expected = float(wasserstein_distance(reference, window) / reference.std())

    assert max(m, n) > MOST_VALUES
    assert expected == pytest.approx(distance_of(reference, window), abs=1e-3)


@pytest.mark.parametrize("rows", [1, 7, 40])
def test_many_windows_at_once_give_what_each_gives_alone(rows: int) -> None:
    """To the last bit, and also after windows of another size, for which integrals were cached."""
    generator = np.random.default_rng(3)
    references = np.sort(np.rint(generator.normal(size=(5, 30)) * 4), axis=1)
    references[2] = 1.0
    quantiles = [Quantiles(SortedValues.of(reference)) for reference in references]
    for n in (rows, rows + 1):
        windows = np.sort(np.rint(generator.normal(size=(5, n)) * 4), axis=1)
        at_most = np.stack([one.at_most(window) for one, window in zip(quantiles, windows, strict=True)])
        alone = [distance_of(reference, window) for reference, window in zip(references, windows, strict=True)]

        assert alone == wasserstein(quantiles, windows, at_most)
