"""What the order of the rows adds to the profiles of a reference."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import Cells, FeatureKind, Profile


def in_order(profiles: Sequence[Profile], rows: NDArray[np.float64]) -> tuple[Profile, ...]:
    """The profiles with the cells of their rows in the order of time.

    Args:
        profiles: d columns.
        rows: Shape `(n, d)`, float64: their values in the order of time, NaN for a missing value.
    """
    return tuple(
        profile
        if profile.kind is FeatureKind.IGNORED
        else replace(profile, in_order=cells_in_order(profile.cells, rows[:, index]))
        for index, profile in enumerate(profiles)
    )


def cells_in_order(cells: Cells, column: NDArray[np.float64]) -> NDArray[np.uint16]:
    """The cell of each row; the number of cells for a row without a value.

    Args:
        cells: The partition of the column.
        column: Shape `(n,)`, float64, NaN for a missing value.
    """
    found = np.full(column.size, cells.shares.size, dtype=np.uint16)
    present = ~np.isnan(column)
    found[present] = cells.index(column[present])
    found.flags.writeable = False
    return found
