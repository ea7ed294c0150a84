"""Files put in place in one step."""

import re
from pathlib import Path

import pytest

from driftgauge.errors import ReferenceDataError
from driftgauge.reference.formats.driftgauge_npz import check_output, write_whole


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """The new content stands under the name, and nothing else is left in the folder."""
    path = tmp_path / "a.npz"
    for content in (b"old and long", b"new"):
        check_output(path)
        write_whole(path, content)

    assert b"new" == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_what_was_there_stays_where_it_cannot_be_replaced(tmp_path: Path) -> None:
    """A fault leaves no part of the new file behind."""
    path = tmp_path / "a.npz"
    path.mkdir()
    with pytest.raises(ReferenceDataError, match=re.escape(f"{path}: it cannot be written: ")):
        write_whole(path, b"new")

    assert [path] == list(tmp_path.iterdir())


def test_outputs_that_cannot_be(tmp_path: Path) -> None:
    """They are refused before any work is done."""
    (tmp_path / "folder.npz").mkdir()
    faults = {
        tmp_path / "a.csv": "a reference is written as .npz",
        tmp_path / "none" / "a.npz": f"there is no folder {tmp_path / 'none'}",
        tmp_path / "folder.npz": "this is a directory, not a file",
    }
    for path, sentence in faults.items():
        with pytest.raises(ReferenceDataError, match=re.escape(f"{path}: {sentence}")):
            check_output(path)
