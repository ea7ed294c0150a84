"""Tables, and the marks between which they are written."""

import pytest

from benchmarks.statistics.tables import fill, table

DOCUMENT = "before\n<!-- begin: a -->\nold\n<!-- end: a -->\nafter\n"


def test_a_table_has_a_head_a_rule_and_lines() -> None:
    """Numbers are aligned to the right, the first column to the left."""
    assert table(["name", "n"], [["x", 1]]) == "| name | n |\n| --- | ---: |\n| x | 1 |"


def test_filling_replaces_the_text_between_the_marks() -> None:
    """The rest of the document stays."""
    expected = "before\n<!-- begin: a -->\n\nnew\n\n<!-- end: a -->\nafter\n"

    assert expected == fill(DOCUMENT, "a", "new")


def test_filling_twice_is_filling_once() -> None:
    """The marks are kept."""
    assert fill(DOCUMENT, "a", "new") == fill(fill(DOCUMENT, "a", "other"), "a", "new")


@pytest.mark.parametrize("document", ["", "<!-- begin: a -->", "<!-- end: a --><!-- begin: a -->"])
def test_a_document_without_both_marks_is_refused(document: str) -> None:
    """The error names the marks that it needs."""
    with pytest.raises(ValueError, match="the document has no marks for a"):
        fill(document, "a", "new")
