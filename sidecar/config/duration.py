"""Durations as people write them: `30d`, `12h`, `90` (seconds)."""

import re

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

FORM = r"^\d+(\.\d+)?[smhdw]?$"
"""A number, perhaps with a unit: as a pattern for schemas too."""

_PARTS = re.compile(r"(\d+(?:\.\d+)?)([smhdw]?)")


def seconds(text: object) -> object:
    """The seconds of a duration that is written with a unit; anything else as it is.

    Raises:
        ValueError: It is text, but neither a number nor a number with a unit.
    """
    if not isinstance(text, str):
        return text
    found = _PARTS.fullmatch(text.strip())
    if found is None:
        raise ValueError("must be a number of seconds, or a number with a unit: 30d, 12h, 45m")
    return float(found[1]) * UNITS[found[2]]
