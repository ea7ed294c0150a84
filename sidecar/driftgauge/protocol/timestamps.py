"""Timestamps of RFC 3339 as seconds."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

_RFC_3339: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60))"
    r"(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-5][0-9])"
)
"""The form of a timestamp. `fromisoformat` alone accepts more, such as `20260301T12` and `24:00`."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS: Final = 1_000_000_000


def read_seconds(text: str) -> float:
    """The instant of a timestamp.

    Args:
        text: `date-time` of RFC 3339, with any number of fractional digits; those beyond nanoseconds are cut.

    Returns:
        Seconds since 1970-01-01T00:00:00Z: the nearest double, which resolves about 0.2 microseconds for dates of
        today. A leap second (`:60`) is the first second after it, as in POSIX time.

    Raises:
        ValueError: The text is not a timestamp, or its date does not exist.

    Notes:
        The seconds are added apart, since `datetime` has no leap seconds and no nanoseconds, which Go writes.

    Source:
        RFC 3339, section 5.6.
    """
    found = _RFC_3339.fullmatch(text)
    if found is None:
        raise ValueError("it is not a date and time of RFC 3339")
    second, fraction, offset = found.groups()
    whole = _whole_seconds(second, offset)
    nanoseconds = int((fraction or "0")[:9].ljust(9, "0"))
    return (whole * _NANOSECONDS + nanoseconds) / _NANOSECONDS


@lru_cache(64)
def _whole_seconds(second: str, offset: str) -> int:
    """Seconds from the epoch to the start of a second. Cached, since events that arrive together share it."""
    minute = f"{second[:10]}T{second[11:16]}{offset.upper()}"
    return (datetime.fromisoformat(minute) - _EPOCH) // timedelta(seconds=1) + int(second[17:])
