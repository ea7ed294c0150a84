"""The ring: the bounded store of a window. A protocol; its adapters are `memory` and `redis`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from driftgauge.inference.payload import Kind, ModelKey


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


def is_usable(block: Block | None, schema: str, width: int) -> TypeGuard[Block]:
    """Whether a block could be decoded and holds rows of this schema, `width` columns each."""
    return block is not None and block.schema == schema and block.rows.shape[1] == width


def assemble(
    blocks: Iterable[tuple[int, Block | None]], schema: str, width: int, capacity_rows: int, skipped_blocks: int
) -> Window:
    """The newest rows of the usable blocks.

    Args:
        blocks: Oldest first, each with the number of its last row; `None` is one that could not be decoded.
        schema: Hash of the column names that are asked for.
        width: Number of columns, at least 1.
        capacity_rows: At most so many rows are answered.
        skipped_blocks: What the window says of blocks that were left out.
    """
    usable = [(end, block) for end, block in blocks if is_usable(block, schema, width)]
    rows = np.concatenate([np.empty((0, width)), *(block.rows for _, block in usable)])
    time = max((block.time for _, block in usable), default=None)
    sizes = np.array([len(block.rows) for _, block in usable], dtype=np.int64)
    numbers = _numbers([end for end, _ in usable], sizes)
    requests = _requests([block.requests for _, block in usable], sizes)
    newest = slice(-capacity_rows, None)
    return Window(rows[newest], time, skipped_blocks, numbers[newest], requests[newest])


def _numbers(ends: Sequence[int], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each row: those of a block end with the block's."""
    skipped = np.array(ends, dtype=np.int64) - np.cumsum(sizes)
    return np.repeat(skipped, sizes) + np.arange(1, sizes.sum() + 1)


def _requests(reported: Sequence[NDArray[np.int64] | None], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The index of each row's payload, from what each block tells of its payloads' lengths."""
    if all(one is None for one in reported):  # most models are asked for a row at a time
        return np.arange(sizes.sum())
    pairs = zip(reported, sizes, strict=True)
    lengths = np.concatenate([np.ones(size, dtype=np.int64) if one is None else one for one, size in pairs])
    return np.repeat(np.arange(lengths.size), lengths)
