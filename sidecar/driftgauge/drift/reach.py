"""Whether any window of some size could alarm; and how many rows would be needed for that.

A test that does not alarm means something only if another window of the same size would have alarmed. So the most
extreme windows are judged by the same rule: one that lies wholly outside the reference's range, or one whose values are
all of a category that the reference does not have.

Example: of 3 values in the reference and 3 in the window, the largest D has the p-value 0.1. At the level 0.05 no such
window alarms; 4 values of the window are needed.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from driftgauge.drift.measure import Counts, Measurement, total_variation
from driftgauge.drift.result import RowsNeeded

_MOST_ROWS = 2**20
"""A number of rows that is larger than this is not searched for."""

Alarms = Callable[[Measurement], bool]
"""Whether the rule alarms for a measurement."""


def rows_needed(one: Measurement, alarms: Alarms) -> RowsNeeded | None:
    """How many rows would put the threshold of a distance within reach; `None` if it is.

    Args:
        one: The distance of a feature that does not alarm, `ks` or `tv`.
        alarms: Whether the rule alarms for a measurement, if it alone is replaced in the window.

    Notes:
        Rows of a larger window, or reference, are taken to depend on each other as those of this one do.
    """
    reference, window = one.rows

    def within_reach(rows: tuple[int, int]) -> bool:
        return alarms(_most_extreme(one, *rows))

    if within_reach(one.rows):
        return None
    more = _least(lambda rows: within_reach((reference, rows)), window)
    if more is not None or one.counts is not None:
        return RowsNeeded(window=more, reference=None)
    return RowsNeeded(window=None, reference=_least(lambda rows: within_reach((rows, window)), reference))


def _most_extreme(one: Measurement, reference: int, window: int) -> Measurement:
    """The measurement of a window of so many values that has nothing in common with a reference of so many values."""
    factor = one.rows[1] / one.effective_rows
    worth = one.reference_effective_rows
    sizes = replace(
        one,
        rows=(reference, window),
        effective_rows=max(1.0, window / factor),
        reference_effective_rows=None if worth is None else worth * reference / one.rows[0],
    )
    if one.counts is None:
        return replace(sizes, statistic=1.0)
    cells = _unknown_category(one.counts[0], window)
    categories = None
    if one.category_counts is not None:
        categories = _unknown_category(np.append(one.category_counts[0], 0.0), window)
    return replace(sizes, statistic=total_variation(*cells), counts=cells, category_counts=categories)


def _unknown_category(reference: Counts, window: int) -> tuple[Counts, Counts]:
    """Counts of the reference, and of a window whose values are all in the last cell."""
    counts = np.zeros(reference.size)
    counts[-1] = window
    return reference, counts


def _least(within_reach: Callable[[int], bool], rows: int) -> int | None:
    """The least number of rows above a number that is too small; `None` if it is larger than `_MOST_ROWS`."""
    low, high = rows, 2 * rows
    while not within_reach(high):
        low, high = high, 2 * high
        if high > _MOST_ROWS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if within_reach(middle) else (middle, high)
    return high
