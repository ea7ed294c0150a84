"""The body of a request with labels, by its media type: CSV, JSON lines, or JSON."""

import io
from typing import Final

from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.json_text import MAX_PARSE_COST, check_parse_cost, parse
from driftgauge.protocol.label_collector import LabelCollector
from driftgauge.protocol.label_csv import read_csv
from driftgauge.protocol.label_items import read_item
from driftgauge.protocol.label_lists import parse_list

CSV: Final = "text/csv"
JSON: Final = "application/json"
JSON_LINES: Final = frozenset(
    {"application/jsonl", "application/jsonlines", "application/x-ndjson", "application/ndjson"}
)

_BLANKS_A_PAUSE: Final = 1_000


def read_labels(body: bytes, media_type: str, into: LabelCollector) -> None:
    """Read the labels of a body.

    Args:
        body: The decompressed bytes.
        media_type: The content type without parameters, in lower case.
        into: Takes the labels.

    Raises:
        PayloadError: `UNSUPPORTED` for another media type; `MALFORMED` if no label can be read; `TOO_COMPLEX` if there
            are too many labels, or too many values in one JSON text. No other error is raised, for any bytes.
    """
    if media_type == CSV:
        read_csv(body, into)
    elif media_type in JSON_LINES:
        _read_lines(body, into)
    elif media_type == JSON or media_type.endswith("+json"):
        _read_json(body, into)
    else:
        forms = f"{CSV}, {JSON}, application/jsonl or application/x-ndjson"
        given = f"{media_type!r:.80}" if media_type else "missing"
        raise PayloadError(Reason.UNSUPPORTED, f"The content type of labels must be {forms}; it is {given}.")


def read_items(value: object, into: LabelCollector) -> None:
    """Read the labels of a JSON value: one object, or a list of them.

    Raises:
        PayloadError: As `read_labels`.
    """
    if not isinstance(value, list):
        read_item(value, "the object", into)
        return
    for number, item in enumerate(value, 1):
        read_item(item, f"item {number}", into)


def _read_json(body: bytes, into: LabelCollector) -> None:
    if not body.strip():
        raise PayloadError(Reason.MALFORMED, "The body is empty.")
    read_items(parse_list(body, into.rest), into)


def _read_lines(body: bytes, into: LabelCollector) -> None:
    """Read one JSON text a line. A line that is none is one malformed label."""
    for number, line in enumerate(io.BytesIO(body), 1):  # lazily: a list of 6 million blank lines takes 250 MB
        if line.isspace():
            if number % _BLANKS_A_PAUSE == 0:
                into.rest()
            continue
        try:
            check_parse_cost(line, MAX_PARSE_COST)
            item = parse(line)
        except PayloadError as error:
            into.reject(f"line {number}", str(error).replace("The body is not", "it is not", 1))
        else:
            read_item(item, f"line {number}", into)
