"""What the hour of a row means for a reference with times: adjusted values, buckets of hours, and unknown hours."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.hour_buckets import ExpectedShares
from driftgauge.drift.hours.known_hours import KnownHours
from driftgauge.drift.hours.local_hours import local_hours
from driftgauge.drift.profile import Profile

Floats = NDArray[np.float64]


class RowHours:
    """Brings rows to the average hour of a reference.

    Args:
        profiles: The reference's `d` columns.
        known: The hours that the reference has rows of; `None` for a reference without times.
    """

    def __init__(self, profiles: Sequence[Profile], known: KnownHours | None) -> None:
        self._known = known
        self._models = [
            (index, one.hours)
            for index, one in enumerate(profiles)
            if one.hours is not None and not one.hours.form.is_constant
        ]
        self._buckets = [(index, one.buckets) for index, one in enumerate(profiles) if one.buckets is not None]

    @property
    def adjusts(self) -> bool:
        """Whether any numbers depend on the hour."""
        return bool(self._models)

    @property
    def depend_on_time(self) -> bool:
        """Whether rows can be compared only if their time is known."""
        return self._known is not None

    def known(self, times: Floats | None, rows: int) -> NDArray[np.bool_]:
        """Whether the reference has rows of the hour of each row: shape `(rows,)`.

        Args:
            times: Shape `(rows,)`: seconds since the epoch; `None` if unknown, and so are then the hours.
            rows: The number of rows.
        """
        if self._known is None:
            return np.ones(rows, dtype=np.bool_)
        return np.zeros(rows, dtype=np.bool_) if times is None else self._known.known(times)

    def adjusted(self, rows: Floats, times: Floats | None) -> Floats:
        """The rows with their numbers as at the average hour: shape `(n, d)`; the rows themselves if nothing changes.

        Args:
            rows: Shape `(n, d)`, not written to.
            times: Shape `(n,)`: seconds since the epoch; must be known if the reference has times.
        """
        if not self._models or times is None:
            return rows
        adjusted = rows.copy()
        slots = local_hours(times, self._models[0][1].zone).slots
        for index, model in self._models:
            adjusted[:, index] = model.adjust_in_slots(rows[:, index], slots)
        return adjusted

    def add_buckets(self, cells: NDArray[np.unsignedinteger], times: Floats | None) -> None:
        """Move the cells of features with buckets of hours to those of the rows' buckets, in place.

        Args:
            cells: Shape `(d, n)`: the cell of each row.
            times: Shape `(n,)`: seconds since the epoch.
        """
        if self._buckets and times is not None:
            for index, buckets in self._buckets:
                cells[index] += (buckets.of(times) * buckets.cells).astype(np.uint16)

    def expected(
        self, feature: int, cells: NDArray[np.unsignedinteger], weights: tuple[Floats, Floats] | None
    ) -> ExpectedShares | None:
        """The shares that the reference expects of rows with these hours; `None` if they do not depend on the hour.

        Args:
            feature: The index of a column.
            cells: Shape `(n,)`, n at least 1: the cell of each row, in its bucket.
            weights: Two of shape `(n,)`, above 0: the weight of each row for the shares of values, and for that of
                missing ones; `None` if all are 1.
        """
        buckets = dict(self._buckets).get(feature)
        if buckets is None:
            return None
        bucket, cell = np.divmod(cells, buckets.cells)
        of_values, of_missing = (np.ones(cells.size), np.ones(cells.size)) if weights is None else weights
        each = (of_values * (cell < buckets.cells - 1), of_missing)
        values, rows = (np.bincount(bucket, one, buckets.missing.size).astype(np.float64) for one in each)
        return buckets.expected(values, rows)
