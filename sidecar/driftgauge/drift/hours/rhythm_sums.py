"""Running sums that show a daily rhythm in a live stream whose reference has no times."""

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.hours.local_hours import HOUR_SECONDS

Floats = NDArray[np.float64]

HOURS = 24
HARMONICS = np.array([1, 2, 3, 4, 6])
FEWEST_HOURS = 6
"""Hours with rows that a day needs in order to count."""

FEWEST_DAYS = 3
MOST_DAYS = 28
"""With so many days the sums are halved, so that the rhythm is that of the last weeks."""

P_VALUE = 0.001

LEAST_AMPLITUDE = 0.05
"""A weaker rhythm, in units of the numbers, is none: scores are tolerated as far, and raise no alarm by it."""

_WAVES = np.exp(-2j * np.pi * np.outer(np.arange(HOURS), HARMONICS) / HOURS)
_SLOPE = (np.arange(HOURS) / HOURS) @ _WAVES
"""What a day contributes whose value rises by 1 from its start to its end."""

_NOT_BEGUN = -1.0


class RhythmSums:
    """The harmonics of the hourly means of each day, summed over days, for one number of each of `d` features.

    A day is 24 hours from the first row's hour on, so that three days are complete after 72 hours. An hour without rows
    counts as the mean of its day. Hour against hour x day is tested for each harmonic of the day: under stationarity
    its coefficients of different days vary around 0, equally in sine and cosine, whatever the dependence inside a day
    (Brillinger (1981), Time Series: Data Analysis and Theory, section 4.4), so that the ratio of the squared mean to
    the variance over D days has an F distribution with 2 and 2 (D - 1) degrees of freedom. An F test of all 24 hours at
    once would need independent hours. A steady trend is no rhythm, nor is a jump, which looks like a trend of the daily
    means: the harmonics must repeat both with and without the slope of the daily means.

    Args:
        features: Their number d.
    """

    def __init__(self, features: int) -> None:
        self._clock = np.full(2, _NOT_BEGUN)  # the hour of the first row and of the newest, since the epoch
        self._hour = np.zeros((2, features))  # sum and count of the newest hour
        self._day = np.full((HOURS, features), np.nan)  # the means of the finished hours of the newest day
        self._trend = np.zeros((5, features))  # sums over days of 1, day, day ** 2, mean, day * mean
        self._waves = np.zeros((HARMONICS.size, features), np.complex128)
        self._power = np.zeros((HARMONICS.size, features))

    def add(self, times: Floats, numbers: Floats) -> None:
        """Adds rows. Rows of an earlier hour than the newest count in the newest.

        Args:
            times: Shape `(n,)`, finite: seconds since the epoch.
            numbers: Shape `(n, d)`: bounded, such as scores of ranks; NaN where a row lacks the feature.
        """
        hours = np.floor(times / HOUR_SECONDS)
        for hour in np.unique(hours):
            self._move_to(float(hour))
            rows = numbers[hours == hour]
            self._hour[0] += np.nansum(rows, axis=0)
            self._hour[1] += (~np.isnan(rows)).sum(axis=0)

    @np.errstate(over="ignore", invalid="ignore")  # of a stored state whose numbers are beyond all use
    def rhythm(self) -> NDArray[np.bool_]:
        """Whether the hours' means repeat from day to day, p < 0.001: shape `(d,)`. False before three days."""
        days = self._trend[0]
        enough = np.maximum(days, FEWEST_DAYS)
        mean = self._waves / enough
        varied = np.maximum(self._power - enough * abs(mean) ** 2, 1e-6 * self._power)
        without_trend = mean - self._daily_rise() * _SLOPE[:, None]
        repeated = enough * np.minimum(abs(mean), abs(without_trend)) ** 2
        # The F statistic is `repeated / varied * (days - 1)`, and P(F(2, m) > f) = (1 + 2 f / m) ** (-m / 2).
        p_values = (varied / np.maximum(varied + repeated, np.finfo(np.float64).tiny)) ** (enough - 1)
        found = (p_values < P_VALUE / HARMONICS.size) & (self._power > 0)
        large = 2 * abs(mean) / HOURS >= LEAST_AMPLITUDE
        return np.asarray((days >= FEWEST_DAYS) & (found & large).any(axis=0))

    def pack(self) -> NDArray[np.float32]:
        """The sums, which `unpack` reads: shape `(d, NUMBERS)`."""
        features = self._hour.shape[1]
        clock = np.repeat(self._clock[:, None], features, axis=1)
        parts = [clock, self._hour, self._day, self._trend, self._waves.real, self._waves.imag, self._power]
        return np.ascontiguousarray(np.vstack(parts).T, np.float32)

    @classmethod
    def unpack(cls, packed: NDArray[np.float32]) -> "RhythmSums":
        """Sums that were packed.

        Args:
            packed: Shape `(d, NUMBERS)`.

        Raises:
            ValueError: It has another shape.
        """
        if packed.shape[1:] != (NUMBERS,):
            raise ValueError(f"sums of a rhythm have the shape (features, {NUMBERS}), not {packed.shape}")
        sums = cls(packed.shape[0])
        clock, sums._hour, sums._day, sums._trend, real, imaginary, sums._power = np.split(
            packed.T.astype(np.float64), np.cumsum(_PARTS)[:-1]
        )
        sums._clock = clock[:, 0] if packed.shape[0] else sums._clock
        sums._waves = real + 1j * imaginary
        return sums

    def _move_to(self, hour: float) -> None:
        """Finishes the newest hour, and its day, if this hour is after it."""
        start, newest = self._clock
        if start == _NOT_BEGUN:
            self._clock[:] = hour
        elif hour > newest:
            place = int(newest - start) % HOURS
            total, count = self._hour
            self._day[place] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
            self._hour[:] = 0.0
            if (hour - start) // HOURS > (newest - start) // HOURS:
                self._finish_day(float((newest - start) // HOURS))
            self._clock[1] = hour

    def _finish_day(self, number: float) -> None:
        known = ~np.isnan(self._day)
        counts = known.sum(axis=0) >= FEWEST_HOURS
        mean = np.where(known, self._day, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        waves = _WAVES.T @ np.where(known, self._day - mean, 0.0)
        ones = np.ones_like(mean)
        self._trend += counts * np.array([ones, ones * number, ones * number**2, mean, number * mean])
        self._waves += counts * waves
        self._power += counts * abs(waves) ** 2
        self._day[:] = np.nan
        full = self._trend[0] >= MOST_DAYS
        for sums in (self._trend, self._waves, self._power):
            sums[:, full] /= 2

    def _daily_rise(self) -> Floats:
        """The slope of the least squares line through the means of the days: shape `(d,)`."""
        days, first, second, mean, product = self._trend
        spread = days * second - first**2
        return np.asarray(np.where(spread > 0, days * product - first * mean, 0.0) / np.where(spread > 0, spread, 1.0))


_PARTS = (2, 2, HOURS, 5, HARMONICS.size, HARMONICS.size, HARMONICS.size)
NUMBERS = sum(_PARTS)
"""Numbers of each feature that `pack` returns."""
