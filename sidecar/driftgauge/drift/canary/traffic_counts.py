"""Counts of requests, errors and latencies of one revision in slots of ten seconds.

Latencies are counted in buckets whose bounds grow by an eighth of an octave (9 %), so that those of a revision that is
slower by a factor are those of the other one, moved by some buckets.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

STEPS: Final = 8
"""Buckets in which the latency doubles."""

_LEAST_SECONDS: Final = 0.0001

LATENCY_BOUNDS: Final = tuple(_LEAST_SECONDS * 2 ** (step / STEPS) for step in range(22 * STEPS + 1))
"""The greatest latency of each bucket but the last, in seconds: from 0.1 ms to 7 minutes."""


@dataclass(frozen=True, slots=True)
class TrafficSlot:
    """What ended in one slot.

    Args:
        slot: Its number: seconds since the epoch divided by `SLOT_SECONDS`.
        requests: Requests whose status code is known.
        errors: Those of them that failed.
        latencies: Bucket and count, ascending, without those of 0.
    """

    slot: int
    requests: int
    errors: int
    latencies: tuple[tuple[int, int], ...] = ()


def merged(first: TrafficSlot, second: TrafficSlot) -> TrafficSlot:
    """The sums of two writers in one slot."""
    counts = dict(first.latencies)
    for bucket, count in second.latencies:
        counts[bucket] = counts.get(bucket, 0) + count
    return TrafficSlot(
        first.slot, first.requests + second.requests, first.errors + second.errors, tuple(sorted(counts.items()))
    )


def between(slots: Sequence[TrafficSlot], first: int, last: int) -> TrafficSlot:
    """The sums of the slots from the first to the last one, both included."""
    total = TrafficSlot(last, 0, 0)
    for one in slots:
        if first <= one.slot <= last:
            total = merged(total, one)
    return total


def log_latency(buckets: NDArray[np.int64]) -> NDArray[np.float64]:
    """The natural logarithm of the middle of each bucket, in seconds."""
    middles: NDArray[np.float64] = math.log(_LEAST_SECONDS) + (buckets.astype(np.float64) - 0.5) * (math.log(2) / STEPS)
    return middles
