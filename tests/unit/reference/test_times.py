"""Columns of numbers that are times, and columns of formatted numbers, of every source."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.offline.comparison import compare, window_rules
from driftgauge.offline.data import as_table
from driftgauge.reference.column import DATES, ColumnRules
from driftgauge.reference.dataset import Reference, prepare
from driftgauge.reference.files import parse_table, read_table
from driftgauge.reference.sample import SampleSpec, draw_sample, sample_rows
from driftgauge.reference.table import Table

NUMERIC, CATEGORICAL, IGNORED = FeatureKind
SOURCES = ("csv", "parquet", "npz", "memory")
DAYS = [20240101 + 100 * month + day for month in range(12) for day in range(28)]


def table_of(source: str, values: list[Any], name: str = "x", rules: ColumnRules | None = None) -> Table:
    """A table of a column of these values beside a column of numbers."""
    columns = {name: values, "n": list(range(len(values)))}
    rules = rules or ColumnRules()
    if source == "memory":
        return as_table(columns, "a", rules)
    path, buffer = Path(f"a.{source}"), io.BytesIO()
    if source == "csv":
        lines = (f'"{value}",{number}\n' for number, value in enumerate(values))
        return parse_table(path, f"{name},n\n{''.join(lines)}".encode(), rules)
    if source == "parquet":
        pq.write_table(pa.table(columns), buffer)
    else:
        np.savez(buffer, allow_pickle=False, **{column: np.array(cells) for column, cells in columns.items()})
    return parse_table(path, buffer.getvalue(), rules)


def reference_of(source: str, values: list[Any], name: str = "x") -> Reference:
    """The reference of such a table."""
    return prepare(table_of(source, values, name), 0.0)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("form", ["{m:02}/{d:02}/2024", "{d:02}.{m:02}.2024", "{d} Jan 2023", "Jan {d:02}, 2023"])
def test_texts_that_are_dates_are_left_out(source: str, form: str) -> None:
    """In any usual form, with the sentence that ISO dates have."""
    values = [form.format(m=1 + number % 12, d=1 + number % 28) for number in range(40)]
    reference = reference_of(source, values)

    assert (IGNORED, NUMERIC) == reference.kinds
    assert (f"column 'x' {DATES}",) == reference.notes


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("values", "name", "form"),
    [
        (DAYS, "x", "dates such as 20240131"),
        (DAYS[:3], "order_date", "dates such as 20240131"),
        (list(range(1_700_000_000, 1_700_000_030)), "created_at", "times in seconds since 1970"),
        ([1_700_000_000.25, 1_700_000_001.5], "eventTime", "times in seconds since 1970"),
        ([1_700_000_000_123, 1_700_000_001_456], "ts", "times in milliseconds since 1970"),
        ([1_700_000_000_123_456, 1_700_000_001_456_789], "Timestamp", "times in microseconds since 1970"),
    ],
)
def test_numbers_that_are_times_are_left_out(source: str, values: list[float], name: str, form: str) -> None:
    """By their values where these are certain, else by the name of the column."""
    reference = reference_of(source, values, name)

    assert (IGNORED, NUMERIC) == reference.kinds
    assert (f"column '{name}' holds {form}: it is left out, since a time is always new",) == reference.notes


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("values", "form"),
    [
        (DAYS[:20], "dates such as 20240131"),
        (list(range(1_700_000_000, 1_700_000_030)), "times in seconds since 1970"),
    ],
)
def test_numbers_that_may_be_times_are_noted(source: str, values: list[float], form: str) -> None:
    """Amounts of money can be as large: the column is tested, and a note says what it may be."""
    reference = reference_of(source, values)

    assert (NUMERIC, NUMERIC) == reference.kinds
    assert (f"column 'x' may hold {form}: it is tested as numbers, and a time always drifts",) == reference.notes


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([20240131 + number for number in range(60)], "x"),
        ([20240131.5, 20240130.0], "date"),
        ([18991231, 19000101], "date"),
        ([1_700_000_000, 5], "time"),
        ([3600, 7200], "time"),
        (list(range(1900, 2024)), "date"),
    ],
)
def test_other_numbers_stay(values: list[float], name: str) -> None:
    """Numbers that are no calendar's days, years, and durations."""
    reference = reference_of("memory", values, name)

    assert ((NUMERIC, NUMERIC), ()) == (reference.kinds, reference.notes)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("form", "written"),
    [("${:,.2f}", "1000.00"), ("{} %", "1000"), ("{:,}.00 EUR", "1000.00")],
)
def test_formatted_numbers_are_refused(source: str, form: str, written: str) -> None:
    """One sentence names the first cell and what to write instead."""
    values = [form.format(1000 + number) for number in range(30)]
    place = "line 2" if source == "csv" else "row 1"
    sentence = f"{place}, column 'x': '{values[0]}' is a number written as text: write {written} (or name the column"

    with pytest.raises(ReferenceDataError, match=re.escape(sentence)):
        table_of(source, values)


