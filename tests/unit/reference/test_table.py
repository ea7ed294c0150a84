"""Tables of columns in memory: the rules of files hold, and one sentence says each fault."""

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import code
from driftgauge.reference.dataset import prepare
from driftgauge.reference.table import table_of_columns

NUMERIC, CATEGORICAL, IGNORED = FeatureKind
NAN = float("nan")
DAY = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)


class Series:
    """A column of another library, which numpy can make an array of."""

    def __init__(self, values: Sequence[object]) -> None:
        self._values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:  # noqa: ANN401 numpy's own signature
        """The values as objects."""
        return np.array(self._values, dtype=dtype or object, copy=copy)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([1.5, np.nan]), [1.5, NAN]),
        (np.array([0.1, 9.7], dtype=np.float32), [0.1, 9.7]),
        (np.array([1, 2], dtype=np.uint8), [1, 2]),
        (np.array([True, False]), [1, 0]),
        ([1, 2.5], [1, 2.5]),
        ([1, None, NAN], [1, NAN, NAN]),
        ([True, None], [1, NAN]),
        ([np.float32(0.1), None], [0.1, NAN]),
        ([Decimal("1.25"), 2**70], [1.25, 2.0**70]),
        ([None, None], [NAN, NAN]),
        (Series([1, None]), [1, NAN]),
        (np.array([3, None], dtype=object), [3, NAN]),
    ],
)
def test_numbers(values: Any, expected: Sequence[float]) -> None:  # noqa: ANN401 any column
    """Numbers of every type make a numeric column, NaN where a value is missing."""
    table = table_of_columns({"a": values})

    assert (NUMERIC,) == table.kinds
    np.testing.assert_array_equal(expected, table.values[:, 0])


@pytest.mark.parametrize(
    "values",
    [
        ["red", None, "", "NA", "red"],
        np.array(["red", None, NAN, "NA", "red"], dtype=object),
        np.array(["red", "", "", "NA", "red"]),
        np.array([b"red", b"", b"", b"NA", b"red"]),
        Series(["red", None, NAN, "NA", "red"]),
    ],
    ids=["list", "objects", "text", "bytes", "series"],
)
def test_text_is_categories(values: Any) -> None:  # noqa: ANN401 any column
    """Text is categorical; a word that stands for a missing value in CSV is a category."""
    table = table_of_columns({"a": values})

    assert (CATEGORICAL,) == table.kinds
    np.testing.assert_array_equal([code("red"), NAN, NAN, code("NA"), code("red")], table.values[:, 0])
    assert {code("red"): "red", code("NA"): "NA"} == dict(table.categories)


@pytest.mark.parametrize(
    "values",
    [
        np.array(["2026-01-02"], dtype="M8[s]"),
        [DAY],
        [DAY.date()],
        [DAY.time()],
        [None, np.datetime64("2026-01-02")],
        ["2026-01-02"],
        np.array(["2026-01-02T03:04Z"]),
    ],
)
def test_dates_are_left_out(values: Any) -> None:  # noqa: ANN401 any column
    """Dates, times and their text are ignored, with the reason that files have."""
    table = table_of_columns({"a": values})

    assert (IGNORED,) == table.kinds
    assert {"a": "holds dates: it is left out, since a date is always new"} == table.left_out


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({}, "there are no columns"),
        ({"a": []}, "there are no rows"),
        ({"": [1]}, "column 1 has no name"),
        ({"a\ud800": [1]}, "the name of column 1 is not Unicode"),
        ({"a": [1], "b": [1, 2]}, "column 'b' has 2 rows, 'a' has 1"),
        ({"a": [[1, 2], [3, 4]]}, "row 1, column 'a': '[1, 2]' is list, a column holds numbers, text or dates"),
        ({"a": np.eye(2)}, "column 'a' has shape (2, 2), a column has one axis"),
        ({"a": [1, float("inf")]}, "row 2, column 'a': an infinity, only finite values can be tested"),
        ({"a": [Decimal("1e400")]}, "row 1, column 'a': an infinity, only finite values can be tested"),
        ({"a": [None, 1, "x"]}, "row 3, column 'a': 'x' is text, the rows before hold a number"),
        ({"a": ["x", 1]}, "row 2, column 'a': '1' is a number, the rows before hold text"),
        ({"a": ["x", DAY.date()]}, "row 2, column 'a': '2026-01-02' is a date, the rows before hold text"),
        ({"a": [1, 1j]}, "row 2, column 'a': '1j' is complex, the rows before hold a number"),
        ({"a": np.array([1j])}, "array 'a' holds complex128, not numbers"),
        ({"a": np.array([1], dtype="m8[s]")}, "array 'a' holds timedelta64[s], not numbers"),
        ({"a": np.zeros(2**24 + 1, np.int8), "b": np.zeros(2**24 + 1, np.int8)}, "more than 33554432 values"),
        ({f"f{i}": [1] for i in range(2001)}, "there are 2001 columns, at most 2000 can be tested"),
    ],
)
def test_columns_that_cannot_be_used(columns: dict[str, Any], sentence: str) -> None:
    """One sentence names the data, the column and the rule."""
    with pytest.raises(ReferenceDataError, match=re.escape(f"window: {sentence}")):
        table_of_columns(columns, name="window")


def test_the_digest_names_the_content() -> None:
    """The same data has the same digest, whatever holds it; other names or values have another."""
    same = [table_of_columns({"a": values}).digest for values in ([1, 2], np.array([1.0, 2.0]))]
    others = [table_of_columns(columns).digest for columns in ({"b": [1, 2]}, {"a": [2, 1]})]

    assert 1 == len(set(same))
    assert 3 == len({*same, *others})


def test_a_table_of_columns_can_serve_as_reference() -> None:
    """It is prepared as a file's table is."""
    reference = prepare(table_of_columns({"a": [2, 1, None], "prediction:q": ["x", "y", "x"]}, name="train"), 0.0)

    assert (("a",), ("q",), 3) == (reference.columns, reference.prediction_columns, reference.rows)
    assert [1.0, 2.0] == reference.features[0].values.tolist()
