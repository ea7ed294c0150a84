"""Conversions between units that clients confuse, each with the function that undoes it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FAR_RATIO = 10.0
"""From this ratio on, or its inverse, a distribution that keeps its shape has hardly ever moved by itself."""

_FACTORS = {
    1.609344: ("kilometres", "miles"),
    1.852: ("kilometres", "nautical miles"),
    2.2046226: ("pounds", "kilograms"),
    2.54: ("centimetres", "inches"),
    3.2808399: ("feet", "metres"),
    3.6: ("kilometres per hour", "metres per second"),
    3.7854118: ("litres", "gallons"),
    4.184: ("joules", "calories"),
    6.8947573: ("kilopascals", "psi"),
    7.0: ("days", "weeks"),
    7.5006158: ("mmHg", "kilopascals"),
    8.0: ("bits", "bytes"),
    12.0: ("months", "years"),
    18.0156: ("mg/dl", "mmol/l"),
    24.0: ("hours", "days"),
    25.4: ("millimetres", "inches"),
    28.349523: ("grams", "ounces"),
    30.48: ("centimetres", "feet"),
    57.295780: ("degrees", "radians"),
    60.0: ("minutes", "hours"),
    453.59237: ("grams", "pounds"),
    3600.0: ("seconds", "hours"),
    86_400.0: ("seconds", "days"),
}
"""What a number is multiplied by if it is in the first unit instead of the second; powers of ten are not listed."""

_LARGEST_POWER = 12

_TEMPERATURES = {
    ("degrees Fahrenheit", "degrees Celsius"): (1.8, 32.0),
    ("kelvins", "degrees Celsius"): (1.0, 273.15),
    ("degrees Fahrenheit", "kelvins"): (1.8, -459.67),
}
"""What a temperature is multiplied by, and what is added then, if it is in the first unit instead of the second."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A conversion.

    Args:
        words: What has happened to the values, as a clause.
        undo: Converts values back.
        ratio: By how much values are multiplied; `None` if it does more, or something else.
        units: The two units, if `ratio` is theirs.
    """

    words: str
    undo: Callable[[Floats], Floats]
    ratio: float | None = None
    units: str = ""

    @property
    def is_near(self) -> bool:
        """Whether values may well move so far by themselves."""
        return self.ratio is not None and 1 / _FAR_RATIO < self.ratio < _FAR_RATIO


def scaled(ratio: float, units: str = "") -> Conversion:
    """The conversion that multiplies by a number.

    Args:
        ratio: The number, above 0.
        units: Two units as an example; empty if there is none.
    """
    return Conversion(words_of_scale(ratio, units), lambda values: values / ratio, ratio, units)


def words_of_scale(ratio: float, units: str = "") -> str:
    """The clause on a ratio, with two units as an example."""
    return f"every decile is about {three_digits(ratio)} times the reference's {_question(units)}"


def three_digits(value: float) -> str:
    """A number with three significant digits."""
    return f"{float(f'{value:.3g}'):g}"


def _linear(ratio: float, offset: float, units: str) -> Conversion:
    """The conversion that multiplies by a number and adds another."""
    size = three_digits(abs(offset))
    if ratio == 1:
        words = f"every decile is about {size} {'above' if offset > 0 else 'below'} the reference's"
    else:
        sign = "plus" if offset > 0 else "minus"
        words = f"every decile is about {three_digits(ratio)} times the reference's, {sign} {size}"
    return Conversion(f"{words} {_question(units)}", lambda values: (values - offset) / ratio)


def _question(units: str) -> str:
    return f"(a change of unit, {units}?)" if units else "(a change of unit?)"


def _known() -> Iterator[Conversion]:
    """All conversions of the tables, in both directions."""
    for power in range(1, _LARGEST_POWER + 1):
        yield from (scaled(10.0**power), scaled(10.0**-power))
    for factor, (new, old) in _FACTORS.items():
        yield from (scaled(factor, f"{new} for {old}"), scaled(1 / factor, f"{old} for {new}"))
    for (new, old), (ratio, offset) in _TEMPERATURES.items():
        yield _linear(ratio, offset, f"{new} for {old}")
        yield _linear(1 / ratio, -offset / ratio, f"{old} for {new}")
    for name, forward, backward in _LOGARITHMS:
        yield Conversion(
            f"the values are about {name} of the reference's values x (a transformation too many?)", backward
        )
        yield Conversion(
            f"the reference's values are about {name} of the values x (a transformation left out?)", forward
        )


def _power_of_ten(values: Floats) -> Floats:
    powers: Floats = np.power(10.0, values)
    return powers


_LOGARITHMS: tuple[tuple[str, Callable[[Floats], Floats], Callable[[Floats], Floats]], ...] = (
    ("log(x)", np.log, np.exp),
    ("log10(x)", np.log10, _power_of_ten),
    ("log(1 + x)", np.log1p, np.expm1),
)
"""The transformations of features that are usual, with their inverses."""

KNOWN = tuple(_known())
"""All conversions that need no measuring."""
