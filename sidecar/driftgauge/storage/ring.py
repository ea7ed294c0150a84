"""The ring: the newest rows of each stream. A protocol; its adapters are `MemoryRing` and `RedisRing`."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
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
        schema: Hash of the column names and kinds, in order. A window only contains rows of one schema.
        rows: Shape `(n, d)`, float64, C-contiguous; NaN is a missing value. `n` is at least 1.
        requests: Shape `(k,)`, int64, each at least 1: how many of the rows came in each payload, in order.
        times: Shape `(k,)`, float64: when each payload passed, in seconds since the epoch.
        ids: Shape `(k,)`, uint64: `id_digests` of the payloads' ids.

    Raises:
        ValueError: The sum of `requests` is not the number of rows, or there are not as many times or ids as
            payloads: an error of the caller.
    """

    schema: str
    rows: NDArray[np.float64]
    requests: NDArray[np.int64]
    times: NDArray[np.float64]
    ids: NDArray[np.uint64]

    def __post_init__(self) -> None:
        """Check the sum of `requests`, and the shapes of `times` and `ids`."""
        requests = self.requests
        if requests.min(initial=1) < 1 or requests.sum() != len(self.rows):
            raise ValueError(f"requests: {len(self.rows)} rows cannot come in payloads of {requests.tolist()} rows")
        if not requests.shape == self.times.shape == self.ids.shape:
            raise ValueError(f"{requests.size} payloads with {self.times.size} times and {self.ids.size} ids")


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The newest rows of one stream.

    Args:
        rows: Shape `(n, d)`, float64, oldest first; `n` is at most the ring's capacity, and may be 0.
        time: When the newest row passed, in seconds since the epoch; `None` if there are no rows.
        skipped_blocks: Blocks of another schema that no earlier read has counted.
        numbers: Shape `(n,)`, int64, strictly increasing: the number of each row in its stream. A stream numbers
            the rows of all schemas and all writers from 1, in the order of the appends. A store that lost its newest
            rows gives their numbers to the next rows; an emptied store counts from 1 again.
        requests: Shape `(n,)`, int64, ascending: the index of the payload of each row. Rows of one payload have the
            same index, those of the next payload one more. The first index has no meaning.
        times: Shape `(n,)`, float64: when the payload of each row passed, in seconds since the epoch.
        ids: Shape `(n,)`, uint64: the digest of the id of each row's payload.
    """

    rows: NDArray[np.float64]
    time: float | None
    skipped_blocks: int
    numbers: NDArray[np.int64]
    requests: NDArray[np.int64]
    times: NDArray[np.float64]
    ids: NDArray[np.uint64]


def id_digests(ids: Iterable[str]) -> NDArray[np.uint64]:
    """The first 64 bits of the BLAKE2b digest of each id: shape `(k,)`.

    Rows are joined with what is known later of their payload by this number. It takes 8 bytes however long an id is,
    and two of a million payloads have the same number with a chance of 3 in 100 million.

    Args:
        ids: Any texts.
    """
    digests = [blake2b(one.encode("utf-8", "surrogatepass"), digest_size=8).digest() for one in ids]
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


class RingBuffer(Protocol):
    """Keeps the newest `capacity_rows` rows of each stream. All methods raise only `StorageError`."""

    async def append(self, stream: StreamKey, block: Block) -> None:
        """Add a block at the newest end. Surplus old rows may be removed."""

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """The newest rows that are of this schema, `width` columns each, at most `capacity_rows`."""

    async def streams(self) -> list[StreamKey]:
        """The streams that contain rows, including those from before a restart if the store survived it."""

    def retain(self, models: Container[ModelKey]) -> None:
        """Free the memory of this process for models that are not in `models`. Never blocks, never raises."""

    async def ping(self) -> None:
        """Check that the store replies."""


def is_usable(block: Block | None, schema: str, width: int) -> TypeGuard[Block]:
    """Whether a block could be decoded and has rows of this schema with `width` columns."""
    return block is not None and block.schema == schema and block.rows.shape[1] == width


def assemble(
    blocks: Iterable[tuple[int, Block | None]], schema: str, width: int, capacity_rows: int, skipped_blocks: int
) -> Window:
    """The newest rows of the usable blocks.

    Args:
        blocks: Oldest first, each with the number of its last row; `None` means a block that could not be decoded.
        schema: Hash of the requested columns' names and kinds.
        width: Number of columns, at least 1.
        capacity_rows: The most rows of the window.
        skipped_blocks: Copied into the window.
    """
    usable = [(end, block) for end, block in blocks if is_usable(block, schema, width)]
    rows = np.concatenate([np.empty((0, width)), *(block.rows for _, block in usable)])
    time = max((float(block.times.max()) for _, block in usable), default=None)
    sizes = np.array([len(block.rows) for _, block in usable], dtype=np.int64)
    numbers = _numbers([end for end, _ in usable], sizes)
    lengths = np.concatenate([np.empty(0, dtype=np.int64), *(block.requests for _, block in usable)])
    times = np.concatenate([np.empty(0), *(block.times for _, block in usable)])
    ids = np.concatenate([np.empty(0, dtype=np.uint64), *(block.ids for _, block in usable)])
    newest = slice(-capacity_rows, None)
    by_row = [np.repeat(one, lengths)[newest] for one in (np.arange(lengths.size), times, ids)]
    return Window(rows[newest], time, skipped_blocks, numbers[newest], *by_row)


def _numbers(ends: Sequence[int], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each row; `ends` has the number of the last row of each block."""
    skipped = np.array(ends, dtype=np.int64) - np.cumsum(sizes)
    return np.repeat(skipped, sizes) + np.arange(1, sizes.sum() + 1)
