"""Which rows of long training data are kept where their order in time is known: runs of neighbours, the newest ones."""

import math
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

_HOUR: Final = 3_600
_DAY: Final = 24 * _HOUR
_WEEK: Final = 7 * _DAY

_RUN_ROWS: Final = 100
"""Rows of a run below which a week has too many hours: a run shows how much neighbours resemble each other."""


def newest_rows(times: NDArray[np.float64], kept: int) -> NDArray[np.intp]:
    """The rows to keep: the newest whole weeks that fit, else the newest whole days, else a run of each hour.

    Whole weeks and days have every hour equally often. Rows drawn at random, or every k-th row, would have lost what
    the order is for: how much a row resembles the one before it.

    Args:
        times: Shape `(n,)`, float64: the time of each row in seconds since the epoch, in any order.
        kept: Rows to keep at most, at least 1.

    Returns:
        Indices, ascending: all of them if there are no more than `kept`.
    """
    if times.size <= kept:
        return np.arange(times.size)
    order = np.argsort(times, kind="stable")
    ascending = times[order]
    newest = float(ascending[-1])
    fitting_seconds = newest - float(ascending[-kept - 1])  # a longer span has more than `kept` rows
    for period in (_WEEK, _DAY):
        if fitting_seconds >= period:
            start = newest - fitting_seconds // period * period
            return np.sort(order[np.searchsorted(ascending, start, side="right") :])
    return np.sort(order[_run_of_each_hour(ascending, kept)])


def _run_of_each_hour(times: NDArray[np.float64], kept: int) -> NDArray[np.intp]:
    """As many neighbours of each hour of the newest week, or day, or of all rows if they span less than a day.

    Args:
        times: Ascending.
        kept: Rows to keep at most.
    """
    newest, span_seconds = float(times[-1]), float(times[-1] - times[0])
    hours = max(1, min(math.ceil(span_seconds / _HOUR), _DAY // _HOUR))
    if span_seconds >= _WEEK and kept * _HOUR // _WEEK >= _RUN_ROWS:
        hours = _WEEK // _HOUR
    length = kept // hours
    if length == 0:
        return np.arange(times.size - kept, times.size)
    ends = newest - _HOUR * np.arange(hours, -1, -1.0)
    places = np.searchsorted(times, ends, side="right")
    return np.concatenate([np.arange(max(start, stop - length), stop) for start, stop in pairwise(places)])
