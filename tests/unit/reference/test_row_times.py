"""The column of times: what is a time in each format, and how its rows are sorted."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from driftgauge.errors import ReferenceDataError
from driftgauge.reference.column import ColumnRules, TimeRules
from driftgauge.reference.files import parse_table, read_table
from driftgauge.reference.formats.driftgauge_npz import packed
from driftgauge.reference.row_times import text_seconds
from driftgauge.reference.table import Table, table_of_columns

RULES = ColumnRules(time=TimeRules("ts"))
NOON, MIDNIGHT = 1769688000.0, 1769644800.0
"""2026-01-29 12:00 and 00:00, UTC."""


def csv(folder: Path, cells: list[str]) -> Path:
    """A CSV file with a time and the number of each row."""
    path = folder / "a.csv"
    path.write_text("ts,a\n" + "".join(f"{cell},{row}\n" for row, cell in enumerate(cells)))
    return path


def parquet(folder: Path, times: pa.Array) -> Path:
    """A Parquet file with a time and the number of each row."""
    path = folder / "a.parquet"
    pq.write_table(pa.table({"ts": times, "a": list(range(len(times)))}), path)
    return path


def assert_noon_first(table: Table) -> None:
    """The second row of the file is the first one, and the time is no column."""
    assert ("a",) == table.columns
    assert table.times is not None
    assert ([MIDNIGHT, NOON], [[1.0], [0.0]], True) == (table.times.tolist(), table.values.tolist(), table.ordered)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-29T12:00:00Z", NOON),
        ("2026-01-29 12:00:00", NOON),
        ("2026-01-29T13:00+01:00", NOON),
        ("2026-01-29 12:00:00 UTC", NOON),
        ("20260129T120000", NOON),
        ("2026-01-29", MIDNIGHT),
        ("20260129", MIDNIGHT),
        (" 1769688000 ", NOON),
        ("1769688000.5", NOON + 0.5),
        ("1769688000000", NOON),
        ("1769688000000000", NOON),
        ("1769688000000000000", NOON),
        ("1012011200000", 1012011200.0),
        ("2026-01-29T12:00:00.25", NOON + 0.25),
    ],
)
def test_text_is_a_time(text: str, seconds: float) -> None:
    """ISO 8601 without a zone is UTC; the unit of a number follows from its size."""
    assert seconds == text_seconds(text)


@pytest.mark.parametrize("text", ["", "noon", "29.01.2026", "12", "2026-13-01", "-1", "1e9", "19991399"])
def test_text_is_no_time(text: str) -> None:
    """Other forms of dates are refused, since day and month could be confused."""
    assert np.isnan(text_seconds(text))


def test_csv(tmp_path: Path) -> None:
    """The rows are sorted by the column of times, whatever the form of each cell is."""
    assert_noon_first(read_table(csv(tmp_path, ["2026-01-29T12:00:00Z", "1769644800"]), RULES))


@pytest.mark.parametrize(
    "times",
    [
        pa.array([dt.datetime(2026, 1, 29, 12), dt.datetime(2026, 1, 29)], pa.timestamp("ns")),  # noqa: DTZ001 - naive
        pa.array([int(NOON * 1000), int(MIDNIGHT * 1000)], pa.timestamp("ms", "Europe/Berlin")),
        pa.array([int(NOON), int(MIDNIGHT)]),
        pa.array([NOON * 1000, MIDNIGHT * 1000]),
        pa.array(["2026-01-29T12:00", "2026-01-29"]),
        pa.array(["2026-01-29T12:00", "2026-01-29"]).dictionary_encode(),
    ],
)
def test_parquet(tmp_path: Path, times: pa.Array) -> None:
    """Timestamps with and without a zone, text, and numbers since the epoch."""
    assert_noon_first(read_table(parquet(tmp_path, times), RULES))


NPZ_TIMES = [
    np.array(["2026-01-29T12:00", "2026-01-29"], dtype="M8[s]"),
    np.array([NOON, MIDNIGHT]),
    np.array([int(NOON), int(MIDNIGHT)]) * 1000,
    np.array(["2026-01-29T12:00Z", "2026-01-29"]),
    np.array([b"2026-01-29T12:00Z", b"2026-01-29"]),
]


@pytest.mark.parametrize("times", NPZ_TIMES)
def test_npz(tmp_path: Path, times: NDArray[Any]) -> None:
    """An array for each column, or one beside a matrix with names."""
    np.savez(tmp_path / "a.npz", ts=times, a=np.arange(2))
    np.savez(tmp_path / "b.npz", data=np.arange(2.0)[:, np.newaxis], columns=np.array(["a"]), ts=times)

    assert_noon_first(read_table(tmp_path / "a.npz", RULES))
    assert_noon_first(read_table(tmp_path / "b.npz", RULES))


@pytest.mark.parametrize(
    "times",
    [
        *NPZ_TIMES,
        [dt.datetime(2026, 1, 29, 12, tzinfo=dt.UTC), dt.date(2026, 1, 29)],
        [np.datetime64("2026-01-29T12"), "2026-01-29"],
        [NOON, "2026-01-29"],
    ],
)
def test_memory(times: NDArray[Any] | list[object]) -> None:
    """Arrays and sequences of datetimes, texts and numbers."""
    assert_noon_first(table_of_columns({"ts": times, "a": [0, 1]}, rules=RULES))


RULE = "(ISO 8601, or seconds or milliseconds since 1970, in the years 1971 to 2100)"


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("soon", "'soon' is not a time"),
        ("", "the time is missing"),
        ("7", "'7' is not a time"),
        ("0001-01-01T00:00:00Z", "'0001-01-01T00:00:00Z' is not a time"),
    ],
)
def test_a_csv_cell_that_is_no_time_is_refused(tmp_path: Path, cell: str, fault: str) -> None:
    """The sentence names the line."""
    path = csv(tmp_path, ["2026-01-29", cell])

    with pytest.raises(ReferenceDataError, match=re.escape(f"{path}: line 3, column 'ts': {fault} {RULE}")):
        read_table(path, RULES)


@pytest.mark.parametrize(
    ("times", "fault"),
    [
        (pa.array([int(NOON), None]), "the time is missing"),
        (pa.array([1, 2]), "'1' is not a time"),
        (pa.array([dt.time(1), None]), "'01:00:00' is not a time"),
        (pa.array([dt.datetime(2026, 1, 1), None]), "the time is missing"),  # noqa: DTZ001 - naive
    ],
)
def test_a_parquet_value_that_is_no_time_is_refused(tmp_path: Path, times: pa.Array, fault: str) -> None:
    """The sentence names the row."""
    with pytest.raises(ReferenceDataError, match=re.escape(f"column 'ts': {fault} {RULE}")):
        read_table(parquet(tmp_path, times), RULES)


@pytest.mark.parametrize(
    ("times", "fault"),
    [
        (np.array(["2026-01-29", "NaT"], dtype="M8[s]"), "the time is missing"),
        (np.array([NOON, np.nan]), "the time is missing"),
        (np.array([NOON, -1.0]), "'-1.0' is not a time"),
        ([NOON, None], "the time is missing"),
        ([NOON, 1j], "'1j' is not a time"),
    ],
)
def test_a_value_in_memory_that_is_no_time_is_refused(times: NDArray[Any] | list[object], fault: str) -> None:
    """The sentence names the row."""
    with pytest.raises(ReferenceDataError, match=re.escape(f"data: row 2, column 'ts': {fault} {RULE}")):
        table_of_columns({"ts": times, "a": [0, 1]}, rules=RULES)


def test_a_file_without_the_column_is_refused(tmp_path: Path) -> None:
    """A name that is not there is a mistake, since without times a daily rhythm looks like drift."""
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")

    with pytest.raises(ReferenceDataError, match="there is no column 'ts' that could hold the times of the rows"):
        read_table(path, RULES)


def test_the_lines_of_sorted_rows_are_still_known(tmp_path: Path) -> None:
    """A fault that is found after the sorting names the line of the file."""
    path = tmp_path / "a.csv"
    path.write_text("ts,a\n2026-01-02,1\n2026-01-01,inf\n")

    with pytest.raises(ReferenceDataError, match="line 3, column 'a': an infinity"):
        read_table(path, RULES)


@pytest.mark.parametrize("is_ordered", [True, False])
def test_a_file_in_order_without_times(tmp_path: Path, *, is_ordered: bool) -> None:
    """The rules alone say so, for a file that does not."""
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    table = read_table(path, ColumnRules(time=TimeRules(is_ordered=is_ordered)))

    assert (is_ordered, None) == (table.ordered, table.times)


@given(arrays(np.float64, st.integers(1, 30), elements=st.integers(40_000_000, 40_000_003).map(float)))
def test_sorting_by_time_is_stable_and_survives_the_file(times: NDArray[np.float64]) -> None:
    """Rows of one time keep their order; a file that driftgauge writes keeps the order without any rule."""
    table = table_of_columns({"a": np.arange(times.size), "ts": times}, rules=RULES)
    read = parse_table(Path("a.npz"), packed(table), ColumnRules(time=TimeRules(is_ordered=False)))
    order = [row for _, row in sorted(zip(times.tolist(), range(times.size), strict=True))]

    assert table.times is not None
    assert read.times is not None
    assert order == table.values[:, 0].tolist() == read.values[:, 0].tolist()
    assert sorted(times.tolist()) == table.times.tolist() == read.times.tolist()
    assert (True, True) == (table.ordered, read.ordered)


def test_a_built_file_decides_its_order(tmp_path: Path) -> None:
    """The options are for files of others: a sample in no order stays one."""
    path = tmp_path / "a.npz"
    path.write_bytes(packed(table_of_columns({"a": [1, 2]})))

    assert not read_table(path, ColumnRules(time=TimeRules("ts", is_ordered=True))).ordered


@pytest.mark.parametrize(
    "times", [np.array([2.0, 1.0]), np.array([1.0]), np.array([1, 2]), np.array([1.0, np.nan]), np.ones((2, 1))]
)
def test_damaged_times_are_refused(tmp_path: Path, times: NDArray[Any]) -> None:
    """They must be as many as the rows, and ascend."""
    path = tmp_path / "a.npz"
    path.write_bytes(packed(table_of_columns({"a": [1, 2]}), {"times": times}))

    with pytest.raises(ReferenceDataError, match="member 'times' is damaged"):
        read_table(path)
