"""RFC 3339 text -> seconds since the epoch, with nanoseconds. This room reads no clock."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

_RFC_3339: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]"
    r"(?P<minute>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<offset_hours>[0-9]{2}):(?P<offset_minutes>[0-9]{2}))"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS: Final = 1_000_000_000
_LEAP_SECOND: Final = 60
_MAX_OFFSET_HOURS: Final = 23
_MAX_OFFSET_MINUTES: Final = 59


def read_seconds(text: str) -> float:
    """The instant that a timestamp names.

    Args:
        text: `date-time` of RFC 3339, with any number of fractional digits; those beyond nanoseconds are cut.

    Returns:
        Seconds since 1970-01-01T00:00:00Z, the double that is nearest (of today's dates about 0.2
        microseconds fine). A leap second is the first second after it, as in POSIX time.

    Raises:
        ValueError: The text is no timestamp, or names no instant.

    Notes:
        `datetime` alone cuts to microseconds, and Go writes nanoseconds.

    Source:
        RFC 3339, section 5.6.
    """
    parts = _RFC_3339.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text!r:.80} is not a date and time of RFC 3339")
    second = int(parts["second"])
    if second > _LEAP_SECOND:
        raise ValueError(f"{text!r:.80} has no such second")
    whole = _minute_seconds(f"{parts['day']}T{parts['minute']}") + second - _read_offset(parts)
    nanoseconds = int((parts["fraction"] or "0")[:9].ljust(9, "0"))
    return (whole * _NANOSECONDS + nanoseconds) / _NANOSECONDS


@lru_cache(64)
def _minute_seconds(minute: str) -> int:
    """Seconds from the epoch to the beginning of a minute of UTC; events of one moment tell the same few."""
    return (datetime.fromisoformat(f"{minute}:00+00:00") - _EPOCH) // timedelta(seconds=1)


def _read_offset(parts: re.Match[str]) -> int:
    """How many seconds the written time is ahead of UTC."""
    if parts["sign"] is None:
        return 0
    hours, minutes = int(parts["offset_hours"]), int(parts["offset_minutes"])
    if hours > _MAX_OFFSET_HOURS or minutes > _MAX_OFFSET_MINUTES:
        raise ValueError(f"an offset of {hours} hours and {minutes} minutes is none")
    seconds = 60 * (60 * hours + minutes)
    return -seconds if parts["sign"] == "-" else seconds
