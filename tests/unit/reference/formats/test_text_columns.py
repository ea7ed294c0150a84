"""Cells of text: which columns are numbers, categories or dates, and what is refused."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import code
from driftgauge.reference.cells import number
from driftgauge.reference.column import NO_RULES, ColumnRules
from driftgauge.reference.formats.arrays import INEXACT
from driftgauge.reference.formats.csv_file import read_csv
from driftgauge.reference.formats.text_columns import CHUNK_CELLS, table_of_cells
from driftgauge.reference.table import Table

NUMERIC, CATEGORICAL, IGNORED = FeatureKind


def column_of(cells: Sequence[str], kinds: Mapping[str, FeatureKind] | None = None) -> Table:
    """A table of one column, whose first row ends on line 2."""
    rows = [(line, [cell]) for line, cell in enumerate(cells, start=2)]
    return table_of_cells(Path("a.csv"), ["a"], lambda: iter(rows), ColumnRules(kinds or {}))


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", "-1e3"], NUMERIC),
        (["true", "False", ""], NUMERIC),
        (["true", "False", "0", "1", "2"], NUMERIC),
        (["true", "true", "False", "unknown"], CATEGORICAL),
        (["x"] * 4 + ["true"] * 2 + ["3", "007"] * 2 + ["NA"], CATEGORICAL),
        (["red", "white"], CATEGORICAL),
        (["red", "white", "3"], CATEGORICAL),
        (["red", "", "NA"], CATEGORICAL),
        (["", "NA"], NUMERIC),
        (["2026-01-31", "2026-02-01"], IGNORED),
        (["2026-01-31T12:00:00Z", "2026-01-31 12:00:00.5+02:00", "", "12:30", "2026/01/31"], IGNORED),
        (["2026-01-31"] * 19 + ["never"], IGNORED),
        (["2026-01-31"] * 18 + ["never"], CATEGORICAL),
        (["2026-01", "20260131x", "1.2.3"], CATEGORICAL),
    ],
)
def test_the_cells_decide_the_kind(cells: Sequence[str], kind: FeatureKind) -> None:
    """More than half of the cells that are not missing are text, or 95 in 100 of these are dates."""
    assert (kind,) == column_of(cells).kinds


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (["1", "red"], "line 3, column 'a': 'red' is not a number"),
        (["1", "2", "?", "?"], "line 4, column 'a': '?' is not a number"),
        (["7,4", "7,8"], "line 2, column 'a': '7,4' is not a number"),
        (["1.234,5"], "line 2, column 'a': '1.234,5' is not a number"),
        (["1_000"], "line 2, column 'a': '1_000' is not a number"),
        (["٣"], "line 2, column 'a': '٣' is not a number"),
    ],
)
def test_text_among_numbers_is_refused(cells: Sequence[str], sentence: str) -> None:
    """Up to half text is a slip, and so are numbers in a form that is not read."""
    with pytest.raises(ReferenceDataError, match=re.escape(f"a.csv: {sentence} (missing values are empty,")):
        column_of(cells)


def test_the_first_fault_of_the_file_is_named() -> None:
    """Not that of the first column."""
    rows = [(2, ["1", "1"]), (3, ["1", "x"]), (4, ["x", "1"])]
    with pytest.raises(ReferenceDataError, match=re.escape("line 3, column 'b'")):
        table_of_cells(Path("a.csv"), ["a", "b"], lambda: iter(rows), NO_RULES)


def test_numbers_are_written_as_on_the_wire() -> None:
    """Among categories 3.0 is 3; what may be a name, such as the version 3.50 or NA, stays as it is."""
    cells = [" red ", "3.0", "3", "3.50", "007", "1e5", "True", "nan", ""]
    texts = [" red ", "3", "3", "3.50", "007", "1e5", "True", "nan", None]
    table = column_of([*cells, *(["x"] * 9)])

    expected = [np.nan if text is None else code(text) for text in texts]
    np.testing.assert_array_equal(expected, table.values[:9, 0])
    assert {" red ", "3", "3.50", "007", "1e5", "True", "nan", "x"} == set(table.categories.values())


def test_known_kinds_override_the_cells() -> None:
    """A window's file is read as the reference asks: categories may look like numbers, and dates like categories."""
    assert [code("1"), code("007")] == column_of(["1", "007"], {"a": CATEGORICAL}).values[:, 0].tolist()
    assert (CATEGORICAL,) == column_of(["2026-01-31"], {"a": CATEGORICAL}).kinds
    assert np.isnan(column_of(["1", "x"], {"a": IGNORED}).values).all()
    with pytest.raises(ReferenceDataError, match="'x' is not a number"):
        column_of(["x", "y"], {"a": NUMERIC})


