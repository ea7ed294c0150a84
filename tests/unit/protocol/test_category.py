"""Categories: what is one, and its number."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.protocol.category import code, text_of


@pytest.mark.parametrize(
    ("text", "expected"), [("red", 489432828731721.0), ("", 8044937785282358.0), ("rosé", 1974448710607027.0)]
)
def test_codes_never_change(text: str, expected: float) -> None:
    """References and rings outlive the program. By `b2sum --length=64`: the 53 highest bits."""
    assert expected == code(text)


@given(st.text())
def test_a_code_is_a_whole_number_that_a_double_holds(text: str) -> None:
    """In [0, 2**53), and the same each time."""
    number = code(text)

    assert number == code(text) == int(number)
    assert 0 <= number < 2**53


def test_ten_thousand_categories_have_ten_thousand_codes() -> None:
    """Two of them share one with a chance of 6e-9."""
    assert 10_000 == len({code(f"category {index}") for index in range(10_000)})


def test_half_a_surrogate_pair_has_a_code() -> None:
    """Text that no UTF-8 can hold is a category as any other."""
    assert code("\ud800") != code("\udfff")


@pytest.mark.parametrize("value", [None, math.nan, "", b""])
def test_missing_values_are_no_category(value: object) -> None:
    """None, NaN and empty text."""
    assert text_of(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("red", "red"),
        (" red ", " red "),
        ("94103.0", "94103"),
        (b"94103.0", "94103"),
        ("-3.0", "-3"),
        ("-0.0", "0"),
        ("3.50", "3.50"),
        ("3.10", "3.10"),
        ("1.2.0", "1.2.0"),
        ("007.0", "007.0"),
        ("+3.0", "+3.0"),
        ("9999999999999999.0", "9999999999999999"),
        ("12345678901234567.0", "12345678901234567.0"),
        ("\u0663.0", "\u0663.0"),
        ("3.0\n", "3.0\n"),
        (".0", ".0"),
        (b"red", "red"),
        ("rosé".encode(), "rosé"),
        (b"\xff", "\udcff"),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (3.0, "3"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e22, "10000000000000000000000"),
        (1e-7, "1e-07"),
        (math.inf, "inf"),
        ("nan", "nan"),
    ],
)
def test_a_category_is_its_text(value: object, expected: str) -> None:
    """Whole numbers have no point, whatever type carried them; any other text stays as it is."""
    assert expected == text_of(value)
