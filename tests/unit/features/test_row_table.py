"""What every table of rows has in common."""

import numpy as np

from driftgauge.features.row_table import missing_per_column


def test_missing() -> None:
    """Each column's NaN are counted."""
    missing = missing_per_column(np.array([[np.nan, 1.0], [np.nan, np.nan], [0.0, 2.0]]))

    assert [2, 1] == missing.tolist()
    assert np.int64 == missing.dtype
