"""CSV read a block at a time: the same rows as when it is read whole."""

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.errors import ReferenceDataError
from driftgauge.reference.formats.csv_stream import MAX_ROW_BYTES, read_outline, read_rows, split_rows
from driftgauge.reference.formats.text_columns import Row

CELLS = st.text(st.sampled_from('ab1 ,;"\né'), max_size=6)


def write(folder: Path, content: bytes) -> Path:
    """A CSV file."""
    path = folder / "a.csv"
    path.write_bytes(content)
    return path


def read(path: Path, positions: Sequence[int] | None = None, block_bytes: int = 2**20) -> list[Row]:
    """Some rows, or all."""
    given_outline = read_outline(path, block_bytes)
    wanted = np.arange(given_outline.rows) if positions is None else np.array(positions)
    rows = read_rows(path, given_outline, wanted, block_bytes)
    return list(split_rows(path, given_outline.delimiter, rows))


@settings(max_examples=200)
@given(
    st.integers(2, 3).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8)),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 40),
)
def test_the_rows_are_those_of_the_whole_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], ending: str, block_bytes: int
) -> None:
    """Whatever cells hold, and wherever a block ends: the csv module's rows, and the lines it counts."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ending).writerows([["a"] * (len(rows[0]) if rows else 2), *rows])
    path = write(tmp_path_factory.mktemp("a"), text.getvalue().encode())
    reader = csv.reader(io.StringIO(text.getvalue(), newline=""))
    expected = [(reader.line_num, cells) for cells in reader]

    assert expected[1:] == read(path, block_bytes=block_bytes)


def test_the_outline(tmp_path: Path) -> None:
    """Names, delimiter, rows and hash of a file with a byte order mark, blank lines and no last line break."""
    content = '\ufeff\n"a ";b\r\n\r\n1;2\n\n3;"x\ny"'.encode()
    path = write(tmp_path, content)
    found = read_outline(path)

    assert (("a ", "b"), ";", 2, hashlib.sha256(content).hexdigest()) == (
        found.columns,
        found.delimiter,
        found.rows,
        found.sha256,
    )
    assert [(4, ["1", "2"]), (7, ["3", "x\ny"])] == read(path)


def test_chosen_rows(tmp_path: Path) -> None:
    """Rows are counted below the header; their lines are those of the file."""
    path = write(tmp_path, b"a\n" + b"".join(b"%d\n" % number for number in range(100)))

    assert [(2, ["0"]), (52, ["50"]), (101, ["99"])] == read(path, [0, 50, 99], block_bytes=16)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"1,2\n3,4\n", "line 1 holds numbers"),
        ("a\n1\n".encode("utf-16"), "the file is UTF-16, save it as UTF-8"),
        (b"a\n1\n\xff\n", "line 3: the file is not UTF-8"),
        (b'a,b\n1,"x\n2,y\n', "line 3: a quote is not closed, or stands in a cell that has none around it"),
        (b'a,b\n1,5" x\n2,7" y\n', "line 3: a quote is not closed, or stands in a cell that has none around it"),
        (b"a\n" + b"x" * 200_000 + b"\n", "line 2: not CSV: field larger than field limit"),
        (b'a\n"' + b"x" * (MAX_ROW_BYTES + 2**20), "line 2: a row is longer than 16 MiB"),
    ],
    ids=["empty", "blank", "data", "utf-16", "not-utf-8", "open-quote", "stray-quotes", "long-cell", "long-row"],
)
def test_bad_content(tmp_path: Path, content: bytes, sentence: str) -> None:
    """One sentence that names the line and the rule."""
    path = write(tmp_path, content)
    with pytest.raises(ReferenceDataError, match=re.escape(f"{path}: {sentence}")):
        read(path)


def test_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    """The rows of the second reading must be those that the first one counted."""
    path = write(tmp_path, b"a\n1\n2\n")
    before = read_outline(path)
    write(tmp_path, b"a\n1\n3\n")
    with pytest.raises(ReferenceDataError, match=re.escape(f"{path}: the file has changed while it was read")):
        read_rows(path, before, np.array([0]))
