"""The ring: the bounded store of a window. A protocol; its adapters are `memory` and `redis`."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sidecar.payload import Kind, ModelKey


@dataclass(frozen=True, slots=True, order=True)
class StreamKey:
    """One stream of rows: the requests or the responses of one model."""

    model: ModelKey
    kind: Kind


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows that were appended together.

    Args:
        schema: Hash of the column names, in order; rows of another schema are never mixed.
        rows: Shape `(n, d)`, float64, C-contiguous; NaN is a missing value. `n` is at least 1.
        time: When the newest of the rows passed, in seconds since the epoch.
        requests: Shape `(k,)`, int64, each at least 1: how many of the rows came in each payload, in order.
            `None`: each row came in a payload of its own.

    Raises:
        ValueError: The payloads' rows do not add up to the block's; the caller's fault.
    """

    schema: str
    rows: NDArray[np.float64]
    time: float
    requests: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """Refuse lengths that do not divide the rows."""
        requests = self.requests
        if requests is not None and (requests.min(initial=1) < 1 or requests.sum() != len(self.rows)):
            raise ValueError(f"requests: {len(self.rows)} rows cannot come in payloads of {requests.tolist()} rows")


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The newest rows of one stream.

    Args:
        rows: Shape `(n, d)`, float64, oldest first; `n` is at most the ring's capacity, perhaps 0.
        time: When the newest row passed, in seconds since the epoch; `None` if there are no rows.
        skipped_blocks: Blocks that this read met for the first time and that are of another schema.
        numbers: Shape `(n,)`, int64, strictly increasing: which row of its stream each is. The stream counts
            rows of all schemas, from 1 and in the order of their appends, whoever appends them. A store that
            lost its newest rows gives their numbers again; one that was emptied counts from 1 again.
        requests: Shape `(n,)`, int64, ascending: the same for rows that came in one payload, and one more for
            those of the next. Where it begins says nothing.
    """

    rows: NDArray[np.float64]
    time: float | None
    skipped_blocks: int
    numbers: NDArray[np.int64]
    requests: NDArray[np.int64]


class RingBuffer(Protocol):
    """Keeps the newest `capacity_rows` rows of each stream. All methods raise `StorageError` alone."""

    async def append(self, stream: StreamKey, block: Block) -> None:
        """Add a block at the newest end; surplus old rows may go."""

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """The newest rows that are of this schema, `width` columns each, at most `capacity_rows`."""

    async def streams(self) -> list[StreamKey]:
        """The streams that hold rows: those of before a restart too, where the store outlives it."""

    async def ping(self) -> None:
        """Ask whether the store answers."""

    async def close(self) -> None:
        """Release what is held; nothing may be called afterwards."""
