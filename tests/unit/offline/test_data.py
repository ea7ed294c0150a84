"""Tables of data in memory: the same data make the same table, whatever library holds them."""

import datetime as dt
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.offline.data import as_table
from driftgauge.protocol.category import code
from driftgauge.reference.column import ColumnRules

NUMERIC, CATEGORICAL, IGNORED = FeatureKind
NAN = float("nan")

COLUMNS: dict[str, list[Any]] = {
    "age": [1.5, None, 3.0],
    "count": [1, None, 7],
    "fresh": [True, False, None],
    "colour": ["red", None, "rosé"],
    "bottled": [dt.datetime(2026, 1, 2), None, dt.datetime(2026, 1, 3)],  # noqa: DTZ001 - as tables mostly have them
}

FRAMES: dict[str, Callable[[], Any]] = {
    "pandas": lambda: pd.DataFrame(COLUMNS),
    "pandas_nullable": lambda: pd.DataFrame(COLUMNS).convert_dtypes(),
    "pandas_categorical": lambda: pd.DataFrame(COLUMNS).astype({"colour": "category"}),
    "pandas_with_index": lambda: pd.DataFrame(COLUMNS).set_index(pd.Index([7, 8, 9], name="id")),
    "polars": lambda: pl.DataFrame(COLUMNS),
    "polars_categorical": lambda: pl.DataFrame(COLUMNS).with_columns(pl.col("colour").cast(pl.Categorical)),
    "arrow": lambda: pa.table(COLUMNS),
    "record_batch": lambda: pa.RecordBatch.from_pydict(COLUMNS),
    "mapping": lambda: COLUMNS,
    "mapping_of_series": lambda: {name: pl.Series(column) for name, column in COLUMNS.items()},
}


def values(data: Any) -> NDArray[np.float64]:  # noqa: ANN401 - data of any library
    """The values of the table of the data."""
    return as_table(data, "window").values  # noqa: PD011 - a table of driftgauge, not of pandas


def test_data_frames_and_mappings() -> None:
    """Numbers, bools, text and dates with missing values."""
    table = as_table(COLUMNS, "window")

    assert (NUMERIC, NUMERIC, NUMERIC, CATEGORICAL, IGNORED) == table.kinds
    expected = [[1.5, 1, 1, code("red")], [NAN, NAN, 0, NAN], [3, 7, NAN, code("rosé")]]
    np.testing.assert_array_equal(expected, values(COLUMNS)[:, :4])
    assert (Path("window"), True) == (table.path, table.named)


@pytest.mark.parametrize("library", FRAMES)
def test_libraries_agree(library: str) -> None:
    """The digest, which depends on names, kinds and values, is the same."""
    assert as_table(COLUMNS, "window").digest == as_table(FRAMES[library](), "window").digest


