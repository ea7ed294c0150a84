"""Numbers and times as text for people."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.page.formatting import count, distance, moment, number, probability, share, ticks


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0"),
        (3.0, "3"),
        (-3.25, "-3.25"),
        (151.0, "151"),
        (1234.5678, "1235"),
        (12.34567, "12.35"),
        (0.0756, "0.0756"),
        (0.9918, "0.9918"),
        (1e-9, "1.00e-09"),
        (123456789.0, "1.23e+08"),
        (math.inf, "none"),
    ],
)
def test_numbers_have_four_significant_digits(value: float, expected: str) -> None:
    """A short number is written out, others have a power of ten."""
    assert expected == number(value)


def test_distances_line_up() -> None:
    """Each has three digits; infinity is `none`."""
    assert ["0.797", "1.000", "none"] == [distance(value) for value in (0.7971, 1.0, math.inf)]


def test_probabilities() -> None:
    """They have two significant digits; an underflow is not shown as 0, and no p-value is a dash."""
    assert ["0.037", "1.2e-30", "< 1e-99", "–"] == [  # noqa: RUF001 an en dash, as in the tables
        probability(value) for value in (0.0371, 1.23e-30, 0.0, None)
    ]


def test_shares() -> None:
    """A small share is not shown as 0 %."""
    assert ["0 %", "< 0.1 %", "30.6 %", "100 %"] == [share(value) for value in (0.0, 0.0001, 0.3056, 1.0)]


def test_counts() -> None:
    """Thousands are separated, and 1 has a singular."""
    assert ["1 row", "1,482 rows"] == [count(value, "row") for value in (1, 1482)]


def test_moments() -> None:
    """Times are in UTC; one outside the calendar is in seconds."""
    assert ["2023-11-14 22:13:20 UTC", "1e+30 s since 1970"] == [moment(1.7e9), moment(1e30)]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-3.0, 7.0, ["-2", "0", "2", "4", "6"]),
        (0.99, 1.004, ["0.990", "0.995", "1.000"]),
        (0.0, 5e9, ["0", "1e+09", "2e+09", "3e+09", "4e+09", "5e+09"]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[str]) -> None:
    """Their steps are 1, 2 or 5 times a power of ten."""
    assert expected == [text for _, text in ticks(low, high)]


@given(st.floats(-1e12, 1e12), st.floats(1e-3, 1e12))
def test_ticks_lie_on_the_axis_and_differ(low: float, width: float) -> None:
    """Every tick lies on the axis, differs from its neighbours, and there are at most six."""
    high = low + max(width, 1e-12 * abs(low))
    found = ticks(low, high)
    margin = 1e-9 * (high - low) + 1e-15 * abs(low)

    assert len(found) <= 6
    assert all(low - margin <= place <= high + margin for place, _ in found)
    assert len(found) == len({text for _, text in found})
