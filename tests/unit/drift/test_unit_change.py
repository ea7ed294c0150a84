"""Changes of unit: one number explains all deciles, and ordinary drift is not taken for a change of unit."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.drift.unit_change import unit_change
from driftgauge.drift.unit_conversions import three_digits

Floats = NDArray[np.float64]

WINE = Path(__file__).parents[3] / "examples" / "wine"


def prices(rows: int, seed: int) -> Floats:
    """Positive values with a long tail."""
    return np.sort(np.random.default_rng(seed).lognormal(3.0, 1.0, rows))


def heights(rows: int, seed: int) -> Floats:
    """Positive values that vary by a tenth."""
    return np.sort(np.random.default_rng(seed).lognormal(4.2, 0.1, rows))


def degrees(rows: int, seed: int) -> Floats:
    """Temperatures of a summer, in Celsius."""
    return np.sort(np.random.default_rng(seed).normal(18.0, 6.0, rows))


@pytest.mark.parametrize(
    ("factor", "rows"), [(factor, rows) for factor in (100.0, 0.001, 37.0, 0.027) for rows in (100, 2000)]
)
def test_another_unit_is_found_by_its_factor(factor: float, rows: int) -> None:
    """A factor far from 1 is found in short windows too: cents for euros."""
    clause = unit_change(prices(5000, 1), prices(rows, 2) * factor)
    assert clause is not None
    words = clause.split()

    assert ("every decile is about", "times the reference's") == (" ".join(words[:4]), " ".join(words[5:8]))
    assert factor == pytest.approx(float(words[4]), rel=0.3 if rows < 1000 else 0.1)


@pytest.mark.parametrize(
    ("factor", "units"),
    [
        (2.54, "centimetres for inches"),
        (1 / 2.54, "inches for centimetres"),
        (1.609, "kilometres for miles"),
        (2.205, "pounds for kilograms"),
    ],
)
def test_units_that_have_this_factor_are_named(factor: float, units: str) -> None:
    """They are an example, of values that vary little enough to determine the factor; a power of ten has too many."""
    reference, window = heights(5000, 1), heights(2000, 2)

    assert f"every decile is about {three_digits(factor)[:3]}" == (unit_change(reference, window * factor) or "")[:25]
    assert (unit_change(reference, window * factor) or "").endswith(f"(a change of unit, {units}?)")
    assert (unit_change(reference, window * 1000) or "").endswith("(a change of unit?)")


def test_the_number_is_the_measured_one() -> None:
    """Heights of another group, a little above, in centimetres instead of inches."""
    assert "every decile is about 2.56 times the reference's (a change of unit, centimetres for inches?)" == (
        unit_change(heights(5000, 1), heights(5000, 2) * 2.54 * 1.005)
    )


SKEWED: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "lognormal": lambda generator, rows: generator.lognormal(3.0, 1.0, rows),
    "exponential": lambda generator, rows: generator.exponential(5.0, rows),
    "gamma": lambda generator, rows: generator.gamma(2.0, 3.0, rows),
}


@pytest.mark.parametrize("rows", [300, 1000, 5000])
@pytest.mark.parametrize("factor", [1.5, 2.0, 2.4, 3.0, 4.0])
@pytest.mark.parametrize("distribution", SKEWED)
def test_growth_of_a_skewed_feature_is_no_change_of_unit(distribution: str, factor: float, rows: int) -> None:
    """Of 40 windows that have grown, none is called another unit: less than 8 % of all are, with 95 % confidence."""
    generator, draw = np.random.default_rng([rows, int(10 * factor)]), SKEWED[distribution]
    reference = np.sort(draw(generator, 5000))

    assert [None] * 40 == [unit_change(reference, np.sort(draw(generator, rows) * factor)) for _ in range(40)]


@pytest.mark.parametrize("factor", [1.7, 0.59, 2.9, 5.0])
def test_a_factor_near_1_that_no_unit_has_is_no_change_of_unit(factor: float) -> None:
    """Values grow by as much by themselves."""
    reference, window = prices(5000, 1) ** 0.3, prices(2000, 2) ** 0.3

    assert unit_change(reference, window * factor) is None


def test_kelvin_for_celsius_is_found_by_its_offset() -> None:
    """It is found in both directions."""
    celsius, kelvins = degrees(5000, 1), degrees(2000, 1) + 273.15

    assert "every decile is about 273 above the reference's (a change of unit, kelvins for degrees Celsius?)" == (
        unit_change(celsius, kelvins)
    )
    assert "every decile is about 273 below the reference's (a change of unit, degrees Celsius for kelvins?)" == (
        unit_change(kelvins, celsius)
    )


@pytest.mark.parametrize("rows", [100, 2000])
def test_fahrenheit_for_celsius_is_found_by_its_factor_and_offset(rows: int) -> None:
    """It is found in both directions."""
    celsius, fahrenheit = degrees(5000, 1), degrees(rows, 2) * 1.8 + 32

    assert "every decile is about 1.8 times the reference's, plus 32 (a change of unit, " == (
        unit_change(celsius, fahrenheit) or ""
    ).removesuffix("degrees Fahrenheit for degrees Celsius?)")
    assert "every decile is about 0.556 times the reference's, minus 17.8 (a change of unit, " == (
        unit_change(fahrenheit, celsius) or ""
    ).removesuffix("degrees Celsius for degrees Fahrenheit?)")


@pytest.mark.parametrize(("name", "transform"), [("log(x)", np.log), ("log10(x)", np.log10), ("log(1 + x)", np.log1p)])
def test_logarithms_are_found(name: str, transform: Callable[[Floats], Floats]) -> None:
    """A transformation that a new client leaves out, or does where the model does it already."""
    reference, window = 1000 * prices(5000, 1), 1000 * prices(2000, 2)
    near_twin = name.replace("1 + x", "x") if name == "log(1 + x)" else "log(1 + x)"

    assert unit_change(reference, transform(window)) in {
        f"the values are about {one} of the reference's values x (a transformation too many?)"
        for one in (name, near_twin)
    }
    assert unit_change(transform(reference), window) in {
        f"the reference's values are about {one} of the values x (a transformation left out?)"
        for one in (name, near_twin)
    }


def wine(name: str) -> Floats:
    """The measurements of wines, one column for each feature."""
    return np.loadtxt(WINE / name, delimiter=",", skiprows=1)


@pytest.mark.parametrize("rows", [100, 200, 500, 1482])
def test_white_wines_are_no_change_of_unit(rows: int) -> None:
    """Chlorides have nearly one ratio, 0.59, but no unit has it, and the upper tails differ."""
    red, white = wine("red.csv"), wine("white_stream.csv")
    pairs = ((red, white[:rows]), (white, red[:rows]))

    assert [[None] * 11] * 2 == [
        [unit_change(np.sort(reference[:, column]), np.sort(window[:, column])) for column in range(11)]
        for reference, window in pairs
    ]


@pytest.mark.parametrize("factor", [1000.0, 0.001, 2.54, 2.2046])
def test_another_unit_of_wines_is_found(factor: float) -> None:
    """The reference's wines and later ones differ a little, which hides no factor."""
    red, later = np.sort(wine("red.csv"), axis=0), np.sort(wine("red_stream.csv"), axis=0) * factor

    clauses = [unit_change(red[:, column], later[:, column]) or "" for column in range(11)]

    assert ["every decile is about"] * 11 == [" ".join(clause.split()[:4]) for clause in clauses]
    assert pytest.approx([factor] * 11, rel=0.01) == [float(clause.split()[4]) for clause in clauses]
    assert three_digits(factor) == clauses[6].split()[4]  # whole milligrams show it exactly


