"""Trains the model on rows of a file: `python -m examples.retrain.training ROWS.csv --model FILE --reference ROWS.csv`.

The file is one of `driftgauge export`, or of any source with the same names: features by their names, and the column
`label:quality`. The second file is for `driftgauge reference build`. It has what the new model has learned from, with
predictions of the new model: those in the export are of the model before, and as a reference they would make each new
one look like drift.
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
from numpy.typing import NDArray

from examples.demo import data, forest
from examples.demo.inference import OUTPUT
from examples.retrain.wines import Tasted

LABEL, PREDICTION, TIME = f"label:{OUTPUT}", f"prediction:{OUTPUT}", "driftgauge:time"


def train(rows: Path, model: Path, reference: Path) -> str:
    """Train, and write the model and the rows of its reference.

    Args:
        rows: Wines with labels, as CSV; a file without a label in a row leaves that row out.
        model: Where the model is written.
        reference: Where the rows of its reference are written, as CSV.

    Returns:
        One sentence for people.
    """
    lines = newest_of_each_wine(read(rows))
    tasted = Tasted(values(lines, data.columns()), values(lines, [LABEL])[:, 0])
    trained = forest.fit(tasted.wines, tasted.grades)
    predicted = forest.training_grades(trained)
    joblib.dump(trained, model)
    write_rows(reference, tasted, predicted)
    sentence = f"{len(lines)} wines, mean error {mean_error(predicted, tasted.grades):.2f} on wines left out of a tree"
    if all(line.get(PREDICTION) for line in lines):
        before = mean_error(values(lines, [PREDICTION])[:, 0], tasted.grades)
        sentence += f"; the model before: {before:.2f} on the same"
    return sentence


def read(file: Path) -> list[dict[str, str]]:
    """The rows of a CSV file that have a label, the oldest first if they have times."""
    with file.open(newline="") as lines:
        labelled = [line for line in csv.DictReader(lines) if line[LABEL]]
    return sorted(labelled, key=lambda line: line.get(TIME, ""))


def newest_of_each_wine(lines: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """One row for each wine, the newest, in the order of the first.

    A wine that comes twice would be in the trees that are meant to have left it out.
    """
    return list({tuple(map(float, (line[name] for name in data.columns()))): line for line in lines}.values())


def values(lines: Sequence[dict[str, str]], columns: Sequence[str]) -> NDArray[np.float64]:
    """Columns as numbers, shape `(n, columns)`."""
    return np.array([[float(line[name]) for name in columns] for line in lines])


def write_rows(file: Path, tasted: Tasted, predicted: NDArray[np.float64] | None = None) -> None:
    """Write wines, grades, and predictions of shape `(n,)` if there are any, as rows of a reference."""
    columns = [tasted.wines, tasted.grades] + ([] if predicted is None else [predicted])
    with file.open("w", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow([*data.columns(), LABEL] + ([] if predicted is None else [PREDICTION]))
        writer.writerows(np.column_stack(columns).tolist())


def mean_error(predicted: NDArray[np.float64], grades: NDArray[np.float64]) -> float:
    """The mean absolute error in grades."""
    return float(np.abs(predicted - grades).mean())


def main() -> None:
    """Train with the files of the command line, and print one sentence."""
    parser = argparse.ArgumentParser(prog="python -m examples.retrain.training", description=__doc__)
    parser.add_argument("rows", type=Path, help="wines with labels, as CSV")
    parser.add_argument("--model", type=Path, required=True, help="where the model is written")
    parser.add_argument("--reference", type=Path, required=True, help="where the rows of its reference are written")
    chosen = parser.parse_args()
    print(train(chosen.rows, chosen.model, chosen.reference), flush=True)


if __name__ == "__main__":
    main()
