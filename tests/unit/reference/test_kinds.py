"""A window's columns, seen as the reference sees them."""

import re
from pathlib import Path

import numpy as np
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import code
from driftgauge.reference.column import ColumnRules
from driftgauge.reference.files import read_table
from driftgauge.reference.kinds import as_kind
from driftgauge.reference.table import Table

NUMERIC, CATEGORICAL, IGNORED = FeatureKind


def table(folder: Path) -> Table:
    """A window: numbers, text, text that is numbers, dates."""
    path = folder / "w.npz"
    arrays = {
        "number": np.array([3.0, 3.5, np.nan]),
        "text": np.array(["red", "", "white"]),
        "digits": np.array(["3.0", "", "7"]),
        "day": np.array(["2026-01-01"] * 3, dtype="M8[D]"),
    }
    np.savez(path, allow_pickle=False, **arrays)
    return read_table(path)


@pytest.mark.parametrize(
    ("index", "kind", "expected"),
    [
        (0, NUMERIC, [3.0, 3.5, np.nan]),
        (0, CATEGORICAL, [code("3"), code("3.5"), np.nan]),
        (0, IGNORED, [np.nan] * 3),
        (1, CATEGORICAL, [code("red"), np.nan, code("white")]),
        (1, IGNORED, [np.nan] * 3),
        (2, NUMERIC, [3.0, np.nan, 7.0]),
        (3, IGNORED, [np.nan] * 3),
    ],
)
def test_a_column_as_another_kind(tmp_path: Path, index: int, kind: FeatureKind, expected: list[float]) -> None:
    """Numbers become categories by their text, categories numbers if each is one."""
    np.testing.assert_array_equal(expected, as_kind(table(tmp_path), index, kind))


@pytest.mark.parametrize(
    ("index", "kind", "sentence"),
    [
        (1, NUMERIC, "row 1, column 'text': 'red' is not a number, the reference holds numbers there"),
        (3, NUMERIC, "column 'day' holds dates, the reference does not leave it out"),
        (3, CATEGORICAL, "column 'day' holds dates, the reference does not leave it out"),
    ],
)
def test_a_column_that_cannot_be_seen_so(tmp_path: Path, index: int, kind: FeatureKind, sentence: str) -> None:
    """The sentence names the file, the column and what is wrong."""
    with pytest.raises(ReferenceDataError, match=re.escape(f"{tmp_path / 'w.npz'}: {sentence}")):
        as_kind(table(tmp_path), index, kind)


def test_a_window_is_read_as_the_reference_asks(tmp_path: Path) -> None:
    """CSV cells are read by kinds that are known, so that a mixed column is no fault."""
    path = tmp_path / "w.csv"
    path.write_text("zip,n\n007,1\n12,2\nA1,3\n")
    found = read_table(path, ColumnRules({"zip": CATEGORICAL}))

    assert [code("007"), code("12"), code("A1")] == as_kind(found, 0, CATEGORICAL).tolist()
    with pytest.raises(ReferenceDataError, match="'A1' is not a number"):
        read_table(path)
