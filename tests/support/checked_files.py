"""Files for the check command, and its output."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from driftgauge.cli.check import run_check
from driftgauge.cli.report_file import OutputFormat
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction

Floats = NDArray[np.float64]
HOLM = Rule(alpha=0.05, correction=Correction.HOLM, min_rows=1)
COLUMNS = ("acidity", "sugar", "alcohol")


def csv(path: Path, columns: tuple[str, ...], values: Floats) -> Path:
    """A CSV file of these values; NaN becomes an empty cell."""
    lines = [",".join("" if np.isnan(value) else repr(float(value)) for value in row) for row in values]
    path.write_text("\n".join([",".join(columns), *lines]) + "\n")
    return path


def sample(seed: int, rows: int = 400, shift: float = 0.0) -> Floats:
    """Normal values of three features, the last one shifted."""
    return np.random.default_rng(seed).normal([0.0, 0.0, shift], 1.0, size=(rows, 3))


def check(
    reference: Path, window: Path, rule: Rule = HOLM, output_format: OutputFormat = "table"
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a check."""
    out, err = io.StringIO(), io.StringIO()
    return run_check(reference, window, rule, output_format, out, err), out.getvalue(), err.getvalue()