@pytest.mark.parametrize("source", ["parquet", "npz", "memory"])
@pytest.mark.parametrize("form", ["{:,}", "1.{:03},56"])
def test_separators_of_thousands_are_refused(source: str, form: str) -> None:
    """In text of every source; in CSV such cells are no numbers, whatever their share."""
    values = [form.format(100_000 + number if form == "{:,}" else number % 1000) for number in range(30)]

    with pytest.raises(ReferenceDataError, match="is a number written as text"):
        table_of(source, values)
    with pytest.raises(ReferenceDataError, match=r"line 2, column 'x': .* is not a number .*; write "):
        table_of("csv", values)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "values",
    [
        [f"{number % 20}%" for number in range(60)],
        [f"{number}-{number + 10} %" for number in range(60)],
        ["$5", "red", *(f"w{number}" for number in range(58))],
        [f"class {number}%" for number in range(60)],
    ],
    ids=["few", "ranges", "mixed", "words"],
)
def test_classes_stay_categories(source: str, values: list[str]) -> None:
    """Few different ones, ranges, and words beside them."""
    assert (CATEGORICAL, NUMERIC) == table_of(source, values).kinds


@pytest.mark.parametrize("source", ["parquet", "npz", "memory"])
def test_numbers_as_text_are_noted(source: str) -> None:
    """Codes and few classes are not; in CSV there are no numbers as text."""
    note = "column 'x' holds numbers as text, which are tested as categories: write numbers"
    notes = [
        reference_of(source, values).notes
        for values in (
            [f"{number / 2:.2f}" for number in range(1, 41)],
            [f"1.{number}" for number in range(1, 9)],
            [str(number) for number in range(1000, 1040)],
        )
    ]

    assert [(note,), (), ()] == notes


@pytest.mark.parametrize("source", SOURCES)
def test_a_person_may_say_that_they_are_categories(source: str) -> None:
    """Then neither dates nor formatted numbers are looked for."""
    rules = ColumnRules({"x": CATEGORICAL})
    for values in ([f"${number}" for number in range(30)], [f"2024-01-{number + 1:02}" for number in range(30)], DAYS):
        assert (CATEGORICAL, NUMERIC) == prepare(table_of(source, values, rules=rules), 0.0).kinds


@pytest.mark.parametrize("source", SOURCES)
def test_a_window_is_read_by_the_kinds_of_the_reference(source: str) -> None:
    """Few dates beside many, prices beside classes of prices, numbers that only look like dates in the window."""
    for expected, found in (
        (DAYS, DAYS[:2]),
        (DAYS[:2], DAYS),
        (["5%", "10%"], [f"{number}%" for number in range(40)]),
        (["red", "white"], [f"2024-01-{number + 1:02}" for number in range(30)]),
    ):
        reference = table_of(source, expected)
        window = table_of(source, found, rules=window_rules(reference))

        assert prepare(reference, 0.0).kinds == tuple(one.kind for one in compare(reference, window).profiles)


def test_building_and_checking_files(tmp_path: Path) -> None:
    """A sample of a file and the file itself leave the same columns out."""
    path = tmp_path / "a.csv"
    path.write_text("day,n\n" + "".join(f"{day},{number}\n" for number, day in enumerate(DAYS)))
    built = prepare(draw_sample(path, SampleSpec()), 0.0)

    assert (IGNORED, NUMERIC) == built.kinds == prepare(read_table(path), 0.0).kinds


def test_the_place_in_a_sample_is_that_of_the_file(tmp_path: Path) -> None:
    """A Parquet file has no lines, and the rows of a sample have other numbers than those of the file."""
    prices, limits = tmp_path / "prices.parquet", tmp_path / "limits.parquet"
    pq.write_table(pa.table({"x": [f"${number:,}" for number in range(1000)]}), prices)
    pq.write_table(pa.table({"x": [float("inf") if number > 600 else 0.5 for number in range(1000)]}), limits)
    rows = sample_rows(1000, 50, 3)

    with pytest.raises(ReferenceDataError, match=rf"row {rows[0] + 1}, column 'x': '\${rows[0]}' is a number written"):
        draw_sample(prices, SampleSpec(rows=50, seed=3))
    with pytest.raises(ReferenceDataError, match=f"row {rows[rows > 600][0] + 1}, column 'x': an infinity"):
        draw_sample(limits, SampleSpec(rows=50, seed=3))
