"""The types of the options: what their texts mean, and their ranges."""

import csv
import io
import json
import re
from contextlib import suppress
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, WithJsonSchema

_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION_PATTERN = r"^\d+(\.\d+)?[smhdw]?$"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhdw]?)")


def parse_duration(value: object) -> object:
    """Seconds of a text with or without a unit; other values unchanged, for the validation that follows.

    Raises:
        ValueError: The text is not a number, or a number with a unit.
    """
    if not isinstance(value, str):
        return value
    found = _DURATION.fullmatch(value.strip())
    if found is None:
        raise ValueError("must be a number of seconds, or a number with a unit: 30d, 12h, 45m")
    return float(found[1]) * _UNIT_SECONDS[found[2]]


def _join_words(value: object) -> object:
    """A list of words as one text with commas between them; other values unchanged, for the validation that follows.

    Raises:
        ValueError: An item of the list is no word.
    """
    if type(value) in (int, float):
        return str(value)
    if not isinstance(value, list):
        return value
    if not all(isinstance(word, str | int | float) and not isinstance(word, bool) for word in value):
        raise ValueError("must be words, with commas between them or as a list; write words such as null in quotes")
    line = io.StringIO()
    csv.writer(line, lineterminator="", quoting=csv.QUOTE_ALL).writerow([str(word) for word in value])
    return line.getvalue()


def _join_urls(value: object) -> object:
    """A list of URLs as one text with commas between them; other values unchanged, for the validation that follows.

    The list may be JSON, as the chart writes it into a variable.

    Raises:
        ValueError: An item of the list is no text, or holds a comma.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError):
            value = json.loads(value)
    if not isinstance(value, list):
        return value
    if not all(isinstance(url, str) and "," not in url for url in value):
        raise ValueError("must be URLs, with commas between them or as a list; write a comma in a URL as %2C")
    return ",".join(value)


def split_url(url: str) -> SplitResult:
    """The parts of a URL.

    Raises:
        ValueError: It is none. The sentence quotes no part of a password.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError as error:
        # the text of the error may contain a part of the URL, and so of a password
        raise ValueError("is not a URL" if "@" in url else f"is not a URL ({error})") from None
    return parts


Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=10_000_000, allow_inf_nan=False)]
Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    Field(ge=60, le=1e9, allow_inf_nan=False),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 60, "maximum": 1e9}, {"type": "string", "pattern": _DURATION_PATTERN}]}
    ),
]
Words = Annotated[
    str,
    BeforeValidator(_join_words),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": ["string", "number"]}}]}),
]
Urls = Annotated[
    SecretStr,
    BeforeValidator(_join_urls),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Rows = Annotated[int, Field(ge=1, le=10_000_000)]
Bytes = Annotated[int, Field(ge=1, le=2**40)]
