"""Data frames by the interchange protocol: every kind of column, every way to mark a missing value."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from driftgauge.offline.interchange import interchange_columns

NAN = float("nan")


def plain(values: Any) -> list[Any]:  # noqa: ANN401 - an array of any dtype
    """The values as Python objects, NaN as `None`."""
    return [None if isinstance(value, float) and np.isnan(value) else value for value in values.tolist()]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.array([1.5, NAN, 2.0]), [1.5, None, 2.0]),
        (pd.Series([1.5, NAN]), [1.5, None]),
        (pd.Series([1, 2], dtype="uint8"), [1, 2]),
        (pd.array([1, None], dtype="Int64"), [1.0, None]),
        (pd.Series([True, False]), [True, False]),
        (pd.array([True, None], dtype="boolean"), [1.0, None]),
        (pd.Series(["red", None, "rosé", ""]), ["red", None, "rosé", ""]),
        (pd.Categorical(["red", None, "white"]), ["red", None, "white"]),
    ],
)
def test_columns_of_pandas(values: Any, expected: Sequence[Any]) -> None:  # noqa: ANN401 - a column
    """Missing values by NaN, sentinel and byte mask."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        columns = interchange_columns(pd.DataFrame({"a": values}), "window")

    assert {"a": expected} == {name: plain(column) for name, column in columns.items()}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([0, 1.5, None, 2.0]), [1.5, None, 2.0]),
        (pa.array([0.5, 1.5, None], pa.float32()), [1.5, None]),
        (pa.array([0, 1, None, 3], pa.int16()), [1.0, None, 3.0]),
        (pa.array([0, 1, 2], pa.uint64()), [1, 2]),
        (pa.array([True, True, False]), [True, False]),
        (pa.array([False, True, None, False]), [1.0, None, 0.0]),
        (pa.array(["", "red", None, "rosé"]), ["red", None, "rosé"]),
        (pa.array(["", "red", None, "red"]).dictionary_encode(), ["red", None, "red"]),
    ],
)
def test_columns_of_arrow(values: Any, expected: Sequence[Any]) -> None:  # noqa: ANN401 - pyarrow has no types
    """Missing values by bit mask; bools of one bit; a slice that does not begin at its buffer's start."""
    columns = interchange_columns(pa.table({"a": values}).slice(1), "window")

    assert {"a": expected} == {name: plain(column) for name, column in columns.items()}


def test_chunks_are_joined() -> None:
    """A frame in several chunks, each with categories of its own."""
    chunks = [pa.table({"a": pa.array(texts).dictionary_encode()}) for texts in (["x", "y"], ["z", None])]

    assert ["x", "y", "z", None] == interchange_columns(pa.concat_tables(chunks), "window")["a"].tolist()


def test_dates_have_their_dtype() -> None:
    """The values of dates are not read, since they are not tested."""
    column = interchange_columns(pd.DataFrame({"day": pd.to_datetime(["2026-01-02", None])}), "window")["day"]

    assert ("M", 2) == (column.dtype.kind, column.size)


def test_a_frame_without_rows() -> None:
    """The columns are there, and empty."""
    columns = interchange_columns(pd.DataFrame({"a": [1.0], "b": ["x"]}).iloc[:0], "window")

    assert {"a": 0, "b": 0} == {name: column.size for name, column in columns.items()}
