"""How the store of responses that wait for labels divides time and memory; the same in memory and in Redis."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from operator import attrgetter
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftgauge.storage.labels import SLICES, ResponseSample, WaitingResponse

NAMED_SLICES: Final = SLICES + 2
"""Slices whose keys a script gets: those that ended last are still looked at by `mature`."""

DIGEST_BITS: Final = 64
SCORE_SHIFT: Final = DIGEST_BITS - 53
"""A digest is compared by its first 53 bits, which are exact in a float64."""

HEAD_BYTES: Final = 33
ALIAS_BYTES: Final = 8
ROW_BYTES: Final = 100
"""What a response counts in bytes beside its values: its head, each further id, and the labels of each row."""

LARGEST_SHARE: Final = 16
"""A response of more than one part in so many of its slice's bytes never waits: it would displace all others.

Where fewer responses fit into a slice, that is one part in their number.
"""

MARGIN_SECONDS: Final = 300.0
"""How far the time of a label may be from that of its response, as clocks differ."""

MATURE_UNITS: Final = 50
"""Labels after which a step of `mature` ends."""

MATCH_LABELS: Final = 50
MATCH_LOOKS: Final = 600
PUT_RESPONSES: Final = 25
"""Most labels of one step, most slices that it looks into for all of them, and most responses that it puts.

A server does nothing else meanwhile: some 2 ms.
"""

PUT_BYTES: Final = 256 * 1024
"""Most bytes of the rows of one step, unless it is a single response."""


@dataclass(frozen=True, slots=True)
class LabelSlices:
    """The slices of the time to live, and the bounds of each.

    A response waits at least for the time to live: 23 whole slices and the current one. A slice is named by its number
    since the epoch, and by its age: 0 is the current one.

    Args:
        ttl_seconds: How long a response waits at least, above 0.
        pending: Most responses that wait, of one model. At least one of each slice waits.
        pending_bytes: Most bytes that they count, of one model.
        maturity_seconds: How old a row is when it is judged; 0 to judge it when its label comes.
    """

    ttl_seconds: float = 604_800.0
    pending: int = 100_000
    pending_bytes: int = 64 * 2**20
    maturity_seconds: float = 0.0

    @property
    def length(self) -> float:
        """The length of a slice in seconds."""
        return self.ttl_seconds / (SLICES - 1)

    @property
    def responses(self) -> int:
        """Most responses of a slice."""
        return max(self.pending // SLICES, 1)

    @property
    def bytes(self) -> int:
        """Most bytes of a slice."""
        return max(self.pending_bytes // SLICES, 1)

    def number(self, time: float) -> int:
        """The number of the slice of a time."""
        return floor(time / self.length)

    def start(self, number: int) -> float:
        """The first moment of a slice."""
        return number * self.length

    def age(self, time: float, now: float) -> int | None:
        """The age of the slice of a response; `None` if it is too old to wait. One of the future is of the newest."""
        age = max(self.number(now) - self.number(time), 0)
        return age if age < SLICES else None

    def ages(self, time: float | None, now: float) -> range:
        """The ages of the slices in which the response of a label may be, newest first."""
        if time is None:
            return range(SLICES)
        current = self.number(now)
        newest = max(current - self.number(time + MARGIN_SECONDS), 0)
        oldest = min(current - self.number(time - MARGIN_SECONDS), SLICES - 1)
        return range(newest, max(oldest + 1, newest))

    def fits(self, response: WaitingResponse) -> bool:
        """Whether a response is small enough to wait."""
        counted = counted_bytes(len(response.ids), len(response.rows), response.rows.nbytes)
        return counted <= self.bytes / min(LARGEST_SHARE, self.responses)


IN_MEMORY: Final = LabelSlices(pending=20_000, pending_bytes=8 * 2**20)
"""Where a process keeps them, which has less memory than Redis."""


def counted_bytes(ids: int, rows: int, value_bytes: int) -> int:
    """What a response counts in bytes.

    Args:
        ids: Its ids.
        rows: Its rows.
        value_bytes: Bytes of their values.
    """
    return HEAD_BYTES + ALIAS_BYTES * (ids - 1) + value_bytes + ROW_BYTES * rows


def score(digest: int) -> int:
    """By which number the responses of a slice are compared: those with the smallest ones are kept."""
    return digest >> SCORE_SHIFT


class SeenResponse(NamedTuple):
    """A response that a sample may have.

    Args:
        digest: Its first id.
        time: When it passed, in seconds since the epoch.
        rows: Its rows.
    """

    digest: int
    time: float
    rows: NDArray[np.float64]


def choose(
    responses: Sequence[SeenResponse], columns: int, rows: int, seen: int, fitting: int | None = None
) -> ResponseSample:
    """The rows of the responses with the smallest digests.

    Args:
        responses: The responses.
        columns: Columns of the rows.
        rows: The most rows that are returned.
        seen: Responses of the same time, those of other layouts included.
        fitting: Of these, how many are of the layout; `None` if all of them are in `responses`.
    """
    chosen: list[NDArray[np.float64]] = [np.empty((0, columns))]
    times: list[float] = []
    for one in sorted(responses, key=attrgetter("digest")):
        own = one.rows[: max(rows - len(times), 0)]
        chosen.append(own)
        times += [one.time] * len(own)
        if len(times) >= rows:
            break
    others = seen - (len(responses) if fitting is None else fitting)
    return ResponseSample(np.concatenate(chosen), np.array(times), others / seen if seen else 0.0)