@pytest.mark.parametrize("library", [name for name in FRAMES if name.startswith(("pandas", "polars"))])
def test_data_frames_without_pyarrow(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of pandas and polars make the same table if pyarrow is not installed."""
    frame = FRAMES[library]()
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    assert as_table(COLUMNS, "window").digest == as_table(frame, "window").digest


def test_a_matrix_has_no_names() -> None:
    """Columns of an array are matched by position; float32 is read by its shortest decimals."""
    array = np.array([[0.1, 2.0], [3.0, NAN]], dtype=np.float32)
    table = as_table(array, "window")

    assert (("feature_0", "feature_1"), False) == (table.columns, table.named)
    np.testing.assert_array_equal([[0.1, 2.0], [3.0, NAN]], values(array))


@pytest.mark.parametrize("array", [np.array([1.0, 2.0]), np.array([[1], [2]]), np.array([[1], [2]], dtype=object)])
def test_one_feature(array: Any) -> None:  # noqa: ANN401 - an array of any dtype
    """An array of one axis is one feature; numbers may be objects, as in the matrix of a mixed frame."""
    assert [[1.0], [2.0]] == values(array).tolist()


def test_masked_values_are_missing() -> None:
    """The mask of an array marks missing values."""
    masked = np.ma.masked_array([[1, 2], [3, 4]], mask=[[False, True], [False, False]])

    np.testing.assert_array_equal([[1, NAN], [3, 4]], values(masked))


def test_fields_are_columns() -> None:
    """A structured array has named columns, each of its own type."""
    table = as_table(np.array([(1, "red"), (2, "white")], dtype=[("age", "i4"), ("colour", "U5")]), "window")

    assert (("age", "colour"), (NUMERIC, CATEGORICAL), True) == (table.columns, table.kinds, table.named)


@pytest.mark.parametrize("series", [pd.Series([1, 2], name="age"), pl.Series("age", [1, 2])])
def test_a_series_is_one_feature(series: Any) -> None:  # noqa: ANN401 - of either library
    """With the name of the series."""
    table = as_table(series, "window")

    assert (("age",), True, [[1.0], [2.0]]) == (table.columns, table.named, values(series).tolist())


def test_a_series_without_a_name_is_matched_by_position() -> None:
    """As an array of one axis is."""
    assert not as_table(pd.Series([1, 2]), "window").named


@pytest.mark.parametrize("as_path", [str, Path])
def test_paths(as_path: Callable[[Path], str | Path], tmp_path: Path) -> None:
    """A path is read by its extension; columns of CSV take the kinds that are known."""
    path = tmp_path / "window.csv"
    path.write_text("zip\n12345\n")

    assert (NUMERIC,) == as_table(as_path(path), "window").kinds
    assert (CATEGORICAL,) == as_table(as_path(path), "window", ColumnRules({"zip": CATEGORICAL})).kinds


def test_codes_with_missing_values(tmp_path: Path) -> None:
    """Integers become floats in pandas as soon as one is missing: as categories they stay what they were."""
    frame = pd.DataFrame({"zip": [94103, None, 10001]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")

    for data in (frame, tmp_path / "a.csv", tmp_path / "a.parquet"):
        found = as_table(data, "window", ColumnRules({"zip": CATEGORICAL})).values  # noqa: PD011 - as above
        np.testing.assert_array_equal([code("94103"), NAN, code("10001")], found[:, 0])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([1, 2], "list is no dataset: give a path, a DataFrame, a NumPy array or a mapping of columns"),
        (None, "NoneType is no dataset"),
        (np.zeros((2, 2, 2)), "the array has shape (2, 2, 2), one or two axes are needed"),
        (np.array(1.0), "the array has shape (), one or two axes are needed"),
        (np.empty((0, 3)), "there are no rows"),
        (np.empty((3, 0)), "there are no columns"),
        (np.array([[1.0, np.inf]]), "row 1, column 'feature_1': an infinity, only finite values can be tested"),
        ({1: [1]}, "the name of column '1' is not text"),
        ({"a": 1}, "column 'a' is int, a column is an array or a sequence"),
        ({"a": "text"}, "column 'a' is str, a column is an array or a sequence"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns are named 'a'"),
        (pd.DataFrame({"a": [1, "x"]}), "row 2, column 'a': 'x' is text, the rows before hold a number"),
        (pd.DataFrame({"a": [1.0]}).iloc[:0], "there are no rows"),
        (pl.DataFrame({"a": [dt.timedelta(1)]}), "column 'a' holds duration[us], not numbers"),
        (pl.DataFrame({"a": [[1]]}), "column 'a' holds large_list<item: int64>, not numbers"),
    ],
)
def test_data_that_cannot_be_used(data: Any, sentence: str) -> None:  # noqa: ANN401 - the point of the test
    """One sentence names the data, the column and the rule."""
    with pytest.raises(ReferenceDataError, match=re.escape(f"window: {sentence}")):
        as_table(data, "window")


class StreamOnly:
    """A frame that exports an Arrow stream and nothing else."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The stream of one column."""
        return pa.table({"a": [1]}).__arrow_c_stream__(requested_schema)


def test_a_stream_needs_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyarrow the sentence says what to install."""
    assert [[1.0]] == values(StreamOnly()).tolist()

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        ReferenceDataError, match=re.escape("window: to read StreamOnly, install pyarrow: pip install 'pyarrow>=20'")
    ):
        as_table(StreamOnly(), "window")


def test_too_many_values() -> None:
    """A frame beyond the limit is refused before it is copied."""
    frame = pa.table({name: pa.array(np.zeros(2**24 + 1, np.int8)) for name in ("a", "b")})

    with pytest.raises(ReferenceDataError, match="window: more than 33554432 values, a sample will do"):
        as_table(frame, "window")
