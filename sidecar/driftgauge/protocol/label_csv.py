"""Labels as CSV: a header with `id` and `label`, and optionally `row`, `output` and `time`; one label a line."""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.label_collector import LabelCollector
from driftgauge.protocol.label_values import Label, LabelError, read_id, read_output, read_row, read_time, read_value

REQUIRED: Final = ("id", "label")
COLUMNS: Final = (*REQUIRED, "row", "output", "time")
"""The columns of a body of labels. Others are refused: with a misspelt `row`, each label would be of the first row."""


def read_csv(body: bytes, into: LabelCollector) -> None:
    """Read labels from CSV. An empty label is not known yet, and is left out.

    Args:
        body: UTF-8, with or without a byte order mark (RFC 4180); lines may end in LF alone.
        into: Takes the labels.

    Raises:
        PayloadError: `MALFORMED` if the header cannot be used; `TOO_COMPLEX` if there are too many labels, or too
            many lines.
    """
    into.check_lines(body.count(b"\n") + (not body.endswith(b"\n")))
    lines = csv.reader(_lines_of(body.removeprefix(codecs.BOM_UTF8), into))
    places = _read_header(lines, is_all=b"\n" not in body)
    default = {"id": into.default_id}
    while True:
        try:
            cells = next(lines, None)
        except csv.Error as error:
            into.reject(f"line {lines.line_num}", f"it is no CSV ({error})")
            continue
        if cells is None:
            return
        if cells:
            _read_line(cells, places, default, f"line {lines.line_num}", into)


def _lines_of(body: bytes, into: LabelCollector) -> Iterator[str]:
    """The lines as text, one by one: together they would take four times the bytes."""
    for number, line in enumerate(io.BytesIO(body), 1):
        into.note_line(number)
        yield line.decode("utf-8", "surrogateescape")


def _read_header(lines: Iterator[list[str]], *, is_all: bool) -> Mapping[str, int]:
    """The place of each column.

    Args:
        lines: The lines.
        is_all: Whether the body is one line.

    Raises:
        PayloadError: `MALFORMED` if a column is missing, unknown, or there twice.
    """
    try:
        names = [name.strip() for name in next(lines, [])]
    except csv.Error as error:
        raise PayloadError(Reason.MALFORMED, f"The first line is no CSV ({error}).") from None
    if missing := [name for name in REQUIRED if name not in names]:
        given = f"; it is {','.join(names)!r:.80}" if names else ""
        only = " The body is one line: curl keeps the ends of lines with --data-binary." if given and is_all else ""
        message = f"The first line must name the columns {', '.join(REQUIRED)}; it lacks {', '.join(missing)}{given}."
        raise PayloadError(Reason.MALFORMED, message + only)
    unknown = next((name for name in names if name not in COLUMNS), None)
    if unknown is not None:
        message = f"The column {unknown!r:.80} is unknown; there may be {', '.join(COLUMNS)}."
        raise PayloadError(Reason.MALFORMED, message)
    if len(set(names)) < len(names):
        raise PayloadError(Reason.MALFORMED, "The first line names a column twice.")
    return {name: place for place, name in enumerate(names)}


def _read_line(
    cells: Sequence[str], places: Mapping[str, int], default: Mapping[str, str], place: str, into: LabelCollector
) -> None:
    if len(cells) != len(places):
        into.reject(place, f"it has {len(cells)} cells, and the header {len(places)}")
        return
    if not "".join(cells).isascii() and not _is_unicode(cells):
        into.reject(place, "it is not UTF-8")
        return
    given = {name: cells[at] for name, at in places.items()}
    if not given["label"].strip():
        return
    try:
        number, text = read_value(given["label"])
        label = Label(
            read_id(given["id"].strip() or default["id"]),
            read_row(given.get("row")),
            read_output(given.get("output")),
            number,
            text,
            read_time(given.get("time")),
        )
    except LabelError as error:
        into.reject(place, str(error))
    else:
        into.add(label)


def _is_unicode(cells: Sequence[str]) -> bool:
    """Whether the bytes of a line were UTF-8, so that its text has no surrogates."""
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True
