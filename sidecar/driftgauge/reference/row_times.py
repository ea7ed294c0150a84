"""The column that holds the time of each row: its cells as seconds since the epoch."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind
from driftgauge.errors import ReferenceDataError
from driftgauge.reference.column import TIMES, Column, place, shortened

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)

_FIRST_SECONDS: Final = 31_536_000
_END_SECONDS: Final = 4_133_980_800
"""From 1971-01-01 to 2101-01-01. Times of a year 1 or 1970 stand for missing ones, and 20240131 is no second."""

_UNITS: Final = (1, 1_000, 1_000_000, 1_000_000_000)
"""Seconds, milliseconds, microseconds, nanoseconds. No number is in the range of years in two of these units."""

_NUMBER: Final = re.compile(r"\d{8,19}(\.\d*)?", re.ASCII)
_UTC_SUFFIX: Final = re.compile(r" ?(UTC|GMT)$")

_RULE: Final = "ISO 8601, or seconds or milliseconds since 1970, in the years 1971 to 2100"


def text_seconds(text: str) -> float:
    """The time that a text states, in seconds since the epoch; NaN if it states none.

    Args:
        text: ISO 8601 with a date, with or without a time and a zone (without one it is UTC), or a number as
            `number_seconds` reads it.
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        number = float(text)  # one by one: an array of one number takes ten times as long
        for unit in _UNITS:
            if _FIRST_SECONDS <= number / unit < _END_SECONDS:
                return number / unit
    try:
        stamp = datetime.fromisoformat(_UTC_SUFFIX.sub("+00:00", text))
        return (stamp.replace(tzinfo=stamp.tzinfo or UTC) - _EPOCH) / _SECOND
    except (ValueError, OverflowError):
        return math.nan


def number_seconds(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers as seconds since the epoch; NaN for a number that is no time.

    Args:
        values: Shape `(n,)`, float64: seconds, milliseconds, microseconds or nanoseconds since 1970, of the years 1971
            to 2100.
    """
    seconds = np.full(values.shape, np.nan)
    for unit in _UNITS:
        scaled = values / unit
        np.copyto(seconds, scaled, where=_is_in_range(scaled))
    return seconds


def datetime_seconds(array: NDArray[Any]) -> NDArray[np.float64]:
    """An array of datetime64 as seconds since the epoch, to the microsecond; NaN for NaT."""
    seconds = array.astype("datetime64[us]").astype(np.int64) / 1e6
    return np.where(np.isnat(array), np.nan, seconds)


def object_seconds(value: object) -> float:
    """The time of a date, a datetime, a text or a number, in seconds since the epoch; NaN if it is no time."""
    if isinstance(value, str):
        return text_seconds(value)
    if isinstance(value, np.datetime64):
        return float(datetime_seconds(np.array([value]))[0])
    if hasattr(value, "isoformat"):
        return text_seconds(value.isoformat())
    try:
        return float(number_seconds(np.array([value], dtype=np.float64))[0])
    except (TypeError, ValueError, OverflowError):
        return math.nan


def are_times(seconds: NDArray[np.float64]) -> bool:
    """Whether all values are seconds since the epoch, of the years 1971 to 2100."""
    return bool(_is_in_range(seconds).all())


def _is_in_range(seconds: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (seconds >= _FIRST_SECONDS) & (seconds < _END_SECONDS)


def check_times(
    path: Path, name: str, seconds: NDArray[np.float64], cell: Callable[[int], str], where: Callable[[int], str] = place
) -> None:
    """Refuse a column of times that lacks one.

    Args:
        path: Named in errors.
        name: Of the column.
        seconds: Shape `(n,)`, float64: seconds since the epoch, NaN where there is no time.
        cell: Returns what the file has in a row, by its index; empty if nothing.
        where: Returns the place of a row, by its index.

    Raises:
        ReferenceDataError: A row has no time, or one before 1971 or after 2100.
    """
    wrong = ~_is_in_range(seconds)
    if wrong.any():
        row = int(np.argmax(wrong))
        text = cell(row)
        fault = f"{shortened(text)} is not a time" if text.strip() else "the time is missing"
        raise ReferenceDataError(f"{path}: {where(row)}, column {shortened(name)}: {fault} ({_RULE})")


def time_column(seconds: NDArray[np.float64]) -> Column:
    """The column of the times of the rows, in seconds since the epoch."""
    return Column(FeatureKind.IGNORED, np.empty(0), left_out=TIMES, times=seconds)
