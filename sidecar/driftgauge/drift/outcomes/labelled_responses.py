"""Rows with labels by their responses: which came together, and which of them give evidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftgauge.drift.stream_window import StreamWindow

Floats = NDArray[np.float64]

MOST_SLICES = 256
"""Most slices of one evaluation: each takes some 2 ms."""


class TimedRows(NamedTuple):
    """Rows, each with the time of its response.

    Args:
        values: Shape `(n, d)`.
        times: Shape `(n,)`, in seconds since the epoch.
    """

    values: Floats
    times: Floats


@dataclass(frozen=True, slots=True, eq=False)
class ResponseRows:
    """Rows in the order of their responses, those of one response together, whenever their labels came.

    Args:
        values: Shape `(n, d)`.
        responses: Shape `(n,)`: equal for rows of one response, ascending from 0.
        times: Shape `(n,)`: when the response of each row passed, in seconds since the epoch, ascending.
    """

    values: Floats
    responses: NDArray[np.int64]
    times: Floats


def order_by_response(window: StreamWindow, rows: NDArray[np.bool_], now: float) -> ResponseRows:
    """Put some rows of a window in the order of their responses.

    Args:
        window: The newest rows, in the order in which their labels came.
        rows: Shape `(n,)`: which of them.
        now: Seconds since the epoch; the time of rows whose own is unknown.
    """
    places = np.flatnonzero(rows)
    times = np.full(places.size, now) if window.times is None else window.times[places]
    ids = (window.requests if window.ids is None else window.ids)[places]
    order = np.lexsort((window.numbers[places], ids, times))
    return ResponseRows(window.values[places[order]], _number(ids[order], times[order]), times[order])


def number_responses(ids: NDArray[np.uint64], times: Floats) -> NDArray[np.int64]:
    """The number of the response of each row, in the order of time, from 0.

    Args:
        ids: Shape `(n,)`: the digest of the id of each row's response.
        times: Shape `(n,)`: when it passed, in seconds since the epoch.

    Returns:
        Shape `(n,)`.
    """
    order = np.lexsort((ids, times))
    responses = np.empty(ids.size, dtype=np.int64)
    responses[order] = _number(ids[order], times[order])
    return responses


def find_repeats(window: StreamWindow, new: NDArray[np.bool_], labels: Sequence[int]) -> NDArray[np.bool_]:
    """Find the new rows of responses that have an older row in the window with a label of the same output.

    Rows of one response are alike. Those whose labels come together count by how alike they are; one whose label comes
    later would count as if it were independent of them. A response is known by its id and its time: an id that came
    again is that of another response. Where ids are unknown, rows that were appended together are one response, and
    there are no repeats.

    Args:
        window: The newest rows, with one label each.
        new: Shape `(n,)`: the rows that were not judged before.
        labels: The columns of the labels of the outputs.

    Returns:
        Shape `(n,)`.
    """
    repeats = np.zeros(new.size, dtype=np.bool_)
    if window.ids is None or new.all() or not new.any():
        return repeats
    times = np.zeros(new.size) if window.times is None else window.times
    response = number_responses(window.ids, times)
    for label in labels:
        labelled = ~np.isnan(window.values[:, label])
        judged = np.zeros(new.size, dtype=np.bool_)
        judged[response[labelled & ~new]] = True
        repeats |= new & labelled & judged[response]
    return repeats


def split_by_time(times: Floats, seconds: float) -> Iterator[slice]:
    """The rows of each interval of so many seconds; intervals without rows are left out.

    Where there are very many, such as those of a week whose labels come together, several are one slice: the detector
    adds the time of one interval for each slice, so that fewer slices make less evidence, never more.

    Args:
        times: Shape `(n,)`, ascending.
        seconds: The length of an interval.
    """
    ends = np.append(np.flatnonzero(np.diff(times // seconds)) + 1, times.size)[: times.size]
    together = -(-ends.size // MOST_SLICES)
    begin = 0
    for end in [*ends[together - 1 : -1 : together].tolist(), *ends[-1:].tolist()] if together else ():
        yield slice(begin, end)
        begin = end


def _number(ids: NDArray[np.int64] | NDArray[np.uint64], times: Floats) -> NDArray[np.int64]:
    """The number of the response of each row, from 0: shape `(n,)`; equal ids and times are neighbours."""
    differs = (np.diff(times) != 0) | (ids[1:] != ids[:-1])
    return np.concatenate([np.zeros(min(ids.size, 1), dtype=np.int64), np.cumsum(differs, dtype=np.int64)])
