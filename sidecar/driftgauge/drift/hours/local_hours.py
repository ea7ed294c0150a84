"""Hour of day, weekend and date of times, in a time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

HOUR_SECONDS = 3_600
DAY_SECONDS = 86_400
QUARTER_SECONDS = 900
"""No zone has changed its offset inside a quarter of an hour since 1972, the first year of UTC as it is now."""

SLOTS_AN_HOUR = 12
SLOTS_A_DAY = 24 * SLOTS_AN_HOUR
SLOTS = 2 * SLOTS_A_DAY
"""Five-minute slots: those of a working day, then those of a day of the weekend."""

TWO_WEEKS_HOURS = 14 * 24
TWO_WEEKENDS_DAYS = 4
THURSDAY = 3
SATURDAY = 5

_LATEST_SECONDS = 250_000_000_000.0
"""The year 9892: `datetime` knows no year after 9999. Later times, and those before 1970, have the nearest offset."""


@dataclass(frozen=True, slots=True, eq=False)
class LocalHours:
    """Local time of `n` rows.

    Args:
        hour: Shape `(n,)`, in [0, 24): the hour of the day with its fraction.
        weekend: Shape `(n,)`, bool: Saturday or Sunday.
        date: Shape `(n,)`, int64: days since 1970-01-01.
    """

    hour: NDArray[np.float64]
    weekend: NDArray[np.bool_]
    date: NDArray[np.int64]

    def of(self, rows: NDArray[np.intp]) -> "LocalHours":
        """The local time of some of the rows."""
        return LocalHours(self.hour[rows], self.weekend[rows], self.date[rows])

    @property
    def slots(self) -> NDArray[np.intp]:
        """The slot of each row, in [0, `SLOTS`): shape `(n,)`."""
        of_day = np.minimum((self.hour * SLOTS_AN_HOUR).astype(np.intp), SLOTS_A_DAY - 1)
        slots: NDArray[np.intp] = of_day + SLOTS_A_DAY * self.weekend
        return slots

    @property
    def cover_two_weeks(self) -> bool:
        """Whether the rows span two whole weeks, so that a weekend can be compared with another."""
        if self.date.size == 0:
            return False
        hours = 24.0 * self.date + self.hour
        weekends = np.unique(self.date[self.weekend]).size
        return float(hours.max() - hours.min()) >= TWO_WEEKS_HOURS - 1 and weekends >= TWO_WEEKENDS_DAYS


def local_hours(times: NDArray[np.float64], zone: str) -> LocalHours:
    """Local time of rows. The zone is asked once for each distinct quarter of an hour.

    Args:
        times: Shape `(n,)`, finite: seconds since the epoch.
        zone: A name of the IANA time zone database.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: No zone has this name.
    """
    local = times + _offsets(times, zone)
    date = np.floor(local / DAY_SECONDS)
    hour = np.clip((local - date * DAY_SECONDS) / HOUR_SECONDS, 0.0, np.nextafter(24.0, 0.0))
    days = date.astype(np.int64)
    return LocalHours(hour, (days + THURSDAY) % 7 >= SATURDAY, days)  # day 0 was a Thursday


def _offsets(times: NDArray[np.float64], zone: str) -> NDArray[np.float64]:
    if zone == "UTC":  # also where the machine has no time zone database
        return np.zeros(times.shape)
    clock = ZoneInfo(zone)
    quarters, of_row = np.unique(np.clip(times, 0.0, _LATEST_SECONDS) // QUARTER_SECONDS, return_inverse=True)
    return np.array([_offset_seconds(quarter * QUARTER_SECONDS, clock) for quarter in quarters])[of_row]


def _offset_seconds(seconds: float, zone: ZoneInfo) -> float:
    offset = datetime.fromtimestamp(seconds, tz=UTC).astimezone(zone).utcoffset()
    return (offset or timedelta()).total_seconds()
