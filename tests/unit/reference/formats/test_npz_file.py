"""Reading NPZ: the three layouts, and the sentence for each fault."""

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from driftgauge.errors import ReferenceDataError
from driftgauge.protocol.category import code
from driftgauge.reference.column import DATES
from driftgauge.reference.files import read_table


def save(folder: Path, **arrays: NDArray[Any]) -> Path:
    """An NPZ file of these arrays."""
    path = folder / "a.npz"
    np.savez(path, allow_pickle=True, **arrays)
    return path


def test_one_array_per_column(tmp_path: Path) -> None:
    """Arrays of one axis are the columns, in the order in which they were saved."""
    table = read_table(save(tmp_path, b=np.array([1, 2]), a=np.array([True, False])))

    assert (("b", "a"), [[1.0, 1.0], [2.0, 0.0]], True) == (table.columns, table.values.tolist(), table.named)


def test_matrix_with_names(tmp_path: Path) -> None:
    """A matrix `data` takes its names from `columns`."""
    table = read_table(save(tmp_path, data=np.eye(2, dtype=np.float32), columns=np.array(["x", "y"])))

    assert (("x", "y"), [[1.0, 0.0], [0.0, 1.0]], True) == (table.columns, table.values.tolist(), table.named)


def test_matrix_alone(tmp_path: Path) -> None:
    """The columns of a matrix without names are called feature_0, feature_1, ..."""
    table = read_table(save(tmp_path, anything=np.array([[1.0, np.nan]])))

    assert (("feature_0", "feature_1"), False) == (table.columns, table.named)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"a": np.array([1, "x"], dtype=object)}, "array 'a' holds Python objects or is damaged"),
        ({"a": np.array([1]), "b": np.array([1, 2])}, "column 'b' has 2 rows, 'a' has 1"),
        ({"a": np.array([["x"]])}, "array 'a' holds <U1, not numbers"),
        ({"a": np.array([1, 2], dtype="m8[s]")}, "array 'a' holds timedelta64[s], not numbers"),
        ({"a": np.array([1j])}, "array 'a' holds complex128, not numbers"),
        ({"a": np.zeros((1, 2)), "b": np.zeros(1)}, "array 'a' has shape (1, 2); give one array of one axis"),
        ({"a": np.zeros(())}, "array 'a' has shape ()"),
        ({"data": np.eye(2), "columns": np.array(["x"])}, "there are 1 names for 2 columns of 'data'"),
        ({"data": np.eye(2), "columns": np.array([1, 2])}, "'columns' must hold the names of the columns as text"),
        ({"a": np.array([1.0, np.inf])}, "row 2, column 'a': an infinity"),
        ({"a": np.empty((0, 2))}, "there are no rows"),
        ({"a": np.empty((2, 0))}, "there are no columns"),
        ({}, "there are no columns"),
    ],
)
def test_bad_arrays(tmp_path: Path, arrays: dict[str, NDArray[Any]], sentence: str) -> None:
    """Arrays that are no table of numbers are refused."""
    with pytest.raises(ReferenceDataError, match=re.escape(sentence)):
        read_table(save(tmp_path, **arrays))


def test_text_is_categories_and_dates_are_left_out(tmp_path: Path) -> None:
    """The array's type decides the kind: text and bytes are categories, the empty one is missing."""
    path = save(
        tmp_path,
        text=np.array(["red", "", "nan", "3.0"]),
        raw=np.array([b"red", b"\xff", b"", b"x"]),
        when=np.array(["2026-01-01"] * 4, dtype="M8[D]"),
        written=np.array(["2026-01-01"] * 4),
    )
    table = read_table(path)

    assert ("categorical", "categorical", "ignored", "ignored") == table.kinds
    np.testing.assert_array_equal([code("red"), np.nan, code("nan"), code("3")], table.values[:, 0])
    np.testing.assert_array_equal([code("red"), code("\udcff"), np.nan, code("x")], table.values[:, 1])
    assert {"red", "nan", "3", "\\udcff", "x"} == set(table.categories.values())
    assert {"when": DATES, "written": DATES} == dict(table.left_out)
    assert np.isnan(table.values[:, 2:]).all()


@pytest.mark.parametrize("named", [True, False])
def test_large_integers_in_a_matrix(tmp_path: Path, named: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Columns that float64 cannot hold are left out, as in arrays of one axis."""
    matrix = np.array([[2**53 + 1, 1], [5, 2]])
    arrays = {"data": matrix, "columns": np.array(["a", "b"])} if named else {"x": matrix}

    assert ("ignored", "numeric") == read_table(save(tmp_path, **arrays)).kinds


def zipped(member: str, content: bytes) -> bytes:
    """A ZIP archive of one member, with the same bytes at any time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(member), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def huge_header() -> bytes:
    """The beginning of an array that claims 2^60 values."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (2**60,)})
    return buffer.getvalue()


def array(dtype: str, content: bytes, shape: str = "(1,)", opening: str = "{") -> bytes:
    """An array of one value in numpy's format, written by hand."""
    header = f"{opening}'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (zipped("a.npy", array("<f8", bytes(8), opening="[{")), "array 'a' holds Python objects or is damaged"),
        (zipped("a.npy", array("<f8", bytes(8), shape="(1,")), "array 'a' holds Python objects or is damaged"),
        (zipped("a.npy", array("<U1", b"\0\0\x11\0")), "array 'a' holds text that is not Unicode"),
        (zipped("a.npy", array(">U1", b"\0\x11\0\0")), "array 'a' holds text that is not Unicode"),
        (zipped("columns.npy", array("<U1", b"a\xff\0\x7f")), "array 'columns' holds text that is not Unicode"),
        (zipped("a.txt", b"text"), "member 'a.txt' is not a numpy array"),
        (zipped("a.npy", b"\x93NUMPY\x01"), "array 'a' holds Python objects or is damaged"),
        (zipped("a.npy", huge_header()), "array 'a' holds Python objects or is damaged"),
        (zipped("a.npy", bytes(2**28 + 1)), "its arrays take more than 256 MiB, a sample will do"),
        (zipped("a.npy", bytes(100))[:60], "this is not an NPZ file"),
        (b"PK\x05\x06" + bytes(18), "there are no columns"),
    ],
)
def test_bad_archive(tmp_path: Path, content: bytes, sentence: str) -> None:
    """Archives that are damaged, too large or of something else are refused."""
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(ReferenceDataError, match=re.escape(sentence)):
        read_table(path)


@pytest.mark.parametrize("position", range(0, 400, 7))
def test_flipped_bytes(tmp_path: Path, position: int) -> None:
    """An archive with a damaged byte is read or refused, never more."""
    path = save(tmp_path, a=np.arange(10.0), b=np.arange(10.0))
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(bytes(content))
    try:
        columns = len(read_table(path).columns)
    except ReferenceDataError:
        columns = 0

    assert columns in (0, 2)


def test_text_of_any_code_point(tmp_path: Path) -> None:
    """Text in either byte order is read up to the last code point; an empty text is a missing value."""
    words = np.array(["\U0010ffff", "é", ""])
    table = read_table(save(tmp_path, a=words, b=words.astype(">U1")))

    assert {"\U0010ffff", "é"} == set(table.categories.values())
    assert [[False, False], [False, False], [True, True]] == np.isnan(table.values).tolist()
