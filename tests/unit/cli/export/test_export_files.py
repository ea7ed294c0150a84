"""The files of an export: each format is read back with every value in its place."""

import csv
import io
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftgauge.cli.export.export_files import check_export, content_of
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import code
from driftgauge.reference.dataset import load_reference
from driftgauge.reference.exported_rows import unpack_export
from driftgauge.reference.files import parse_table
from tests.support.exports import LONDON, PARIS, ROWS, TIMES

TEXTS = ["Paris", None, 'a, "b"\n']


def test_parquet_is_read_by_pandas() -> None:
    """Times have the zone UTC, ids and revisions are texts, rows integers; what is missing is null."""
    frame = pd.read_parquet(io.BytesIO(content_of(Path("rows.parquet"), ROWS)))

    assert [
        *("driftgauge:time", "driftgauge:id", "driftgauge:row", "driftgauge:revision"),
        *("alcohol", "city", "prediction:quality", "label:quality"),
    ] == list(frame.columns)
    assert isinstance(frame["driftgauge:time"].dtype, pd.DatetimeTZDtype)
    assert "UTC" == str(frame["driftgauge:time"].dtype.tz)
    assert TIMES == [time.timestamp() for time in frame["driftgauge:time"]]
    assert ["00000000000000ff", "8000000000000000", "0000000000000001"] == frame["driftgauge:id"].tolist()
    assert [0, 1, 0] == frame["driftgauge:row"].tolist()
    assert ["stable", "stable", ""] == frame["driftgauge:revision"].tolist()
    assert [0.1, 10.0] == frame["alcohol"].dropna().tolist()
    assert TEXTS == [None if pd.isna(one) else one for one in frame["city"]]
    assert [True, False, True] == frame["label:quality"].isna().tolist()


def test_csv_has_all_digits() -> None:
    """Times are of RFC 3339 in UTC; a missing value is empty."""
    lines = list(csv.reader(io.StringIO(content_of(Path("rows.csv"), ROWS).decode(), newline="")))

    assert ["2026-03-01T10:00:00.250000Z", "00000000000000ff", "0", "stable", "0.1", "Paris", "5.0", ""] == lines[1]
    assert ["", 'a, "b"\n', "7.0", ""] == lines[3][4:]


def test_a_category_without_text_is_its_code() -> None:
    """The process knows texts of its reference alone; equal values stay equal."""
    rows = replace(ROWS, table=replace(ROWS.table, categories={PARIS: "Paris"}))
    frame = pd.read_parquet(io.BytesIO(content_of(Path("rows.parquet"), rows)))

    assert f"#{LONDON:.0f}" == frame["city"][2]
    assert code('a, "b"\n') == LONDON


@pytest.mark.parametrize("name", ["rows.parquet", "rows.csv", "rows.npz"])
def test_each_format_is_read_as_the_same_reference(tmp_path: Path, name: str) -> None:
    """Features, predictions and labels have the names by which a reference knows them."""
    (tmp_path / name).write_bytes(content_of(Path(name), ROWS))
    reference = load_reference(tmp_path / name, 0.0)

    assert ("alcohol", "city") == reference.columns
    assert ("quality",) == reference.prediction_columns
    assert [profile.kind for profile in reference.features] == list(ROWS.table.kinds[:2])
    assert np.array_equal(
        ROWS.table.values, parse_table(Path(name), (tmp_path / name).read_bytes()).values, equal_nan=True
    )


def test_npz_keeps_everything() -> None:
    """It is read back as it was."""
    again = unpack_export(Path("rows.npz"), content_of(Path("rows.npz"), ROWS))

    assert ROWS.ids.tolist() == again.ids.tolist()
    assert ROWS.places.tolist() == again.places.tolist()
    assert ROWS.revisions.tolist() == again.revisions.tolist()
    assert ROWS.has_features.tolist() == again.has_features.tolist()
    assert TIMES == again.times.tolist()
    assert ROWS.table.kinds == again.table.kinds


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("rows.txt", "rows.txt: the extension must be one of .parquet, .csv, .npz"),
        ("nowhere/rows.csv", "nowhere/rows.csv: there is no folder"),
        (".csv/", "the extension must be one of"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path, name: str, sentence: str) -> None:
    """Before any row is read, in one sentence that names the path."""
    with pytest.raises(ReferenceDataError) as caught:
        check_export(tmp_path / name)

    assert sentence in str(caught.value)


def test_parquet_without_its_library_names_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is an optional part of the installation."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ReferenceDataError, match=r"Parquet needs pyarrow: pip install .*, or write \.csv or \.npz"):
        check_export(tmp_path / "rows.parquet")
    check_export(tmp_path / "rows.csv")  # needs no library
