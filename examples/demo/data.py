"""The wines of `examples/wine`, as arrays, and the reference that is made of them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
"""The root of the repository."""

WINE = ROOT / "examples" / "wine"

REFERENCE = WINE / "red.csv"
"""The red wines on which the model is trained: the inputs of driftgauge's reference."""

Rows = NDArray[np.float64]
"""Measurements, shape `(n, 11)`, one row for each wine, columns as in `columns()`."""


def columns() -> tuple[str, ...]:
    """Names of the measurements, in the order of the files."""
    with REFERENCE.open() as file:
        return tuple(file.readline().strip().split(","))


def red_reference() -> Rows:
    """The 1,000 red wines of the reference."""
    return _read("red.csv")


def write_reference(file: Path, output: str, grades: NDArray[np.float64]) -> None:
    """Write a reference: the wines of `red_reference`, the model's grades as predictions of `output`, and the tasters'.

    Args:
        file: Where to write.
        output: The name of the model's output.
        grades: The model's grades of these wines, shape `(n,)`, each by trees that have not seen the wine.
    """
    header, *lines = REFERENCE.read_text().splitlines()
    rows = [
        f"{line},{grade},{label:g}"
        for line, grade, label in zip(lines, grades.tolist(), red_quality().tolist(), strict=True)
    ]
    file.write_text("\n".join([f"{header},prediction:{output},label:{output}", *rows, ""]))


def red_quality() -> NDArray[np.float64]:
    """Grades of the wines in `red_reference`, shape `(n,)`, 3 to 8: the model's target."""
    return _read("red_quality.csv")[:, 0]


def red_stream() -> Rows:
    """The 599 red wines that are not in the reference."""
    return _read("red_stream.csv")


def red_stream_quality() -> NDArray[np.float64]:
    """Grades of the wines in `red_stream`, shape `(n,)`: known to the tasters, and never to the model."""
    return _read("red_stream_quality.csv")[:, 0]


def changed_taste(wines: Rows, grades: NDArray[np.float64]) -> NDArray[np.float64]:
    """Grades by tasters who no longer like strong wines: one less for those above the reference's median of alcohol."""
    alcohol = columns().index("alcohol")
    strong = wines[:, alcohol] > np.median(red_reference()[:, alcohol])
    return grades - strong


def white_stream() -> Rows:
    """1,482 white wines."""
    return _read("white_stream.csv")


def like_wines(count: int) -> Rows:
    """The red wines of the reference with the most alcohol, as one merchant of strong wines may send them."""
    wines = red_reference()
    strongest = np.argsort(-wines[:, columns().index("alcohol")], kind="stable")
    return wines[strongest[:count]]


def batches(rows: Rows, size: int) -> list[Rows]:
    """The rows in order, `size` at a time; the last batch may be smaller."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _read(name: str) -> Rows:
    return np.loadtxt(WINE / name, delimiter=",", skiprows=1, ndmin=2)
