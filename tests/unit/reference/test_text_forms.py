"""Texts that are dates, and numbers with a currency, a percent sign or separators of thousands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.reference.text_forms import is_date, plain_number


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31",
        "2024/1/31",
        "2024.01.31",
        "2024-01-31T12:00:00Z",
        "2024-01-31 12:00:00.123456 +0200",
        "01/31/2024",
        "31/01/2024",
        "1/5/24",
        "31.01.2024",
        "31-01-2024 10:15",
        "01/31/2024 10:15:00 PM",
        "Jan 05, 2023",
        "January 5 2023",
        "Sept. 5th, 2023",
        "5 Jan 2023",
        "05-Jan-23",
        "5. May 2023, 10:15",
        "Thu, 05 Jan 2023 10:15:00 GMT",
        "Thursday, January 5, 2023",
        "Thu Jan 5 10:15:00 2023",
        "20240131",
        "20240131T101500Z",
        "20240131101500",
        "12:30",
        "23:59:59.5",
        "3:30 pm",
        " 2024-01-31 ",
    ],
)
def test_dates(text: str) -> None:
    """The usual forms, with and without a time of the day."""
    assert is_date(text)


@pytest.mark.parametrize(
    "text",
    [
        "2024-13-31",
        "2024-01-32",
        "1234-56-78",
        "32/01/2024",
        "13/13/2024",
        "1.2.13",
        "2024.1.5",
        "10.0.0.1",
        "20241331",
        "18991231",
        "94103",
        "555-12-3456",
        "16:9",
        "1:10",
        "25:00",
        "Jan",
        "May 2024",
        "5 May",
        "Julia 05, 2023",
        "2024-01",
        "red",
        "",
        "\u0662\u0660\u0662\u0664-01-31",
    ],
)
def test_other_texts(text: str) -> None:
    """Versions, codes, ratios, and days that no calendar has."""
    assert not is_date(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("$1,303.68", "1303.68"),
        ("-$5", "-5"),
        ("$ -5.50", "-5.50"),
        ("($1,234)", "-1234"),
        ("12 %", "12"),
        ("12.5%", "12.5"),
        ("1,234", "1234"),
        ("12,34,567.8", "1234567.8"),
        ("1.234,56", "1234.56"),
        ("1.234,56 €", "1234.56"),
        ("€ 7,5", "7.5"),
        ("7,4", "7.4"),
        ("1 234,5", "1234.5"),
        ("1\u00a0234\u202f567", "1234567"),
        ("1'234.50", "1234.50"),
        ("USD 5", "5"),
        ("5 EUR", "5"),
        ("₹ 1,00,000", "100000"),
        (" $5 ", "5"),
    ],
)
def test_formatted_numbers(text: str, number: str) -> None:
    """The number as it is to be written."""
    assert number == plain_number(text)
    assert float(number) == float(number)


@pytest.mark.parametrize(
    "text",
    ["", "12", "-12.5", "(5)", "10-20 %", "%", "$", "ABC 12", "5 kg", "1,2,3", "1.234.567", "10.0.0.1", "12,", "$x"],
)
def test_texts_that_are_no_formatted_numbers(text: str) -> None:
    """Ranges, codes, lists and plain numbers."""
    assert plain_number(text) is None


@given(st.text(st.sampled_from("0123456789.,' $%€-+()/: tTjanPM"), max_size=40))
def test_any_text_has_a_form_or_none(text: str) -> None:
    """A number that is suggested can be read."""
    is_date(text)
    number = plain_number(text)
    if number is not None:
        float(number)
