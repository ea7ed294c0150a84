"""Reading Parquet: what is taken, and the sentence for each fault."""

import datetime as dt
import decimal
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import code
from driftgauge.reference.column import DATES
from driftgauge.reference.files import read_table


def save(folder: Path, columns: dict[str, Any]) -> Path:
    """A Parquet file of these columns."""
    path = folder / "a.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_numbers_of_every_kind(tmp_path: Path) -> None:
    """Integers, floats, decimals and bools are numbers, null and NaN are missing."""
    columns = {
        "integer": pa.array([1, None, 3], pa.int32()),
        "float": pa.array([0.5, float("nan"), None], pa.float32()),
        "bool": pa.array([True, False, None]),
        "decimal": pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("-2.00")]),
    }
    table = read_table(save(tmp_path, columns))

    assert tuple(columns) == table.columns
    np.testing.assert_array_equal(
        [[1, 0.5, 1, 1.25], [np.nan, np.nan, 0, np.nan], [3, np.nan, np.nan, -2]], table.values
    )


def test_text_is_categories(tmp_path: Path) -> None:
    """Text of every type, and text that its writer called a category; null and the empty text are missing."""
    columns = {
        "string": pa.array(["red", None, "", "red"]),
        "large": pa.array(["red", None, "3.0", "nan"], pa.large_string()),
        "category": pa.chunked_array(
            [pa.array(["b", None]).dictionary_encode(), pa.array(["a", "b"]).dictionary_encode()]
        ),
    }
    table = read_table(save(tmp_path, columns))
    expected = [
        ["red", None, None, "red"],
        ["red", None, "3", "nan"],
        ["b", None, "a", "b"],
    ]

    assert {"categorical"} == set(table.kinds)
    codes = [[np.nan if text is None else code(text) for text in column] for column in expected]
    np.testing.assert_array_equal(np.transpose(codes), table.values)
    assert {text for column in expected for text in column if text is not None} == set(table.categories.values())


def test_dates_are_left_out(tmp_path: Path) -> None:
    """Dates, times and their text are ignored columns, which keep their place."""
    day = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
    columns = {"stamp": [day], "date": [day.date()], "time": [day.time()], "text": [day.isoformat()], "x": [1.0]}
    table = read_table(save(tmp_path, columns))

    assert ("ignored",) * 4 + ("numeric",) == table.kinds
    assert {DATES} == set(table.left_out.values())


def test_column_of_text_without_text(tmp_path: Path) -> None:
    """It is categorical by its type; that no row has a value is a fault of a reference alone."""
    table = read_table(save(tmp_path, {"a": pa.array([None], pa.string()), "b": pa.array([None], pa.null())}))

    assert ("categorical", "numeric") == table.kinds
    assert np.isnan(table.values).all()


def test_index_of_pandas_is_left_out(tmp_path: Path) -> None:
    """The column in which pandas stores an index is no feature."""
    assert ("a",) == read_table(save(tmp_path, {"a": [1.0], "__index_level_0__": ["x"]})).columns


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"a": [b"x"]}, "column 'a' holds binary, not numbers"),
        ({"a": pa.array([1], pa.duration("s"))}, "column 'a' holds duration[s], not numbers"),
        ({"a": [[1.0]]}, "column 'a' holds list<element: double>, not numbers"),
        ({"a": pa.array([], pa.float64())}, "there are no rows"),
        ({}, "there are no columns"),
        ({"a": [1.0, float("inf")]}, "row 2, column 'a': an infinity"),
        ({f"f{i}": [1.0] for i in range(2001)}, "there are 2001 columns, at most 2000 can be tested"),
        ({f"f{i}": [1.0] for i in range(2002)}, "there are 2002 columns, at most 2000 can be tested"),
        ({f"f{i}": np.zeros(2**15, np.int8) for i in range(1025)}, "more than 33554432 values, a sample will do"),
    ],
)
def test_bad_columns(tmp_path: Path, columns: dict[str, Any], sentence: str) -> None:
    """Columns that are no numbers, or too many, are refused."""
    with pytest.raises(ReferenceDataError, match=re.escape(sentence)):
        read_table(save(tmp_path, columns))


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyarrow is not installed the message says how to get it, with pip and in the image."""
    path = save(tmp_path, {"a": [1.0]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    message = "Parquet needs pyarrow: pip install 'pyarrow>=20', or build the image with --build-arg PARQUET=true"
    with pytest.raises(ReferenceDataError, match=re.escape(message)):
        read_table(path)
