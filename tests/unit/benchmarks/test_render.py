"""Tables are printed, saved and drawn."""

import json
from pathlib import Path

import pytest

from benchmarks.render import as_json, as_markdown, draw
from benchmarks.results import Plot, Table
from tests.support.parts import package

TABLE = Table(
    slug="one",
    title="One",
    method="Measured.",
    columns=("peer", "us", "ratio"),
    rows=(("ours", 1234.5, "1.00x"), ("theirs", 12.34, "0.01x"), ("absent", None, None), ("small", 0.123, None)),
    plot=Plot(("us",), "microseconds", is_logarithmic=True),
    versions={"theirs": "1.2"},
)


def test_markdown() -> None:
    """Numbers have few digits, an absent number is a dash, and the method follows the table."""
    expected = """| peer | us | ratio |
| --- | ---: | ---: |
| ours | 1,234 | 1.00x |
| theirs | 12.3 | 0.01x |
| absent | - | - |
| small | 0.12 | - |

Measured. Versions: theirs 1.2."""

    assert expected == as_markdown(TABLE)


def test_json() -> None:
    """The JSON has the origin and all rows."""
    saved = json.loads(as_json([TABLE], {"cores": "2"}))

    assert "2" == saved["origin"]["cores"]
    assert ["ours", 1234.5, "1.00x"] == saved["tables"][0]["rows"][0]


def test_a_row_that_does_not_fit_is_refused() -> None:
    """A row with a wrong number of cells is an error."""
    with pytest.raises(ValueError, match="one: the row"):
        Table(slug="one", title="", method="", columns=("a", "b"), rows=(("x",),))


def test_a_plot_is_drawn(tmp_path: Path) -> None:
    """A plot is saved as SVG, and a table without a plot saves nothing."""
    package("matplotlib", "bench")
    draw(TABLE, tmp_path / "pictures" / "one.svg")
    draw(Table(slug="two", title="", method="", columns=("a",), rows=()), tmp_path / "two.svg")

    assert (tmp_path / "pictures" / "one.svg").read_text().startswith("<?xml")
    assert not (tmp_path / "two.svg").exists()
