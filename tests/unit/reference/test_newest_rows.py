"""Samples of training data whose order is known: runs of neighbours, the newest ones."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from driftgauge.errors import ReferenceDataError
from driftgauge.reference.column import ColumnRules, TimeRules
from driftgauge.reference.newest_rows import newest_rows
from driftgauge.reference.sample import SampleSpec, draw_sample, sample_table
from driftgauge.reference.table import table_of_columns

HOUR, DAY = 3_600, 86_400
START = 1_700_000_000
TIMES = TimeRules("ts")


def steady(days: float, rows_a_day: int) -> NDArray[np.float64]:
    """Times at equal distances."""
    return np.float64(START) + np.arange(1, round(days * rows_a_day) + 1) * np.float64(DAY / rows_a_day)


@pytest.mark.parametrize(
    ("days", "rows_a_day", "kept", "first_day"),
    [
        (30, 100, 3000, 0),  # all fit
        (30, 100, 2999, 2),  # four weeks
        (30, 100, 1399, 23),  # one week
        (30, 100, 699, 24),  # less than a week: six days
        (30, 100, 100, 29),
        (3, 100, 299, 1),
    ],
)
def test_the_newest_whole_weeks_or_days_are_kept(days: int, rows_a_day: int, kept: int, first_day: int) -> None:
    """They have every hour of the day equally often, and every day of the week if they are weeks."""
    found = newest_rows(steady(days, rows_a_day), kept)

    assert list(range(first_day * rows_a_day, days * rows_a_day)) == found.tolist()


@pytest.mark.parametrize(
    ("days", "kept", "hours", "length"), [(10, 20_000, 168, 119), (10, 5_000, 24, 208), (0.25, 5_000, 6, 833)]
)
def test_a_run_of_each_hour_is_kept_where_no_day_fits(days: float, kept: int, hours: int, length: int) -> None:
    """Of the newest week if its runs are long enough, else of the newest day, else of all hours that there are."""
    times = steady(days, 24 * 3600)
    found = newest_rows(times, kept)
    runs = np.split(found, np.flatnonzero(np.diff(found) > 1) + 1)

    assert [length] * hours == [run.size for run in runs]
    assert [HOUR] * (hours - 1) == np.diff([run[-1] for run in runs]).tolist()
    assert times.size - 1 == found[-1]


def test_fewer_rows_than_hours_are_the_newest_ones() -> None:
    """Nothing is left to choose."""
    assert [997, 998, 999] == newest_rows(steady(1, 1000), 3).tolist()


@given(st.lists(st.integers(0, 40 * DAY), min_size=1, max_size=60), st.integers(1, 70))
def test_never_more_rows_than_asked_for(seconds: list[int], kept: int) -> None:
    """The indices ascend, are at most as many, and contain a row of the newest time."""
    times = START + np.array(seconds, dtype=np.float64)
    found = newest_rows(times, kept)

    assert 1 <= found.size <= min(kept, times.size)
    assert (np.diff(found) > 0).all()
    assert times.max() == times[found].max()


def files(folder: Path, order: NDArray[np.int64]) -> list[Path]:
    """30 days of 100 rows as CSV, with a quoted line break, and as Parquet; the rows stand in this order."""
    times = steady(30, 100)[order]
    csv, parquet = folder / "a.csv", folder / "a.parquet"
    lines = (f'{int(time)},{row},"a\nb"\n' for time, row in zip(times, order, strict=True))
    csv.write_text("ts,n,text\n" + "".join(lines))
    table = pa.table({"ts": (times * 1e6).astype("M8[us]"), "n": order, "text": ["a\nb"] * order.size})
    pq.write_table(table, parquet, row_group_size=700)
    return [csv, parquet]


def test_csv_parquet_and_memory_give_the_same_sample(tmp_path: Path) -> None:
    """Whatever the order of the file is, the newest week is kept, sorted by time, and the time is no column."""
    order = np.random.default_rng(1).permutation(3000)
    spec = SampleSpec(rows=1000, time=TIMES)
    tables = [draw_sample(path, spec) for path in files(tmp_path, order)]
    columns = {"ts": steady(30, 100)[order], "n": order, "text": ["a\nb"] * 3000}
    tables.append(sample_table(table_of_columns(columns, rules=ColumnRules(time=TIMES)), spec))

    for table in tables:
        assert (("n", "text"), True) == (table.columns, table.ordered)
        assert list(range(2300, 3000)) == table.values[:, 0].tolist()
        assert table.times is not None
        assert steady(30, 100)[2300:].astype(int).tolist() == table.times.astype(int).tolist()
        assert table.origin is not None
        assert 3000 == table.origin.rows_seen


def test_the_last_rows_of_a_file_in_order_are_kept(tmp_path: Path) -> None:
    """Without times it is unknown where a day ends."""
    for path in files(tmp_path, np.arange(3000)):
        table = draw_sample(path, SampleSpec(rows=1000, time=TimeRules(is_ordered=True)))
        assert (True, None) == (table.ordered, table.times)
        assert list(range(2000, 3000)) == table.values[:, table.columns.index("n")].tolist()


@pytest.mark.parametrize("rows", [2, 5000])
def test_a_column_that_is_not_there_is_a_fault(tmp_path: Path, rows: int) -> None:
    """Of a file that fits, too."""
    for path in files(tmp_path, np.arange(3000)):
        with pytest.raises(ReferenceDataError, match=re.escape(f"{path}: there is no column 'when'")):
            draw_sample(path, SampleSpec(rows=rows, time=TimeRules("when")))


@pytest.mark.parametrize(
    ("line", "fault"),
    [("soon,1", "line 4, column 'ts': 'soon' is not a time"), ("1", "line 4 has 1 cells, the header has 2")],
)
def test_a_fault_in_a_row_that_is_not_kept_is_found(tmp_path: Path, line: str, fault: str) -> None:
    """The times of all rows are read."""
    path = tmp_path / "a.csv"
    path.write_text(f"ts,n\n{START},1\n{START + 1},1\n{line}\n{START + 2},1\n")

    with pytest.raises(ReferenceDataError, match=re.escape(f"{path}: {fault}")):
        draw_sample(path, SampleSpec(rows=1, time=TIMES))
