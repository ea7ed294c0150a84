"""A long JSON list of labels, parsed in slices, so that other threads get the interpreter's lock in between.

The list is cut between two objects, and each slice is parsed as a list of its own. If every slice is a valid list, each
cut was between two elements of the long one (RFC 8259, sections 4 and 5): a cut within a text or a list of an element
leaves a slice that is none, and the slice is made longer.
"""

import codecs
import re
from collections.abc import Callable
from typing import Any, Final

from driftgauge.errors import PayloadError, Reason
from driftgauge.protocol.json_text import MAX_PARSE_COST, check_parse_cost, parse
from driftgauge.protocol.label_collector import MAX_LABELS

MAX_LIST_COST: Final = 16 * MAX_LABELS
"""Most values of a list of labels. A label of four members costs 5, a record of SageMaker 10, long texts included."""

_SLICE_BYTES: Final = 32 * 1024
"""A slice ends at the first possible cut after this many bytes; it is parsed in 4 ms at worst."""

_MOST_SLICE_BYTES: Final = 2 * _SLICE_BYTES
_MOST_TRIES: Final = 16
"""Cuts that are tried for one slice: an object may have so many tensors, between which a list cannot be cut."""

_BETWEEN_OBJECTS: Final = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*\{")


def parse_list(body: bytes, rest: Callable[[], None]) -> Any:  # noqa: ANN401 - JSON holds any value
    """The value of a JSON text, which may be as long as `MAX_LIST_COST` values if it is a list of objects.

    Args:
        body: UTF-8, with or without a byte order mark.
        rest: Called after each slice, so that a thread can let others run.

    Raises:
        PayloadError: `TOO_COMPLEX` if it has more values, or more than `MAX_PARSE_COST` and is not a list that can be
            cut; `MALFORMED` as `parse`.
    """
    try:
        check_parse_cost(body, MAX_PARSE_COST)
    except PayloadError:
        check_parse_cost(body, MAX_LIST_COST)
        values = _parse_slices(body.removeprefix(codecs.BOM_UTF8).strip(), rest)
        if values is None:
            message = "The body is no valid JSON list of objects, or one object of it has too many values."
            raise PayloadError(Reason.TOO_COMPLEX, message) from None
        return values
    return parse(body)


def _parse_slices(body: bytes, rest: Callable[[], None]) -> list[Any] | None:
    """The elements of a list; `None` if it cannot be cut into slices that are lists."""
    if not (body.startswith(b"[") and body.endswith(b"]")):
        return None
    values: list[Any] = []
    start, end = 1, len(body) - 1
    while start < end:
        found = _next_slice(body, start, end, rest)
        if found is None:
            return None
        values += found[0]
        start = found[1]
    return values


def _next_slice(body: bytes, start: int, end: int, rest: Callable[[], None]) -> tuple[list[Any], int] | None:
    """The elements of the next slice and where the one after it starts; `None` if there is no such slice."""
    after = start + _SLICE_BYTES
    for _ in range(_MOST_TRIES):
        rest()
        cut = _BETWEEN_OBJECTS.search(body, after, min(end, start + _MOST_SLICE_BYTES))
        if cut is None and end - start > _MOST_SLICE_BYTES:
            return None
        stop = end if cut is None else cut.start() + 1
        try:
            return parse(b"[%b]" % body[start:stop]), end if cut is None else cut.end() - 1
        except PayloadError:
            if cut is None:
                return None
            after = cut.start() + 1
    return None
