"""Effect sizes, against scipy and by hand."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from driftgauge.drift.histogram import Histogram
from driftgauge.drift.profile import Profile, categorical_profile, numeric_profile
from driftgauge.drift.result import Effects
from tests.support.effects import effects_of

Floats = NDArray[np.float64]


def numbers(*values: float) -> Profile:
    """A numeric column."""
    return numeric_profile("a", np.sort(np.array(values, dtype=np.float64)))


def test_psi_by_hand() -> None:
    """By its definition, shares of 1/2, 1/2 and then 1/4, 3/4 give (1/4) ln 2 + (1/4) ln (3/2)."""
    actual = effects_of(numbers(0, 0, 1, 1), np.array([0.0, 1.0, 1.0, 1.0])).psi

    assert 0.25 * math.log(2) + 0.25 * math.log(1.5) == pytest.approx(actual)


def test_psi_of_an_empty_bin_is_that_of_half_a_row() -> None:
    """If 100 rows leave one of two bins empty, it is (1/2 - 1/200) ln 100 + (1 - 1/2) ln 2."""
    actual = effects_of(numbers(0, 1), np.ones(100)).psi

    assert (0.5 - 0.005) * math.log(100) + 0.5 * math.log(2) == pytest.approx(actual)


def test_a_window_like_its_reference_has_no_effect() -> None:
    """All effect sizes are 0, or nearly."""
    values = np.sort(np.random.default_rng(1).normal(size=1000))
    actual = effects_of(numeric_profile("a", values), values)

    assert (0.0, 0.0) == (actual.psi, actual.jensen_shannon)
    assert actual.wasserstein == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("m", "n"), [(1000, 300), (300, 1000), (7, 5), (1, 9), (500, 1)])
@pytest.mark.parametrize("missing", [0, 40])
def test_equal_to_scipy(m: int, n: int, missing: int) -> None:
    """Jensen-Shannon in base 2 over the bins; Wasserstein over the values, in standard deviations."""
    generator = np.random.default_rng(m + n)
    reference, window = np.sort(generator.normal(5, 2, size=m)), np.sort(generator.normal(6, 3, size=n))
    profile = numeric_profile("a", reference, missing // 4)
    bins = Histogram(profile).bins(window, missing)
    actual = effects_of(profile, window, missing)
    distance = float(jensenshannon([one.reference for one in bins], [one.window for one in bins], base=2))

    assert distance == pytest.approx(actual.jensen_shannon)
    if m > 1:
        assert float(wasserstein_distance(reference, window) / reference.std()) == pytest.approx(actual.wasserstein)


def test_nothing_in_common() -> None:
    """Without common bins Jensen-Shannon is 1, its greatest value."""
    assert 1.0 == effects_of(numbers(0, 1, 2), np.array([7.0, 8.0])).jensen_shannon


@pytest.mark.parametrize("missing", [0, 3])
def test_categories_have_no_wasserstein_distance(missing: int) -> None:
    """Codes have no order."""
    profile = categorical_profile("a", np.array([1.0, 2.0]), {1.0: "x", 2.0: "y"})
    actual = effects_of(profile, np.array([1.0, 1.0, 9.0]), missing)

    assert actual.wasserstein is None
    assert 0 < actual.jensen_shannon < 1


def test_a_window_of_missing_values_alone() -> None:
    """Jensen-Shannon is 1, PSI is finite, and there is no Wasserstein distance."""
    actual = effects_of(numbers(1, 2, 3), np.empty(0), 50)

    assert (1.0, None) == (actual.jensen_shannon, actual.wasserstein)
    assert 1 < actual.psi < math.inf


def test_a_window_without_rows_has_no_effect() -> None:
    """All effect sizes are 0, and there is no Wasserstein distance."""
    assert Effects(psi=0.0, jensen_shannon=0.0, wasserstein=None) == effects_of(numbers(1, 2, 3), np.empty(0))


@pytest.mark.parametrize(
    ("reference", "window"),
    [
        ((-1e308, 1e308), (1e308, 1e308)),
        ((1.0, 2.0), (-1.7e308, 1.7e308)),
        ((5e-324, 1e-323), (0.0, 1e308)),
        ((0.0, 1e-200), (1e200, 1e201)),
        ((-1.0, 1e308), (-1.0, 0.0)),
    ],
)
def test_extreme_values_have_finite_effects(reference: tuple[float, ...], window: tuple[float, ...]) -> None:
    """Neither very large nor very small values overflow."""
    actual = effects_of(numbers(*reference), np.array(window))
    assert actual.wasserstein is not None

    assert all(math.isfinite(value) for value in (actual.psi, actual.jensen_shannon, actual.wasserstein))
    assert actual.wasserstein > 0
