"""How many rows the detector needs to find a shift by half a standard deviation, known before anything happens."""

import math
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.budget import Budget
from driftgauge.drift.detector.detector import Detector
from driftgauge.drift.detector.feature_detector import feature_detector
from driftgauge.drift.detector.row_evidence import ROWS_OF_AN_ALARM
from driftgauge.drift.detector.verdict import Checkpoint, no_checkpoint
from driftgauge.drift.profile import FeatureKind, Profile

Floats = NDArray[np.float64]

SHIFT = 0.5
"""The shift, in standard deviations of the reference."""

FEWEST_VALUES = 8
"""A column of fewer different values, such as a flag, does not move by a part of its standard deviation."""

_LEAST_CLIMB = 1e-9

_MOST_ROWS = 1e9
"""More rows than this are never seen."""


class RowsToDetect:
    """Estimates the rows that the detector needs for the shift, for each feature of a reference.

    Args:
        profiles: The `d` columns of the reference.
        detector: The detector of this reference.
        checkpoint: Called between features.

    Notes:
        A bet gains p @ log_factors per independent row, where p is the share of rows in each cell after the shift.
        Before the change its evidence is about the time of one evaluation; an alarm needs the threshold divided by the
        bet's weight. The ratio of the logarithms' difference and the gain is the number of rows, and the bet with the
        least finds the shift first. This is the first-order delay of Lorden (Annals of Mathematical Statistics 42(6),
        1971, 1897-1908), for a high threshold. Shifts in both directions are tried; the one that takes longer counts.
    """

    def __init__(self, profiles: Sequence[Profile], detector: Detector, checkpoint: Checkpoint = no_checkpoint) -> None:
        climbs = [detector.log_climb - bets.log_weights for bets in detector.bets]
        width = max((climb.size for climb in climbs), default=0)
        self._rows = np.full((2, len(profiles), width), np.inf)
        self._least = np.full((len(profiles), width), np.inf)
        for index, (profile, bets, climb) in enumerate(zip(profiles, detector.bets, climbs, strict=True)):
            checkpoint()
            if profile.kind is FeatureKind.NUMERIC and _has_many_values(profile):
                shares = np.tile(shifted_shares(profile, SHIFT), bets.buckets) / bets.buckets
                gains = bets.factors.gains(shares)
                gaining = gains > 0
                with np.errstate(over="ignore"):  # a gain may be as small as a rounding error
                    rows = np.maximum(climb / np.where(gaining, gains, 1.0), 1.0)
                self._rows[:, index, : climb.size] = np.where(gaining, rows, np.inf)
                self._least[index, : climb.size] = climb * (ROWS_OF_AN_ALARM / max(detector.log_climb, _LEAST_CLIMB))

    def of(self, factors: Floats) -> list[int | None]:
        """The rows that each feature needs; `None` for categories and flags, and where no bet gains by the shift.

        Args:
            factors: Shape `(d,)`: rows per independent row, at least 1, infinity where that is unknown; or `(d, b)`: of
                each of the detector's bets.
        """
        each = factors[:, np.newaxis] if factors.ndim == 1 else factors
        first = np.maximum(self._rows * each, self._least).min(axis=2, initial=np.inf).max(axis=0)
        return [math.ceil(rows) if rows <= _MOST_ROWS else None for rows in first.tolist()]


def _has_many_values(profile: Profile) -> bool:
    return int(np.count_nonzero(np.diff(profile.values))) + 1 >= FEWEST_VALUES


def shifted_shares(profile: Profile, shift: float) -> Floats:
    """The share of rows in each cell if all values of the reference moved up, and if they moved down.

    Args:
        profile: A numeric column.
        shift: How far, in standard deviations of the reference.

    Returns:
        Shape `(2, k + 1)`; each line sums to 1. The last share is that of rows without a value, which stays.
    """
    values = profile.values
    scale = max(abs(float(values[0])), abs(float(values[-1]))) or 1.0
    distance = min(shift * float(np.std(values / scale)) * scale, sys.float_info.max)
    with np.errstate(over="ignore"):  # what lies beyond the greatest double is in the last cell
        ends = [np.searchsorted(values, profile.cells.bounds - move, "right") for move in (distance, -distance)]
    counts = np.diff(np.array(ends), axis=1, prepend=0, append=values.size)
    return np.column_stack([counts, [profile.missing, profile.missing]]) / profile.rows


def rows_to_detect(profiles: Sequence[Profile], budget: Budget) -> list[int | None]:
    """The rows that each feature of a reference needs, if rows are independent: before there is any traffic."""
    return RowsToDetect(profiles, feature_detector(profiles, budget, 1, "")).of(np.ones(len(profiles)))


def rows_per_second(times: Floats | None) -> float | None:
    """The rate of rows in a window; `None` if it is unknown.

    Args:
        times: Shape `(n,)`, when each row passed, in seconds, ascending; `None` if unknown.
    """
    if times is None or times.size == 0 or times[-1] <= times[0]:
        return None
    return float((times.size - 1) / (times[-1] - times[0]))


def sensitivity(rows: Sequence[int], per_second: float | None = None, given: str = "this reference and traffic") -> str:
    """A clause on how soon the detector finds the shift; empty if it finds it in no feature.

    Args:
        rows: The rows to detect of each feature for which they are known.
        per_second: The rate of rows, above 0; `None` leaves the time out.
        given: Under which conditions.
    """
    if not rows:
        return ""
    least, most = _rounded(min(rows)), _rounded(max(rows))
    span = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    time = "" if per_second is None else f", {_durations(least / per_second, most / per_second)}"
    return f"with {given} a shift of half a standard deviation is found after about {span} rows{time}"


def _rounded(rows: int) -> int:
    """With two digits, as an estimate is no better."""
    digits = max(0, len(str(rows)) - 2)
    return round(rows, -digits)


_UNITS = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def _durations(least: float, most: float) -> str:
    """Two durations in seconds as text; only one if they read alike."""
    first, last = _duration(least), _duration(most)
    if first == last:
        return last
    number, unit = first.split()
    return f"{number} to {last}" if unit.rstrip("s") == last.split()[1].rstrip("s") else f"{first} to {last}"


def _duration(seconds: float) -> str:
    """A duration in the largest unit of which it has at least one and a half."""
    size, unit = next((one for one in _UNITS if seconds >= 1.5 * one[0]), _UNITS[-1])
    number = max(1, round(seconds / size))
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
