"""Cells by the kind of their column, and the texts of categories."""

import numpy as np

from driftgauge.drift.profile import FeatureKind
from driftgauge.features.row_table import MAX_CATEGORIES, as_floats, category_texts
from driftgauge.protocol.category import MAX_TEXT_CHARS, code, remembered


def objects(*items: object) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """One column of such items."""
    column = np.empty(len(items), dtype=object)
    column[:] = items
    return column


def test_each_column_is_read_by_its_kind() -> None:
    """Numbers stay, text becomes codes, nothing is left of what is ignored."""
    kinds = [FeatureKind.NUMERIC, FeatureKind.CATEGORICAL, FeatureKind.IGNORED]
    cells = as_floats(objects(1, "red", "x").reshape(1, 3), ["a", "b", "c"], kinds)

    np.testing.assert_array_equal([[1.0, code("red"), np.nan]], cells)


def test_true_is_no_category_of_one() -> None:
    """Equal in Python, but two words on the wire."""
    cells = as_floats(objects(*[True, 1, 1.0]).reshape(3, 1), ["a"], [FeatureKind.CATEGORICAL])

    assert [code("true"), code("1"), code("1")] == cells[:, 0].tolist()


def test_a_long_text_has_its_code_and_stays_out_of_memory() -> None:
    """The cache of codes counts texts, not characters: prose would fill it with gigabytes."""
    prose = "once upon a time " * 1_000
    before = remembered.cache_info()
    cells = as_floats(objects(prose).reshape(1, 1), ["a"], [FeatureKind.CATEGORICAL])

    assert before == remembered.cache_info()
    assert remembered.__wrapped__(prose) == cells[0, 0]
    assert {} == category_texts(objects(prose), "a")


def test_texts_by_their_codes() -> None:
    """What is missing has none."""
    assert {code("red"): "red", code("3"): "3"} == category_texts(objects("red", None, 3.0, "red"), "a")


def test_the_texts_of_a_column_are_bounded_in_number_and_in_length() -> None:
    """The first ones stay, up to the limits."""
    many = category_texts(objects(*(f"c{number}" for number in range(MAX_CATEGORIES + 1))), "a")
    lengths = category_texts(objects("x" * MAX_TEXT_CHARS, "y" * (MAX_TEXT_CHARS + 1)), "a")

    assert [f"c{number}" for number in range(MAX_CATEGORIES)] == list(many.values())
    assert ["x" * MAX_TEXT_CHARS] == list(lengths.values())


def test_bytes_that_are_no_utf_8_become_a_text_that_is() -> None:
    """Texts go on to labels, which must be UTF-8; the code is that of the bytes."""
    texts = category_texts(objects(b"ros\xe9"), "a")
    cells = as_floats(objects(b"ros\xe9").reshape(1, 1), ["a"], [FeatureKind.CATEGORICAL])

    assert {cells[0, 0]: "ros\\udce9"} == texts
