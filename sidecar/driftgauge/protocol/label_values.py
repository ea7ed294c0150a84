"""The label of one output of one row of an inference, and its parts as values of JSON or texts of CSV."""

import re
from typing import Final, NamedTuple

from driftgauge.inference.payload import MAX_NAME_CHARS
from driftgauge.inference.request_ids import MAX_ID_CHARS
from driftgauge.protocol.category import text_of
from driftgauge.protocol.timestamps import read_seconds

MAX_ROW: Final = 2**22
"""Rows of an inference are fewer, since the rows of a payload have at most so many cells."""

MAX_LABEL_CHARS: Final = 4096
"""Longest text of a label."""

MAX_MAGNITUDE: Final = 1e100
"""Largest label that is a number: sums of squares of 10^100 of them are finite."""

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,5})?")
_WHOLE: Final = re.compile(r"([0-9]{1,9})(?:\.0*)?")
_BOOLS: Final = {"true": 1.0, "True": 1.0, "false": 0.0, "False": 0.0}

_MILLISECONDS_FROM: Final = 1e11
"""Seconds since 1970 reach this number in the year 5138, milliseconds did in 1973."""


class LabelError(Exception):
    """A part of a label cannot be used. Its text is a clause on the label, `its row is ...`, without a full stop."""


class Label(NamedTuple):
    """The label of one output of one row of an inference. All texts are untrusted.

    Args:
        id: The id of the inference, 1 to 256 characters.
        row: The row, from 0.
        output: The name of the output; `None` for the only one, or the first one.
        number: The label as a number from -1e100 to 1e100; `None` if it is none. A bool is 0 or 1.
        text: The label as the text of a category, as `text_of` returns it; not empty.
        time: When the response passed, in seconds since the epoch; `None` if the label does not say so.
    """

    id: str
    row: int
    output: str | None
    number: float | None
    text: str
    time: float | None


def read_id(value: object) -> str:
    """The id of an inference: a text, or a whole number of JSON.

    Raises:
        LabelError: It is neither, is empty, or is longer than ids that are kept. The clause says so.
    """
    if type(value) is int and abs(value) < 10**MAX_ID_CHARS:
        value = str(value)
    if value is None or value == "":
        raise LabelError("it has no id")
    if not isinstance(value, str):
        raise LabelError("its id is neither a text nor a whole number")
    if len(value) > MAX_ID_CHARS:
        raise LabelError(f"its id has more than {MAX_ID_CHARS} characters")
    return value


def read_row(value: object) -> int:
    """The row of a label: a whole number, or a text of one; 0 if it is missing.

    Raises:
        LabelError: It is none, or too large.
    """
    if value is None or value == "":
        return 0
    if isinstance(value, str):
        found = _WHOLE.fullmatch(value.strip())
        value = int(found[1]) if found is not None else value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value < MAX_ROW:
        raise LabelError(f"its row is no whole number from 0 to {MAX_ROW - 1}")
    return value


def read_output(value: object) -> str | None:
    """The name of an output; `None` if it is missing or empty.

    Raises:
        LabelError: It is no text, or longer than 253 characters.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARS:
        raise LabelError(f"its output is no text of at most {MAX_NAME_CHARS} characters")
    return value


def read_time(value: object) -> float | None:
    """When the response passed: a date and time of RFC 3339, or seconds or milliseconds since 1970.

    Returns:
        Seconds since the epoch; `None` if it is missing.

    Raises:
        LabelError: It has another form.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        number = _number_of(value)
        seconds = _read_timestamp(value) if number is None else number
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = _as_double(value)
    else:
        seconds = None
    if seconds is None:
        raise LabelError("its time is neither a date and time of RFC 3339 nor seconds or milliseconds since 1970")
    return seconds / 1000 if abs(seconds) >= _MILLISECONDS_FROM else seconds


def read_value(value: object) -> tuple[float | None, str]:
    """A label as a number, if it is one, and as the text of a category.

    Args:
        value: A number, a text, bytes or a bool. A text may be that of a number, since CSV has no other.

    Raises:
        LabelError: It is something else, NaN, empty, or a text of more than 4096 characters.
    """
    if not isinstance(value, int | float | str | bytes):
        raise LabelError("its label is neither a number, a text nor a bool")
    if isinstance(value, str | bytes) and len(value) > MAX_LABEL_CHARS:
        raise LabelError(f"its label has more than {MAX_LABEL_CHARS} characters")
    text = text_of(value)
    if text is None:
        raise LabelError("its label is NaN" if isinstance(value, float) else "its label is empty")
    return (_number_of(text) if isinstance(value, str | bytes) else _as_double(value)), text


def _number_of(text: str) -> float | None:
    """The number of a text; `None` if it is none, or too large."""
    stripped = text.strip()
    if _NUMBER.fullmatch(stripped) is None:
        return _BOOLS.get(stripped)
    return _as_double(float(stripped))


def _as_double(value: float) -> float | None:
    """A number as a double; `None` if it is not finite, or larger than labels may be."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if abs(number) <= MAX_MAGNITUDE else None  # NaN is not


def _read_timestamp(text: str) -> float | None:
    try:
        return read_seconds(text.strip())
    except ValueError:
        return None
