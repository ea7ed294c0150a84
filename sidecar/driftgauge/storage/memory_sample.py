"""A sample of the responses that wait for labels in memory, taken beside the event loop from copies of columns."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftgauge.storage.label_slices import SCORE_SHIFT, SeenResponse, choose
from driftgauge.storage.labels import ResponseSample


class SliceCopy(NamedTuple):
    """What a slice has at one moment, one element for each place; another thread may read it.

    Args:
        digests: The first ids, shape `(n,)`.
        times: When the responses passed, shape `(n,)`, in seconds since the epoch; NaN at a place without a response.
        fit: Which responses have the wanted layout, shape `(n,)`.
        values: The predictions as bytes of float64.
    """

    digests: NDArray[np.uint64]
    times: NDArray[np.float64]
    fit: NDArray[np.bool_]
    values: list[bytes]


def sample_rows(
    copies: Sequence[SliceCopy], columns: int, times: tuple[float, float], limit: int | None, rows: int
) -> ResponseSample:
    """A uniform sample of the rows of all responses of a time.

    Args:
        copies: The slices.
        columns: Columns of the wanted layout.
        times: The first moment, and the first one after the last.
        limit: The score from which on a slice leaves responses out, so that none is used; `None` if none does.
        rows: The most rows.
    """
    if not copies:
        return choose([], columns, rows, 0)
    digests, passed, fit = (np.concatenate([one[index] for one in copies]) for index in range(3))
    seen = (passed >= times[0]) & (passed < times[1])
    if limit is not None:
        seen &= (digests >> np.uint64(SCORE_SHIFT)) < np.uint64(limit)
    places = np.flatnonzero(seen & fit)
    smallest = places[np.argsort(digests[places])][: max(rows, 0)]  # each has a row at least
    values = [value for one in copies for value in one.values]
    chosen = [
        SeenResponse(int(digests[place]), float(passed[place]), np.frombuffer(values[place]).reshape(-1, columns))
        for place in smallest.tolist()
    ]
    return choose(chosen, columns, rows, int(np.count_nonzero(seen)), len(places))
