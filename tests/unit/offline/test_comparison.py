"""Two datasets side by side."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.offline.comparison import Comparison, compare, listed
from driftgauge.protocol.category import code
from driftgauge.reference.files import parse_table
from driftgauge.reference.table import Table

EXPECTED = "age,colour,prediction:quality\n1,red,5\n2,white,6\n3,red,7\n"


def table(text: str, name: str = "window.csv") -> Table:
    """A table of CSV text."""
    return parse_table(Path(name), text.encode())


def against(text: str, expected: str = EXPECTED) -> Comparison:
    """The comparison of two CSV texts."""
    return compare(table(expected, "reference.csv"), table(text))


def matrix(rows: Sequence[Sequence[float]]) -> Table:
    """A matrix without names."""
    values = np.array(rows)
    names = tuple(f"feature_{place}" for place in range(values.shape[1]))
    return Table(Path("window.npz"), names, (FeatureKind.NUMERIC,) * len(names), values, "", named=False)


def test_columns_are_found_by_name() -> None:
    """In the reference's order, categories as codes; predictions keep the name of the file."""
    found = against("prediction:quality,colour,age\n8,red,4\n9,rosé,5\n")

    assert ["age", "colour", "prediction:quality"] == [profile.name for profile in found.profiles]
    assert [[4.0, code("red"), 8.0], [5.0, code("rosé"), 9.0]] == found.values.tolist()
    assert () == found.notes


def test_predictions_may_be_lacking() -> None:
    """Inputs are tested without them, with a note."""
    found = against("age,colour\n4,red\n")

    assert ["age", "colour"] == [profile.name for profile in found.profiles]
    assert ("window.csv: predictions that it does not have are left out: 'prediction:quality'",) == found.notes


def test_columns_that_the_reference_lacks_are_noted() -> None:
    """They are left out."""
    found = against("age,colour,prediction:quality,id\n4,red,5,1\n")

    assert ("window.csv: columns that the reference does not have are left out: 'id'",) == found.notes


def test_a_column_that_is_left_out_need_not_be_there() -> None:
    """Of dates nothing is tested, so nothing is missed."""
    found = against("age\n4\n", "age,day\n1,2026-01-01\n2,2026-01-02\n")

    assert [FeatureKind.NUMERIC, FeatureKind.IGNORED] == [profile.kind for profile in found.profiles]
    assert math.isnan(found.values[0, 1])
    assert ("reference.csv: column 'day' holds dates: it is left out, since a date is always new",) == found.notes


def test_columns_are_seen_as_the_reference_sees_them() -> None:
    """Numbers in a column of categories are categories."""
    found = against("age,colour\n4,3\n5,3.0\n")

    assert [code("3"), code("3")] == found.values[:, 1].tolist()


def test_text_in_a_column_of_numbers_is_refused() -> None:
    """The sentence names the file, the column and the text."""
    with pytest.raises(ReferenceDataError, match=r"window\.csv: row 1, column 'age': 'old' is not a number"):
        against("age,colour\nold,red\nyoung,red\n")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("colour\nred\n", "window.csv: column 'age' of reference.csv is missing"),
        ("other\n1\n", "window.csv: column 'age' of reference.csv is missing, and 1 more"),
    ],
)
def test_a_lacking_input_is_refused(text: str, sentence: str) -> None:
    """Lacking inputs are named and counted."""
    with pytest.raises(ReferenceDataError) as caught:
        against(text)

    assert sentence == str(caught.value)


def test_a_file_with_nothing_to_test_is_refused() -> None:
    """Against a reference of predictions alone, a file without any."""
    with pytest.raises(ReferenceDataError, match=r"column 'prediction:quality' of reference\.csv is missing"):
        against("age\n1\n", "prediction:quality\n5\n6\n")


def test_a_matrix_is_matched_by_position() -> None:
    """As wide as the file, or as wide as its inputs."""
    expected = table("a,prediction:b,c\n1,2,3\n4,5,6\n", "reference.csv")

    assert [[7.0, 8.0, 9.0]] == compare(expected, matrix([[7, 8, 9]])).values.tolist()
    assert ["a", "c"] == [profile.name for profile in compare(expected, matrix([[7, 9]])).profiles]


def test_a_matrix_of_another_width_is_refused() -> None:
    """Nobody can tell which columns are which."""
    sentence = "window.npz: it has 1 columns, reference.csv has 3, and without names they must be as many"

    with pytest.raises(ReferenceDataError) as caught:
        compare(table(EXPECTED, "reference.csv"), matrix([[1.0]]))

    assert sentence == str(caught.value)


def test_lists_of_names_are_cut() -> None:
    """Five are shown."""
    assert "'a', 'b', 'c', 'd', 'e', ..." == listed("abcdef")
