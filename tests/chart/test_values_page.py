"""The table of values in the documentation."""

from charts.values.__main__ import PAGE, page


def test_the_page_of_values_is_the_generated_one() -> None:
    """`python -m charts.values` writes the page."""
    assert page() == PAGE.read_text()


def test_every_value_has_a_meaning() -> None:
    """Every key has a sentence."""
    rows = [line for line in page().splitlines() if line.startswith("| `")]

    assert [] == [row for row in rows if row.split(" | ")[2].strip(" |") == ""]
