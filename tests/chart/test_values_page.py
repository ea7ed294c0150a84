"""The table of values in the guides."""

from charts.values.__main__ import PAGE, page


def test_the_page_of_values_is_the_generated_one() -> None:
    """`python -m charts.values` writes it."""
    assert page() == PAGE.read_text()


def test_every_value_has_a_meaning() -> None:
    """A key without a sentence helps nobody."""
    rows = [line for line in page().splitlines() if line.startswith("| `")]

    assert [] == [row for row in rows if row.split(" | ")[2].strip(" |") == ""]