def test_fahrenheit_and_logarithms_of_wines_are_found() -> None:
    """All but total sulfur dioxide in Fahrenheit and sugar's logarithm, which overlap with the wines themselves."""
    red, later = (
        np.delete(np.sort(wine(name), axis=0), 2, axis=1) for name in ("red.csv", "red_stream.csv")
    )  # 2 has zeros
    found = [
        [unit_change(red[:, column], values[:, column]) or "" for column in range(10)]
        for values in (later * 1.8 + 32, np.log(later), np.log10(later))
    ]

    assert [9, 9, 10] == [
        sum(words in clause for clause in clauses)
        for words, clauses in zip(("1.8 times the reference's, plus 32", "log(x)", "log10(x)"), found, strict=True)
    ]


@pytest.mark.parametrize("factor", [1.5, 2.0, 2.4, 3.0, 4.0])
def test_growth_of_rounded_values_is_no_change_of_unit(factor: float) -> None:
    """Wines with twice the chlorides have these in the same unit."""
    red, later = np.sort(wine("red.csv"), axis=0), np.sort(wine("red_stream.csv"), axis=0) * factor

    assert [None] * 11 == [unit_change(red[:, column], later[:, column]) for column in range(11)]


def test_a_few_values_show_no_unit() -> None:
    """Two values have deciles, but they say nothing."""
    assert None is unit_change(prices(5000, 1), np.array([0.1, 0.2]))
    assert None is unit_change(degrees(5000, 1), degrees(19, 2) + 273.15)


def test_integers_are_converted_too() -> None:
    """Neither ties nor zeros nor rounding hide the factor."""
    values = np.sort(np.random.default_rng(1).poisson(4.0, 3000).astype(np.float64))

    assert (unit_change(values, values * 2.54) or "").startswith("every decile is about 2.54 times the reference's")
    assert "every decile is about 0.1 times the reference's (a change of unit?)" == (
        unit_change(-values[::-1], -values[::-1] * 0.1)
    )


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
        (np.linspace(1.0, 1.797e308, 100), np.linspace(1.6e308, 1.797e308, 100)),
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


@pytest.mark.parametrize("rows", [20, 50, 100, 300])
def test_another_spread_is_no_change_of_unit(rows: int) -> None:
    """The deciles of a window that is far away and narrow have ratios from 27 to 130, however short it is."""
    generator = np.random.default_rng(rows)
    reference = np.sort(generator.lognormal(0.0, 1.0, 5000))

    assert [None] * 100 == [unit_change(reference, np.sort(generator.lognormal(4.1, 0.4, rows))) for _ in range(100)]


@pytest.mark.parametrize("factor", [12.0, 60.0, 1000.0])
def test_a_few_values_that_are_not_zero_show_no_unit(factor: float) -> None:
    """A factor would be that of a tenth of the rows."""
    reference, window = np.zeros(2000), np.zeros(1000)
    reference[-200:], window[-100:] = prices(200, 1), prices(100, 2) * factor

    assert unit_change(reference, window) is None
