"""Samples of training data: the same of CSV and Parquet, in bounded memory, with their origin."""

import hashlib
import re
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftgauge import __version__
from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import code
from driftgauge.reference.sample import MAX_KEPT_VALUES, SampleSpec, draw_sample, sample_rows
from driftgauge.reference.table import Origin

NUMERIC, CATEGORICAL, IGNORED = FeatureKind
COLOURS = ("red", "white", "rose")


def write_csv(folder: Path, rows: int) -> Path:
    """Rows that contain their number."""
    path = folder / "train.csv"
    with path.open("w") as file:
        file.write("n,colour,day,user,quality\n")
        for number in range(rows):
            day = f"2026-01-{number % 28 + 1:02}"
            file.write(f"{number},{COLOURS[number % 3]},{day},user-{number},{number % 7}\n")
    return path


def write_parquet(folder: Path, rows: int) -> Path:
    """The same rows."""
    path = folder / "train.parquet"
    numbers = np.arange(rows)
    columns: dict[str, Any] = {
        "n": numbers,
        "colour": pa.array([COLOURS[number % 3] for number in numbers]).dictionary_encode(),
        "day": pa.array(numbers % 28, pa.int32()).cast(pa.date32()),
        "user": [f"user-{number}" for number in numbers],
        "quality": numbers % 7,
    }
    pq.write_table(pa.table(columns), path, row_group_size=300)
    return path


def test_a_file_that_fits_is_kept_whole(tmp_path: Path) -> None:
    """All rows in their order, with the kinds of their columns and where they come from."""
    path = write_csv(tmp_path, 50)
    table = draw_sample(path, SampleSpec(rows=50, seed=3, predictions=["quality"]))

    assert ("n", "colour", "day", "user", "prediction:quality") == table.columns
    assert (NUMERIC, CATEGORICAL, IGNORED, CATEGORICAL, NUMERIC) == table.kinds
    assert list(range(50)) == table.values[:, 0].tolist()
    assert [code(COLOURS[number % 3]) for number in range(50)] == table.values[:, 1].tolist()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert Origin("train.csv", digest, 50, 3, __version__) == table.origin


def test_csv_and_parquet_give_the_same_sample(tmp_path: Path) -> None:
    """The rows hang on their number and the seed alone, not on row groups, blocks or format."""
    draw = SampleSpec(rows=1500, seed=7)
    of_csv, of_parquet = (draw_sample(write(tmp_path, 4000), draw) for write in (write_csv, write_parquet))

    assert sample_rows(4000, 1500, 7).tolist() == of_csv.values[:, 0].tolist()
    np.testing.assert_array_equal(of_csv.values, of_parquet.values)
    assert (NUMERIC, CATEGORICAL, IGNORED, IGNORED, NUMERIC) == of_csv.kinds == of_parquet.kinds
    assert "holds 1500 different texts in 1500 rows, as identifiers do: it is left out" == of_csv.left_out["user"]
    assert of_csv.left_out == of_parquet.left_out
    assert np.isnan(of_csv.values[:, 2:4]).all()


def test_default_rows(tmp_path: Path) -> None:
    """Without a number 100,000 rows are kept."""
    path = tmp_path / "a.csv"
    path.write_text("a\n" + "1\n" * 100_001)
    table = draw_sample(path, SampleSpec())

    assert 100_000 == table.values.shape[0]


def test_a_wide_file_keeps_fewer_rows(tmp_path: Path) -> None:
    """The sample must fit in memory: without a number of rows fewer are kept, a number beyond it is refused."""
    path = tmp_path / "a.parquet"
    most = MAX_KEPT_VALUES // 1000
    column = pa.DictionaryArray.from_arrays(np.zeros(most + 1, np.int8), ["x"])
    pq.write_table(pa.table({f"f{index}": column for index in range(1000)}), path)

    sentence = f"{path}: of 1000 columns at most {most} rows can be kept, not {most + 1}"
    with pytest.raises(ReferenceDataError, match=re.escape(sentence)):
        draw_sample(path, SampleSpec(rows=most + 1))


def peak_bytes(path: Path) -> int:
    """The most memory that a draw of 1,000 rows takes."""
    tracemalloc.start()
    try:
        draw_sample(path, SampleSpec(rows=1000))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_is_bounded(tmp_path: Path) -> None:
    """Four times as many rows take no more memory, and less than half of what the file has bytes."""
    small = peak_bytes(write_csv(tmp_path, 100_000))
    path = write_csv(tmp_path, 400_000)
    large = peak_bytes(path)

    assert large < 1.2 * small
    assert large < path.stat().st_size / 2


@pytest.mark.parametrize(
    ("name", "content", "draw", "sentence"),
    [
        ("a.npz", b"x", SampleSpec(), "a sample is drawn of one of .csv, .parquet"),
        ("a.csv", b"a\n", SampleSpec(), "there are no rows"),
        ("a.csv", b"a,a\n1,2\n", SampleSpec(), "two columns are named 'a'"),
        ("a.csv", b"a,b\n1\n", SampleSpec(), "line 2 has 1 cells, the header has 2"),
        ("a.csv", b"a\n1\n2\nx\n", SampleSpec(), "line 4, column 'a': 'x' is not a number"),
        ("a.csv", b"a\n1\ninf\n", SampleSpec(), "line 3, column 'a': an infinity"),
        ("a.csv", b"a\n1\n", SampleSpec(predictions=["b"]), "there is no column 'b' to take as prediction"),
        ("a.csv", b",".join(b"f%d" % i for i in range(2100)), SampleSpec(), "there are 2100 columns, at most 2000"),
        ("a.parquet", b"PAR1", SampleSpec(), "this is not a Parquet file"),
    ],
)
def test_bad_training_data(tmp_path: Path, name: str, content: bytes, draw: SampleSpec, sentence: str) -> None:
    """Refused with a sentence, as a reference would be."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ReferenceDataError, match=re.escape(f"{path}: {sentence}")):
        draw_sample(path, draw)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """The error contains the system's reason."""
    path = tmp_path / f"{'n' * 300}.csv"  # no file system has names that long
    with pytest.raises(ReferenceDataError, match="it cannot be read: File name too long"):
        draw_sample(path, SampleSpec())


def test_no_such_file(tmp_path: Path) -> None:
    """A folder is no file either."""
    for name in ("missing.csv", "missing.parquet"):
        with pytest.raises(ReferenceDataError, match="there is no such file"):
            draw_sample(tmp_path / name, SampleSpec())
