"""The hours that a reference has rows of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.local_hours import SLOTS, SLOTS_A_DAY, SLOTS_AN_HOUR, LocalHours, local_hours

FEWEST_ROWS = 30


@dataclass(frozen=True, slots=True, eq=False)
class KnownHours:
    """Times of the day that the reference has rows of: one within half an hour, 30 within an hour.

    Working days and weekends are apart where the reference has rows of both.

    Args:
        zone: The time zone of the hours.
        of_slot: Shape `(SLOTS,)`, bool.
    """

    zone: str
    of_slot: NDArray[np.bool_]

    @classmethod
    def of(cls, times: NDArray[np.float64], zone: str) -> "KnownHours":
        """The hours of a reference.

        Args:
            times: Shape `(n,)`: seconds since the epoch.
            zone: A name of the IANA time zone database.

        Raises:
            zoneinfo.ZoneInfoNotFoundError: No zone has this name.
        """
        hours = local_hours(times, zone)
        rows = np.bincount(hours.slots, minlength=SLOTS).reshape(2, SLOTS_A_DAY)
        if not _has_both(hours):
            rows = np.tile(rows.sum(axis=0), (2, 1))
        enough = _around(rows, SLOTS_AN_HOUR) >= FEWEST_ROWS
        return cls(zone, (enough & (_around(rows, SLOTS_AN_HOUR // 2) > 0)).reshape(SLOTS))

    @property
    def lacking(self) -> list[int]:
        """The hours of the day, from 0 to 23, that the reference lacks wholly or in part, on any kind of day."""
        whole = self.of_slot.reshape(2, SLOTS_A_DAY // SLOTS_AN_HOUR, SLOTS_AN_HOUR).all(axis=(0, 2))
        return np.flatnonzero(~whole).tolist()

    def known(self, times: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether the reference has the hour of each row: shape `(n,)`."""
        return self.of_slot[local_hours(times, self.zone).slots]


def _has_both(hours: LocalHours) -> bool:
    """Whether there are at least 30 rows of working days and of weekends."""
    weekend = int(hours.weekend.sum())
    return min(weekend, hours.weekend.size - weekend) >= FEWEST_ROWS


def _around(rows: NDArray[np.intp], slots: int) -> NDArray[np.intp]:
    """Rows within so many slots of each slot, around midnight too: shape `(2, SLOTS_A_DAY)`."""
    around = np.pad(rows, ((0, 0), (slots + 1, slots)), mode="wrap")
    sums = np.cumsum(around, axis=1)
    return np.asarray(sums[:, 2 * slots + 1 :] - sums[:, : -2 * slots - 1])
