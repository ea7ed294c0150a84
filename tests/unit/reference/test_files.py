"""Reading datasets: what is taken, and the sentence for each fault."""

import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pytest

from driftgauge.errors import ReferenceDataError
from driftgauge.reference.file_limits import MAX_FILE_BYTES
from driftgauge.reference.files import read_table

DATA = Path(__file__).parents[2] / "data" / "reference"

NOT_A_NUMBER = "not a number (missing values are empty, NaN, NA or null)"


def write(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(path: Path) -> list[list[float | None]]:
    """The values of a file, with None for what is missing."""
    return [[None if np.isnan(value) else float(value) for value in row] for row in read_table(path).values]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("a,b\n1,2\n3,4\n", [[1, 2], [3, 4]], id="plain"),
        pytest.param("a,b\r\n1,2\r\n3,4", [[1, 2], [3, 4]], id="windows-line-ends"),
        pytest.param("a;b\n1;2\n", [[1, 2]], id="semicolon"),
        pytest.param("a\tb\n1\t2\n", [[1, 2]], id="tab"),
        pytest.param("\ufeffa,b\n1,2\n", [[1, 2]], id="byte-order-mark"),
        pytest.param("a,b\n,nan\nNA,NULL\n1e-3,NaN\n", [[None, None], [None, None], [0.001, None]], id="missing"),
        pytest.param("a,b\nTrue,false\n", [[1, 0]], id="bool"),
        pytest.param('"a","b"\n"1","2"\n', [[1, 2]], id="quotes"),
        pytest.param("\na,b\n\n1,2\n\n", [[1, 2]], id="blank-lines"),
        pytest.param("a,b\n 1 , -2.5 \n", [[1, -2.5]], id="spaces"),
        pytest.param(
            "a,b\n1,NA\nN/A, <na> \nnull,2\nNone,#N/A\n",
            [[1, None], [None, None], [None, 2], [None, None]],
            id="missing",
        ),
        pytest.param("a,b\n1,\n", [[1, None]], id="empty-last-cell"),
        pytest.param("a,b\n1,2\n,\n", [[1, 2], [None, None]], id="empty-row-of-cells"),
    ],
)
def test_csv(tmp_path: Path, content: str, expected: list[list[float | None]]) -> None:
    """The usual dialects of CSV are read."""
    path = write(tmp_path, content)

    assert (("a", "b"), expected) == (read_table(path).columns, rows_of(path))


@pytest.mark.parametrize(
    "content",
    [
        'a,b\n1,"2\n',
        "a,b\n" + "1,2\n" * 500 + '501,"10',
        'a,c\n1,"red\n2,white\n3,red\n',
        'a,c\n1,red\n2,"white',
        'a,"c\n1,red\n',
    ],
)
def test_a_quote_that_is_not_closed(tmp_path: Path, content: str) -> None:
    """The lines after it would be one cell."""
    with pytest.raises(ReferenceDataError, match="not CSV: unexpected end of data"):
        read_table(write(tmp_path, content))


def test_header_over_two_lines(tmp_path: Path) -> None:
    """A quoted name may hold a line break and the delimiter."""
    table = read_table(write(tmp_path, '"a\n1, 2",b\n1,2\n'))

    assert (("a\n1, 2", "b"), [[1.0, 2.0]]) == (table.columns, table.values.tolist())


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_header_longer_than_one_cell_may_be(tmp_path: Path, delimiter: str) -> None:
    """Python's csv takes no cell over 131,072 characters; a header may have more, whatever parts it."""
    names = tuple(f"{'n' * 70}{number}" for number in range(2_000))
    path = write(tmp_path, f"{delimiter.join(names)}\n{delimiter.join('1' * len(names))}\n")

    assert names == read_table(path).columns


def test_name_longer_than_a_cell_may_be(tmp_path: Path) -> None:
    """One sentence, as for any fault of a line."""
    path = write(tmp_path, f"{'n' * 200_000},b\n1,2\n")

    with pytest.raises(ReferenceDataError, match=r"a\.csv: line 1: not CSV: field larger than field limit"):
        read_table(path)


def test_numbered_columns(tmp_path: Path) -> None:
    """The names 0, 1, 2 that pandas gives to unnamed columns are names."""
    assert ("0", "1") == read_table(write(tmp_path, "0,1\n5,6\n")).columns


def test_digest_is_of_the_content(tmp_path: Path) -> None:
    """The digest is the SHA-256 of the file."""
    content = b"a\n1\n"

    assert hashlib.sha256(content).hexdigest() == read_table(write(tmp_path, content)).digest


