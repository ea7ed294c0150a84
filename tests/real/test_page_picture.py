"""The picture of the page in the README."""

import struct
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed; `make test` installs it")

from charts.pictures.report import FILE, HEIGHT, WIDTH, main
from tests.support.parts import program

MOST_BYTES = 300_000


def size(file: Path) -> tuple[int, int]:
    """Width and height of a PNG, which its first chunk has (PNG specification, section 11.2.1)."""
    width, height = struct.unpack(">II", file.read_bytes()[16:24])
    return width, height


def test_the_picture_in_the_project_is_of_a_usual_window() -> None:
    """It is not too long, and not too large to load."""
    width, height = size(FILE)

    assert WIDTH == width
    assert height <= HEIGHT
    assert FILE.stat().st_size < MOST_BYTES


def test_the_command_writes_a_picture_of_the_page(tmp_path: Path) -> None:
    """The demo's wines, a model server, driftgauge and the browser are real. Speeds in sentences may wrap a line."""
    program("chromium")
    file = tmp_path / "report.png"
    main(file)
    width, height = size(file)

    assert WIDTH == width
    assert HEIGHT / 2 < height <= HEIGHT
