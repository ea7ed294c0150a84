"""Changes of unit: one number explains all deciles, and ordinary drift is not taken for a change of unit."""

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.unit_change import three_digits, unit_change

Floats = NDArray[np.float64]


def prices(rows: int, seed: int) -> Floats:
    """Positive values with a long tail."""
    return np.sort(np.random.default_rng(seed).lognormal(3.0, 1.0, rows))


def degrees(rows: int, seed: int) -> Floats:
    """Temperatures of a summer, in Celsius."""
    return np.sort(np.random.default_rng(seed).normal(18.0, 6.0, rows))


@pytest.mark.parametrize("factor", [2.54, 1 / 2.54, 100.0, 0.001, 1.609])
@pytest.mark.parametrize("rows", [100, 2000])
def test_another_unit_is_found_by_its_factor(factor: float, rows: int) -> None:
    """Centimetres for inches, cents for euros, kilometres for miles; less exactly in short windows."""
    clause = unit_change(prices(5000, 1), prices(rows, 2) * factor)
    assert clause is not None
    words = clause.split()

    assert ("every decile is about", "times the reference's") == (" ".join(words[:4]), " ".join(words[5:]))
    assert factor == pytest.approx(float(words[4]), rel=0.3 if rows < 1000 else 0.1)


def test_kelvin_for_celsius_is_found_by_its_offset() -> None:
    """It is found in both directions."""
    assert unit_change(degrees(5000, 1), degrees(2000, 1) + 273.15) in {
        f"every decile is about {offset} above the reference's" for offset in (273, 274)
    }
    assert unit_change(degrees(5000, 1) + 273.15, degrees(5000, 1)) == "every decile is about 273 below the reference's"


def test_a_few_values_show_no_unit() -> None:
    """Two values have deciles, but they say nothing."""
    assert None is unit_change(prices(5000, 1), np.array([0.1, 0.2]))
    assert None is unit_change(degrees(5000, 1), degrees(19, 2) + 273.15)


def test_integers_are_converted_too() -> None:
    """Neither ties nor zeros nor rounding hide the factor."""
    values = np.sort(np.random.default_rng(1).poisson(4.0, 3000).astype(np.float64))

    assert unit_change(values, values * 2.54) == "every decile is about 2.54 times the reference's"
    assert unit_change(-values[::-1], -values[::-1] * 0.1) == "every decile is about 0.1 times the reference's"


@pytest.mark.parametrize("rows", [50, 200, 2000])
@pytest.mark.parametrize("shift", [0.1, 0.5, 1.0, 2.0, 3.0, 5.0])
@pytest.mark.parametrize("mean", [0.0, 2.0, 5.0, 100.0])
def test_a_shift_is_no_change_of_unit(mean: float, shift: float, rows: int) -> None:
    """A Gaussian that moves up by some standard deviations is drift: its deciles have different ratios."""
    generator = np.random.default_rng([rows, int(10 * shift), int(mean)])
    reference, window = (
        np.sort(generator.normal(centre, 1.0, size)) for centre, size in ((mean, 5000), (mean + shift, rows))
    )

    assert unit_change(reference, window) is None


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 3.0])
def test_spread_about_zero_is_no_change_of_unit(factor: float) -> None:
    """For values of both signs a factor is only another spread."""
    values = np.sort(np.random.default_rng(1).normal(size=2000))

    assert unit_change(values, values * factor) is None


@pytest.mark.parametrize("factor", [1.05, 1.4, 1 / 1.4])
def test_a_small_factor_is_no_change_of_unit(factor: float) -> None:
    """Prices rise by as much without a change of unit."""
    assert unit_change(prices(5000, 1), prices(2000, 2) * factor) is None


def test_another_shape_is_no_change_of_unit() -> None:
    """No single number explains deciles of which some moved far and some hardly."""
    assert unit_change(prices(5000, 1), np.sqrt(prices(2000, 2))) is None


@pytest.mark.parametrize(
    ("reference", "window"),
    [
        (np.full(100, 3.0), np.full(50, 9.0)),
        (np.full(100, 3.0), np.arange(50.0)),
        (np.arange(50.0), np.full(50, 9.0)),
        (np.array([1.0]), np.array([2.0])),
        (np.linspace(-1.7, 1.7, 100) * 1e308, np.linspace(1.6e308, 1.7e308, 100)),
        (np.linspace(-1.7e308, -1.6e308, 100), np.linspace(1.6e308, 1.7e308, 100)),
        (np.array([0.0, 5e-324, 1e-323] * 20), np.linspace(1e307, 1.7e308, 60)),
    ],
)
def test_extremes_have_no_change_of_unit(reference: Floats, window: Floats) -> None:
    """Constants, single values, and the largest and smallest floats have none, and nothing overflows."""
    assert unit_change(np.sort(reference), window) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [(2.5399, "2.54"), (273.15, "273"), (999.9, "1000"), (0.000393701, "0.000394"), (12345.0, "12300")],
)
def test_numbers_have_three_digits(value: float, expected: str) -> None:
    """A number is written with three significant digits, without an exponent."""
    assert expected == three_digits(value)
