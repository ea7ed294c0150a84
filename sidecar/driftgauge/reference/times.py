"""Columns of numbers that are times: dates such as 20240131, and seconds or milliseconds since 1970."""

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.profile import FeatureKind, Profile

MIN_DISTINCT: Final = 20
"""With more different values, numbers that are all valid dates are dates. Of other numbers of 8 digits 1 in 25 is."""

_FIRST_DATE, _LAST_DATE = 19_000_101, 21_001_231
_MONTHS, _DAYS = 12, 31

_YEAR_2000_SECONDS: Final = 946_684_800
_YEAR_2100_SECONDS: Final = 4_102_444_800

_UNITS: Final = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000}

_DATES: Final = "dates such as 20240131"

_WORDS: Final = frozenset(
    {
        "date",
        "day",
        "time",
        "datetime",
        "timestamp",
        "ts",
        "dt",
        "epoch",
        "unix",
        "created",
        "updated",
        "modified",
        "at",
    }
)
"""Words of a name that say that the values are times."""

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def times(profiles: Iterable[Profile]) -> dict[str, str]:
    """The columns of numbers that are times, and why each is left out.

    Dates such as 20240131 are certain by their values or by the name of the column. Seconds since 1970 are certain by
    the name only, since amounts of money and counts can be as large.
    """
    return {
        profile.name: f"holds {form}: it is left out, since a time is always new"
        for profile in profiles
        if (form := _form(profile)) is not None and _is_certain(profile, form)
    }


def possible_times(profiles: Iterable[Profile]) -> dict[str, str]:
    """The other columns of numbers that may be times, and a note on each."""
    return {
        profile.name: f"may hold {form}: it is tested as numbers, and a time always drifts"
        for profile in profiles
        if (form := _form(profile)) is not None and not _is_certain(profile, form)
    }


def _is_certain(profile: Profile, form: str) -> bool:
    has_name = not _WORDS.isdisjoint(word.lower() for word in _WORD.findall(profile.name))
    return has_name or (form == _DATES and np.unique(profile.values).size > MIN_DISTINCT)


def _form(profile: Profile) -> str | None:
    """The form in which all values of a column can be times; `None` if there is none."""
    if profile.kind is not FeatureKind.NUMERIC:
        return None
    first, last = float(profile.values[0]), float(profile.values[-1])
    if first >= _FIRST_DATE and last <= _LAST_DATE and _are_dates(profile.values):
        return _DATES
    for unit, in_a_second in _UNITS.items():
        if first >= _YEAR_2000_SECONDS * in_a_second and last < _YEAR_2100_SECONDS * in_a_second:
            return f"times in {unit} since 1970"
    return None


def _are_dates(values: NDArray[np.float64]) -> bool:
    month, day = values // 100 % 100, values % 100
    good = (month >= 1) & (month <= _MONTHS) & (day >= 1) & (day <= _DAYS) & (day == np.floor(day))
    return bool(good.all())
