"""The ring: the newest rows of each stream. A protocol; its adapters are `MemoryRing` and `RedisRing`."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from driftgauge.errors import StorageError
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
        places: Shape `(n,)`, int64: the number of each row in its payload, from 0, where these are not all rows of
            the payloads in their order; `None` where they are.

    Raises:
        ValueError: The sum of `requests` is not the number of rows, there are not as many times or ids as payloads, or
            not as many places as rows: an error of the caller.
    """

    schema: str
    rows: NDArray[np.float64]
    requests: NDArray[np.int64]
    times: NDArray[np.float64]
    ids: NDArray[np.uint64]
    left_out: int = 0
    places: NDArray[np.int64] | None = None

    @property
    def counted_rows(self) -> int:
        """How many rows the block adds to the total of its writer."""
        return len(self.rows) + self.left_out

    def __post_init__(self) -> None:
        """Check the sum of `requests`, and the shapes of `times`, `ids` and `places`."""
        requests = self.requests
        if requests.min(initial=1) < 1 or requests.sum() != len(self.rows):
            raise ValueError(f"requests: {len(self.rows)} rows cannot come in payloads of {requests.tolist()} rows")
        if not requests.shape == self.times.shape == self.ids.shape:
            raise ValueError(f"{requests.size} payloads with {self.times.size} times and {self.ids.size} ids")
        if self.places is not None and self.places.shape != (len(self.rows),):
            raise ValueError(f"{len(self.rows)} rows with {self.places.size} places")


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
        places: Shape `(n,)`, int64: the number of each row in its payload, from 0.
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
    places: NDArray[np.int64]
    writers: NDArray[np.int64]
    positions: NDArray[np.int64]
    totals: Mapping[str, int]
    bases: Mapping[str, int] = field(default_factory=dict)


class WriterTotals(NamedTuple):
    """What a store knows of the writers of a stream, beside their blocks.

    Args:
        totals: As in `Window`.
        bases: As in `Window`.
    """

    totals: Mapping[str, int]
    bases: Mapping[str, int]


def id_digests(ids: Iterable[str]) -> NDArray[np.uint64]:
    """The first 64 bits of the BLAKE2b digest of each id, as `id_digest`: shape `(k,)`.

    Rows are joined with what is known later of their payload by this number. It takes 8 bytes however long an id is,
    and two of a million payloads have the same number with a chance of 3 in 100 million.

    Args:
        ids: Any texts.
    """
    digests = [blake2b(one.encode("utf-8", "surrogatepass"), digest_size=8).digest() for one in ids]
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


OUTCOME_WINDOWS: Final = 10
"""Windows of outcomes that are kept: labels come in lumps, and each row is to be there when the detector looks next."""

VALUE_BYTES: Final = 8
"""Bytes of a value, IEEE 754 binary64."""


OUTCOME_BYTES: Final = 16 * 1024 * 1024
"""The most bytes of values of outcomes beyond those of one window: models of many columns keep fewer windows."""


def kept_rows(kind: Kind, window_rows: int, width: int) -> int:
    """The rows that a stream keeps.

    Args:
        kind: Its kind.
        window_rows: Rows of a window, at least 1.
        width: Columns of a row, at least 1.
    """
    if kind is not Kind.OUTCOME:
        return window_rows
    return max(window_rows, min(OUTCOME_WINDOWS * window_rows, OUTCOME_BYTES // (VALUE_BYTES * width)))


class Progress(NamedTuple):
    """How far the rows of a stream have been read by who evaluates them.

    Args:
        appended: The number of the newest row in the stream.
        looked: The number of the newest row that the last look has read; 0 before the first look.
    """

    appended: int
    looked: int

    @property
    def unread(self) -> int:
        """How many rows no look has read; the oldest of them are not kept if they are more than a stream keeps."""
        return max(0, self.appended - self.looked)


class RingBuffer(Protocol):
    """Keeps the newest `capacity_rows` rows of each stream, of outcomes up to ten times as many (`kept_rows`).

    All methods raise only `StorageError`.
    """

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

    async def progress(self, streams: Sequence[StreamKey]) -> list[Progress]:
        """How far each of these streams is read, in order: two numbers of each, whatever it keeps."""

    async def note_looked(self, stream: StreamKey, number: int) -> None:
        """Note that all rows up to this number are read, for `progress`; a smaller number than before changes nothing.

        Only who evaluates the stream may say so. A number beyond all rows is of a store that was emptied since: it is
        ignored.
        """

    async def streams(self, on_away: Callable[[StorageError], None] | None = None) -> list[StreamKey]:
        """The streams that contain rows, including those from before a restart if the store survived it.

        Args:
            on_away: Called with why the streams of a part of the store cannot be listed; without it this is raised.
        """

    def retain(self, models: Container[ModelKey]) -> None:
        """Free the memory of this process for models that are not in `models`. Never blocks, never raises."""

    def forget_read(self, model: ModelKey) -> None:
        """Free the memory of this process for what was read of a model. The next read is only slower. Never raises."""

    async def ping(self) -> None:
        """Check that the store replies."""
