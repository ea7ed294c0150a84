"""The ring: the newest rows of each stream. A protocol; its adapters are `MemoryRing` and `RedisRing`."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple, Protocol, TypeGuard

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
        left_out: Further rows of these payloads, which are longer than a window. They are in the totals of the writer
            alone.

    Raises:
        ValueError: The sum of `requests` is not the number of rows, or there are not as many times or ids as
            payloads: an error of the caller.
    """

    schema: str
    rows: NDArray[np.float64]
    requests: NDArray[np.int64]
    times: NDArray[np.float64]
    ids: NDArray[np.uint64]
    left_out: int = 0

    @property
    def counted_rows(self) -> int:
        """How many rows the block adds to the total of its writer."""
        return len(self.rows) + self.left_out

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
            the rows of all schemas and all writers in the order of the appends. A store that lost rows may give their
            numbers to others.
        requests: Shape `(n,)`, int64, ascending: the index of the payload of each row. Rows of one payload have the
            same index, those of the next payload one more. The first index has no meaning.
        times: Shape `(n,)`, float64: when the payload of each row passed, in seconds since the epoch.
        ids: Shape `(n,)`, uint64: the digest of the id of each row's payload.
        writers: Shape `(n,)`, int64: the index in `totals` of the writer of each row.
        positions: Shape `(n,)`, int64: the number of each row among those of its writer, from 1. No two rows that a
            writer ever appended have the same.
        totals: How many rows each writer has appended, those of other schemas and those that are lost included. Rows
            that were appended while the window was read may be missing in the totals and in the window, but no row is
            in the totals that the next window would have as a new one.
        bases: How many rows of each writer were appended before the store knew it, where that is not 0: the store was
            emptied.
    """

    rows: NDArray[np.float64]
    time: float | None
    skipped_blocks: int
    numbers: NDArray[np.int64]
    requests: NDArray[np.int64]
    times: NDArray[np.float64]
    ids: NDArray[np.uint64]
    writers: NDArray[np.int64]
    positions: NDArray[np.int64]
    totals: Mapping[str, int]
    bases: Mapping[str, int] = field(default_factory=dict)


class Appended(NamedTuple):
    """A block in a store.

    Args:
        number: The number of its last row in the stream.
        block: `None` if it could not be decoded.
        writer: Who appended it; any text if it could not be decoded.
        total: How many rows this writer had appended then, those of the block included.
    """

    number: int
    block: Block | None
    writer: str
    total: int


class WriterTotals(NamedTuple):
    """What a store knows of the writers of a stream, beside their blocks.

    Args:
        totals: As in `Window`.
        bases: As in `Window`.
    """

    totals: Mapping[str, int]
    bases: Mapping[str, int]


_NO_WRITERS = WriterTotals({}, {})


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
        """Add a block at the newest end. Surplus old rows may be removed.

        Raises:
            StorageError: The store has failed. If `may_be_done` is false the block was not added, and never will be.
                Else this is unknown until `settle` is called, at the latest by the stream's next append.
        """

    async def settle(self, stream: StreamKey) -> bool:
        """Find out whether the last append of a stream, whose outcome was unknown, has added its block.

        From then on it is certain: the store executes no append of before any more.

        Returns:
            Whether the block was added. False if no outcome is unknown.
        """

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
    blocks: Iterable[Appended],
    schema: str,
    width: int,
    capacity_rows: int,
    skipped_blocks: int,
    known: WriterTotals = _NO_WRITERS,
) -> Window:
    """The newest rows of the usable blocks.

    Args:
        blocks: Oldest first.
        schema: Hash of the requested columns' names and kinds.
        width: Number of columns, at least 1.
        capacity_rows: The most rows of the window.
        skipped_blocks: Copied into the window.
        known: What else is known of the writers; the greater of a total and that of a block is true.
    """
    every = list(blocks)
    totals = dict(known.totals)
    for one in every:
        if one.block is not None:
            totals[one.writer] = max(one.total, totals.get(one.writer, 0))
    usable = [(one, one.block) for one in every if is_usable(one.block, schema, width)]
    time = max((float(block.times.max()) for _, block in usable), default=None)
    sizes = np.array([len(block.rows) for _, block in usable], dtype=np.int64)
    lengths = np.concatenate([np.empty(0, dtype=np.int64), *(block.requests for _, block in usable)])
    times = np.concatenate([np.empty(0), *(block.times for _, block in usable)])
    ids = np.concatenate([np.empty(0, dtype=np.uint64), *(block.ids for _, block in usable)])
    index = {writer: place for place, writer in enumerate(totals)}
    writers = np.repeat(np.array([index[one.writer] for one, _ in usable], dtype=np.int64), sizes)
    newest = slice(-capacity_rows, None)
    requests = np.arange(lengths.size)
    return Window(
        _newest_rows([block.rows for _, block in usable], width, capacity_rows),
        time,
        skipped_blocks,
        _numbers([one.number for one, _ in usable], sizes)[newest],
        np.repeat(requests, lengths)[newest],
        np.repeat(times, lengths)[newest],
        np.repeat(ids, lengths)[newest],
        writers[newest],
        _numbers([one.total for one, _ in usable], sizes)[newest],
        totals,
        known.bases,
    )


def _newest_rows(blocks: Sequence[NDArray[np.float64]], width: int, capacity_rows: int) -> NDArray[np.float64]:
    """The newest rows of some blocks. No others are copied: all that is copied lives as long as the window."""
    first = min(capacity_rows, sum(map(len, blocks)))
    rows = np.empty((first, width))
    for block in reversed(blocks):
        part = block[max(0, len(block) - first) :]
        rows[first - len(part) : first] = part
        first -= len(part)
    return rows


def _numbers(ends: Sequence[int], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each row; `ends` has the number of the last row of each block."""
    skipped = np.array(ends, dtype=np.int64) - np.cumsum(sizes)
    return np.repeat(skipped, sizes) + np.arange(1, sizes.sum() + 1)