def test_many_different_texts_keep_their_codes() -> None:
    """Of more than 10,000 texts the first ones are kept; the codes are of all."""
    texts = [f"u{number}" for number in range(10_010)]
    table = column_of(texts)

    assert [code(text) for text in texts] == table.values[:, 0].tolist()
    assert texts[:10_000] == list(table.categories.values())


def test_long_text_is_shown_cut() -> None:
    """Prose has a code as any other text, and a short form to show."""
    table = column_of(["x" * 300])

    assert {code("x" * 300): "x" * 197 + "..."} == dict(table.categories)


def test_a_table_of_many_chunks() -> None:
    """Columns are put together across the chunks in which cells are read, lines too."""
    count = CHUNK_CELLS + 5
    table = table_of_cells(
        Path("a.csv"), ["a"], lambda: ((line, [str(line)]) for line in range(2, count + 2)), NO_RULES
    )

    assert list(range(2, count + 2)) == table.values[:, 0].tolist() == list(table.lines)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.sampled_from(["", "NA", " nan"]))
def test_a_missing_cell_changes_no_other(values: list[float], missing: str) -> None:
    """The fast way and the slow way of a column of numbers give the same to the last bit."""
    cells = [repr(value) for value in values]

    assert values == column_of(cells).values[:, 0].tolist() == column_of([*cells, missing]).values[:-1, 0].tolist()


@given(st.text(max_size=8))
def test_a_cell_is_a_number_missing_or_text(cell: str) -> None:
    """No text makes the reader of numbers raise, and the two readers of numbers agree."""
    value = number(cell)
    if value is not None:
        np.testing.assert_array_equal([[value]], column_of([cell]).values)


LARGE = 2**53


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([str(LARGE), "1"], NUMERIC),
        ([str(LARGE + 1), "1"], IGNORED),
        ([str(-LARGE - 1), "1", "", "NA"], IGNORED),
        ([str(LARGE + 1), "nan"], IGNORED),
        ([" 12345678901234567890 ", "+7"], IGNORED),
        (["9" * 400, "1"], IGNORED),
        ([str(LARGE + 1), "1.5"], NUMERIC),
        (["1.5", "", str(LARGE + 1)], NUMERIC),
        ([str(LARGE + 1), "1e3"], NUMERIC),
        (["1e30", "2e30"], NUMERIC),
        ([str(LARGE + 1), "true"], NUMERIC),
    ],
)
def test_integers_that_float64_cannot_hold_are_left_out(cells: Sequence[str], kind: FeatureKind) -> None:
    """As in the other formats; a column with points or exponents holds measured numbers."""
    table = column_of(cells)

    assert (kind,) == table.kinds
    assert ({"a": INEXACT} if kind is IGNORED else {}) == table.left_out


@pytest.mark.long
def test_large_integers_in_another_chunk() -> None:
    """All chunks decide: a point in the last one makes numbers of the column, a large integer there leaves it out."""
    small = [str(number) for number in range(CHUNK_CELLS + 1)]

    assert (IGNORED,) == column_of([*small, str(LARGE + 1)]).kinds
    assert (IGNORED,) == column_of([str(LARGE + 1), *small]).kinds
    assert (NUMERIC,) == column_of([str(LARGE + 1), *small, "0.5"]).kinds


def test_large_integers_of_a_known_kind() -> None:
    """A window is read by the reference: as numbers if it holds numbers, and exactly if it holds categories."""
    cells = [str(LARGE + 1), str(LARGE + 2)]

    assert (NUMERIC,) == column_of(cells, {"a": NUMERIC}).kinds
    assert [code(cell) for cell in cells] == column_of(cells, {"a": CATEGORICAL}).values[:, 0].tolist()


@pytest.mark.parametrize("large", [LARGE, LARGE + 1])
def test_large_integers_in_a_file_of_numbers(large: int) -> None:
    """The fast reader of numbers leaves them to the exact one."""
    table = read_csv(Path("a.csv"), f"a,n\n{large},1\n2,3\n".encode())

    assert ((NUMERIC if large == LARGE else IGNORED), NUMERIC) == table.kinds
