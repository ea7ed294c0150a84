"""The columns by which driftgauge names the rows of an export: no reader takes them for columns of the model."""

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftgauge.reference.column import ColumnRules, TimeRules
from driftgauge.reference.files import parse_table
from driftgauge.reference.sample import SampleSpec, draw_sample
from driftgauge.reference.table import table_of_columns

TIMES = [f"2026-03-01T10:00:0{second}.5+00:00" for second in (2, 0, 1)]
OWN: dict[str, list[Any]] = {
    "driftgauge:time": TIMES,
    "driftgauge:id": ["0123456789012345", "12345e7890123456", "00000000000000ff"],
    "driftgauge:row": [0, 1, 0],
    "driftgauge:revision": ["stable", "stable", "canary"],
}
COLUMNS: dict[str, list[Any]] = {**OWN, "alcohol": [9.5, 10.0, 11.5], "prediction:quality": [5, 6, 7]}
BY_TIME = ColumnRules(time=TimeRules("driftgauge:time"))


def as_csv(columns: dict[str, list[Any]]) -> bytes:
    """The columns as CSV."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def as_parquet(columns: dict[str, list[Any]]) -> bytes:
    """The columns as Parquet, with times of its own type."""
    buffer = io.BytesIO()
    typed = columns | {"driftgauge:time": [dt.datetime.fromisoformat(time) for time in TIMES]}
    pq.write_table(pa.table(typed), buffer)
    return buffer.getvalue()


def as_npz(columns: dict[str, list[Any]]) -> bytes:
    """The columns as arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: np.array(values) for name, values in columns.items()})
    return buffer.getvalue()


FILES = {"rows.csv": as_csv(COLUMNS), "rows.parquet": as_parquet(COLUMNS), "rows.npz": as_npz(COLUMNS)}


@pytest.mark.parametrize("name", FILES)
def test_names_of_rows_are_no_columns_of_the_model(name: str) -> None:
    """What is left are the model's columns, with every value in its place."""
    table = parse_table(Path(name), FILES[name])

    assert ("alcohol", "prediction:quality") == table.columns
    assert [[9.5, 5], [10, 6], [11.5, 7]] == table.values.tolist()
    assert table.times is None


@pytest.mark.parametrize("name", FILES)
def test_the_times_of_an_export_order_its_rows(name: str) -> None:
    """Where its column of times is named, rows stand in the order of time; they say which second they are of."""
    table = parse_table(Path(name), FILES[name], BY_TIME)

    assert [10, 11.5, 9.5] == table.values[:, 0].tolist()
    assert table.times is not None
    assert [0.5, 1.5, 2.5] == (table.times % 60).tolist()


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_a_sample_has_no_names_of_rows(tmp_path: Path, name: str) -> None:
    """A reference that is built of an export has the model's columns alone."""
    path = tmp_path / name
    path.write_bytes(FILES[name])

    assert ("alcohol", "prediction:quality") == draw_sample(path, SampleSpec()).columns


def test_data_in_memory_have_no_names_of_rows() -> None:
    """A DataFrame of an export is read as its file."""
    assert ("alcohol", "prediction:quality") == table_of_columns(COLUMNS).columns
