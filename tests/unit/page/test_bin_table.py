"""A histogram as a table with bars."""

import re
from dataclasses import replace

import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.result import Bin
from driftgauge.page.bin_table import bin_table
from tests.support.reports import ALCOHOL, COLOUR


def names(kind: FeatureKind, *histogram: Bin) -> list[str]:
    """The names of the bins in the table."""
    table = bin_table(replace(ALCOHOL, kind=kind, histogram=histogram))
    return re.findall(r'<th scope="row">(?:<\w+>)?([^<]*)', table)


def a_bin(label: str, upper: float | None = None) -> Bin:
    """A bin with some shares."""
    return Bin(label=label, upper=upper, reference=0.25, window=0.5)


def test_every_share_is_a_number_and_a_bar() -> None:
    """The longest bar has the full width, the others are in proportion."""
    table = bin_table(COLOUR)

    assert ["75.0 %", "50.0 %", "25.0 %", "50.0 %"] == re.findall(r"<td>([^<]*)</td>", table)
    assert ["100.0", "66.7", "33.3", "66.7"] == re.findall(r"width:([\d.]+)%", table)


def test_no_share_has_no_bar() -> None:
    """A share of 0 % has no visible bar."""
    table = bin_table(replace(COLOUR, histogram=(Bin(label="red", upper=None, reference=0.0, window=1.0),)))

    assert 'class="nothing" style="width:0.0%"' in table


def test_numeric_bins_are_named_by_their_upper_limit() -> None:
    """A single value is named by itself, and what lies outside the reference in words."""
    histogram = (a_bin("below", 0.9), a_bin("0", 2.5), a_bin("7", 7.0), a_bin("above"), a_bin("missing"))
    expected = ["below all of the reference", "up to 2.5", "7", "above all of the reference", "missing"]

    assert expected == names(FeatureKind.NUMERIC, *histogram)


@pytest.mark.parametrize("text", ["below", "above", "<b>", "1"])
def test_categories_are_named_by_their_text(text: str) -> None:
    """A category may have the name of a numeric bin, or look like markup."""
    expected = text.replace("<", "&lt;").replace(">", "&gt;")

    assert [expected, "rare ones together"] == names(FeatureKind.CATEGORICAL, a_bin(text), a_bin("rare"))


def test_a_window_without_rows_has_no_bin_table() -> None:
    """If all shares are 0, nothing is divided by 0."""
    empty = replace(COLOUR, histogram=(Bin(label="red", upper=None, reference=0.0, window=0.0),))

    assert "0 %" in bin_table(empty)
