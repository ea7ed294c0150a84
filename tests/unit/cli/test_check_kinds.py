"""The check command reads a window by the kinds of the reference, whatever the formats of the two files."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftgauge.cli.main import run
from driftgauge.reference.formats.arrays import INEXACT

ROWS = 200
COLUMNS: dict[str, list[Any]] = {
    "zip": [[94103, 10001, 60601][row % 3] for row in range(ROWS)],
    "country": [["NA", "DE", "nan"][row % 3] for row in range(ROWS)],
    "sector": [[" Private", "Public"][row % 2] for row in range(ROWS)],
    "day": [f"{row % 12 + 1:02}/{row % 28 + 1:02}/2024" for row in range(ROWS)],
    "discount": [["5%", "10 %"][row % 2] for row in range(ROWS)],
    "epoch_time": [1_700_000_000 + row for row in range(ROWS)],
    "id": [2**60 + row for row in range(ROWS)],
    "n": [row / 2 for row in range(ROWS)],
}
ONLY_IN_THE_WINDOW: dict[str, list[Any]] = {"price": [f"${1000 + row:,}.50" for row in range(ROWS)]}


def save_csv(path: Path, columns: dict[str, list[Any]]) -> Path:
    """A CSV file with quotes around every cell."""
    lines = [list(columns), *zip(*columns.values(), strict=True)]
    path.with_suffix(".csv").write_text("".join(",".join(f'"{cell}"' for cell in line) + "\n" for line in lines))
    return path.with_suffix(".csv")


def save_parquet(path: Path, columns: dict[str, list[Any]]) -> Path:
    """A Parquet file."""
    pq.write_table(pa.table(columns), path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def save_npz(path: Path, columns: dict[str, list[Any]]) -> Path:
    """An NPZ file of one array for each column."""
    np.savez(path.with_suffix(".npz"), allow_pickle=False, **{name: np.array(cells) for name, cells in columns.items()})
    return path.with_suffix(".npz")


FORMATS: dict[str, Callable[[Path, dict[str, list[Any]]], Path]] = {
    "csv": save_csv,
    "parquet": save_parquet,
    "npz": save_npz,
}


@pytest.mark.parametrize(("first", "second"), list(itertools.product(FORMATS, FORMATS)))
def test_the_same_data_never_drifts(
    tmp_path: Path, first: str, second: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Between any two formats; what the reference leaves out or lacks is not read in the window."""
    reference = FORMATS[first](tmp_path / "reference", COLUMNS)
    window = FORMATS[second](tmp_path / "window", COLUMNS | ONLY_IN_THE_WINDOW)

    assert 0 == run(["check", str(reference), str(window)])
    result = capsys.readouterr()
    assert "No drift in 5 features" in result.out
    notes = [
        "column 'day' holds dates: it is left out, since a date is always new",
        "column 'epoch_time' holds times in seconds since 1970: it is left out, since a time is always new",
        f"column 'id' {INEXACT}",
        "a space begins or ends categories of column 'sector', such as ' Private'",
        "column 'country' has the category 'NA': if it is a missing value, name it in missing_words",
    ]
    assert [
        *(f"note: {reference}: {note}" for note in notes),
        f"note: {window}: columns that the reference does not have are left out: 'price'",
    ] == result.err.splitlines()


@pytest.mark.parametrize("window_format", FORMATS)
def test_a_built_reference_reads_codes_of_every_format(tmp_path: Path, window_format: str) -> None:
    """A code that the reference lacks is a category of its own, although it lies between two others."""
    training = save_csv(tmp_path / "training", {"zip": COLUMNS["zip"]})
    built = tmp_path / "built.npz"
    assert 0 == run(["reference", "build", str(training), "-o", str(built), "--categorical", "zip"])
    same = FORMATS[window_format](tmp_path / "same", {"zip": COLUMNS["zip"]})
    other = FORMATS[window_format](tmp_path / "other", {"zip": [94103, 10001, 60602] * 60})

    assert 0 == run(["check", str(built), str(same)])
    assert 1 == run(["check", str(built), str(other)])
