"""Strata: short spans of time in which the requests of two revisions are compared with each other alone.

Traffic, errors and latencies change with the hour, and so does the share of the canary. Within a stratum that does no
harm: a request of either revision could have come to the other one. Where a stratum ends depends on the number of
requests alone, not on what they contain, so it cannot favour a revision.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SLOT_SECONDS: Final = 10
"""Strata end at whole multiples of this."""

MIN_REQUESTS: Final = 20
"""A stratum ends once it has as many requests of either revision."""

LONGEST_SECONDS: Final = 300
"""A stratum ends after this time, however few requests it has."""


def split_strata(canary: Floats, stable: Floats, since: float, until: float) -> list[tuple[float, float]]:
    """The strata that have ended.

    Args:
        canary: Shape `(n,)`: the times of the canary's requests, in seconds since the epoch, in any order.
        stable: Shape `(m,)`: those of the stable revision.
        since: The end of the stratum before.
        until: All requests up to this time are known.

    Returns:
        Start (exclusive) and end (inclusive) of each, one after another; none if the first one goes on.
    """
    first, last = int(since // SLOT_SECONDS) + 1, int(until // SLOT_SECONDS)
    if last < first:
        return []
    ends = np.arange(first, last + 1) * float(SLOT_SECONDS)
    counts = np.stack([np.searchsorted(np.sort(one), ends, side="right") for one in (canary, stable)])
    begun = np.array([np.count_nonzero(one <= since) for one in (canary, stable)])
    found, start = [], since
    for place, end in enumerate(ends.tolist()):
        if (counts[:, place] - begun).min() >= MIN_REQUESTS or end - start >= LONGEST_SECONDS:
            found.append((start, end))
            start, begun = end, counts[:, place]
    return found
