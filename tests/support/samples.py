"""Normal values of three features, in several forms."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
COLUMNS = ("acidity", "sugar", "alcohol")


def sample(seed: int, shift: float = 0.0, rows: int = 250) -> Floats:
    """Normal values of three features, the last one shifted."""
    return np.random.default_rng(seed).normal([0.0, 0.0, shift], 1.0, size=(rows, 3))


def csv(path: Path, values: Floats) -> Path:
    """A CSV file of these values."""
    pd.DataFrame(values, columns=list(COLUMNS)).to_csv(path, index=False)
    return path


def by_name(values: Floats) -> dict[str, Floats]:
    """A mapping of names to columns."""
    return dict(zip(COLUMNS, values.T, strict=True))