def test_both_ways_of_reading_agree(tmp_path: Path) -> None:
    """The fast reader and the reader of cells give the same values to the last bit."""
    values = np.random.default_rng(5).normal(size=(50, 3)) * 10.0 ** np.arange(-8, 17, 12)
    lines = "\n".join(",".join(repr(float(value)) for value in row) for row in values)
    fast = read_table(write(tmp_path, f"a,b,c\n{lines}\n", "fast.csv")).values
    by_cell = read_table(write(tmp_path, f"a,b,c\n{lines}\n,,\n", "cells.csv")).values

    assert values.tolist() == fast.tolist() == by_cell[:-1].tolist()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("duplicate_name.csv", "two columns are named 'acidity'"),
        ("empty_name.csv", "column 1 has no name (pandas writes such a one for its index: say index=False)"),
        ("header_only.csv", "there are no rows"),
        ("infinity.csv", "line 3, column 'alcohol': an infinity, only finite values can be tested"),
        ("no_header.csv", "line 1 holds numbers, it must hold the names of the columns"),
        ("ragged_row.csv", "line 4 has 1 cells, the header has 2"),
        (
            "text_cell.csv",
            f"line 3, column 'alcohol': 'a value that no one would call a numb...' is {NOT_A_NUMBER}",
        ),
        (
            "decimal_comma.csv",
            f"line 2, column 'acidity': '7,4' is {NOT_A_NUMBER}; write 7.4",
        ),
        ("not_utf8.csv", "line 2: the file is not UTF-8"),
        ("utf16.csv", "the file is UTF-16, save it as UTF-8"),
        ("not_parquet.parquet", "this is not a Parquet file"),
        ("not_npz.npz", "this is not an NPZ file"),
    ],
)
def test_bad_file(name: str, sentence: str) -> None:
    """Each bad file is refused with the sentence that names the place and the rule."""
    with pytest.raises(ReferenceDataError) as caught:
        read_table(DATA / name)

    assert f"{DATA / name}: {sentence}" == str(caught.value)


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        ("", "a.csv", "the file is empty"),
        ("\n \n", "a.csv", "the file is empty"),
        ("a\n1\n", "a.txt", "the extension must be one of .csv, .parquet, .npz"),
        ("a\n1_000\n", "a.csv", "line 2, column 'a': '1_000' is not a number"),
        ("a\n٣\n", "a.csv", "line 2, column 'a': '٣' is not a number"),
        ("a,b\n1,2\n1,2,3\n", "a.csv", "line 3 has 3 cells, the header has 2"),
        (f'a\n"{"x" * 200_000}"\n', "a.csv", "line 2: not CSV: field larger than field limit (131072)"),
        (",".join(f"f{i}" for i in range(2001)), "a.csv", "there are 2001 columns, at most 2000 can be tested"),
        ("a,b\n" + "," * (2**25 + 1), "a.csv", "more than 33554432 values, a sample will do"),
        ("a,b\n1,-inf\n", "a.csv", "line 2, column 'b': an infinity"),
        ("a\n1e999\n", "a.csv", "line 2, column 'a': an infinity"),
    ],
)
def test_bad_content(tmp_path: Path, content: str, name: str, sentence: str) -> None:
    """Faults that need no file of their own."""
    with pytest.raises(ReferenceDataError, match=re.escape(sentence)):
        read_table(write(tmp_path, content, name))


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(ReferenceDataError, match=re.escape(f"{tmp_path}/no.csv: there is no such file")):
        read_table(tmp_path / "no.csv")


def test_directory(tmp_path: Path) -> None:
    """A directory is not a dataset."""
    with pytest.raises(ReferenceDataError, match="this is a directory, not a file"):
        read_table(tmp_path)


def test_fifo(tmp_path: Path) -> None:
    """A pipe is refused rather than waited for."""
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(ReferenceDataError, match="this is not a regular file"):
        read_table(tmp_path / "a.csv")


def test_circular_link(tmp_path: Path) -> None:
    """What the system will not read is refused with the system's reason."""
    (tmp_path / "a.csv").symlink_to("a.csv")
    with pytest.raises(ReferenceDataError, match="it cannot be read: Too many levels of symbolic links"):
        read_table(tmp_path / "a.csv")


def test_too_big(tmp_path: Path) -> None:
    """A file beyond the bound is refused before it is parsed."""
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(ReferenceDataError, match="the file is larger than 256 MiB, a sample will do"):
        read_table(path)
