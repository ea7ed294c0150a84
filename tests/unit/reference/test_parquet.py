"""Reading Parquet: what is taken, and the sentence for each fault."""

import decimal
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sidecar.errors import ReferenceDataError
from sidecar.reference.table import read_table


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


def test_index_of_pandas_is_left_out(tmp_path: Path) -> None:
    """The column in which pandas stores an index is no feature."""
    assert ("a",) == read_table(save(tmp_path, {"a": [1.0], "__index_level_0__": ["x"]})).columns


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"a": ["x"]}, "column 'a' holds string, not numbers"),
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
    """Where pyarrow is not installed the sentence says how to get it."""
    path = save(tmp_path, {"a": [1.0]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ReferenceDataError, match=re.escape("to read Parquet, pip install 'driftgauge[parquet]'")):
        read_table(path)
