"""Rows and states in the memory of this process, for a deployment of one replica."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from secrets import token_hex

import numpy as np

from driftgauge.errors import StorageError
from driftgauge.inference.payload import ModelKey
from driftgauge.storage.assembling import (
    BESIDE_BLOCKS,
    PIECE_BYTES,
    Appended,
    Piece,
    assemble,
    assemble_beside,
    put_together,
)
from driftgauge.storage.ring import Block, Progress, StreamKey, Window, kept_rows
from driftgauge.storage.stream_states import State


class MemoryStates:
    """A `StateStore` in memory. States last as long as their model is known."""

    def __init__(self) -> None:
        self._states: dict[tuple[StreamKey, str], State] = {}

    async def load(self, stream: StreamKey, name: str) -> State | None:
        """The newest state; `None` if there is none."""
        return self._states.get((stream, name))

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int, token: str = "") -> bool:
        """Save a blob as version `expected + 1`, in place of version `expected`. Returns whether it was saved.

        The token is ignored: in memory a lease is never lost.
        """
        del token
        known = self._states.get((stream, name))
        if expected != (0 if known is None else known.version):
            return False
        self._states[stream, name] = State(bytes(blob), expected + 1)
        return True

    async def delete(self, stream: StreamKey, name: str) -> None:
        """Delete a state of any version."""
        self._states.pop((stream, name), None)

    def retain(self, models: Container[ModelKey]) -> None:
        """Delete the states of models that are not in `models`."""
        for key in [key for key in self._states if key[0].model not in models]:
            del self._states[key]


@dataclass(slots=True)
class _Stream:
    """The blocks of one stream.

    Args:
        pieces: Oldest first. Rows are numbered from 1 as they are appended.
        blocks: The newest blocks, which are not put together yet, fewer than 16, and none of many bytes.
        rows: Number of the newest row.
        read_rows: Number of the newest row at the last read.
        looked: Number of the newest row that a look has read.
        total: Rows that were appended, those included that blocks leave out.
        writer: The only writer. A stream that was forgotten and begins again has another one.
    """

    pieces: list[Piece] = field(default_factory=list)
    blocks: list[Appended] = field(default_factory=list)
    rows: int = 0
    read_rows: int = 0
    looked: int = 0
    total: int = 0
    writer: str = field(default_factory=lambda: token_hex(8))

    def append(self, block: Block, capacity_rows: int) -> None:
        """Add a block, and remove pieces that only contain surplus rows."""
        self.rows += len(block.rows)
        self.total += block.counted_rows
        self.blocks.append(Appended(self.rows, block, self.writer, self.total))
        if len(self.blocks) >= BESIDE_BLOCKS or block.rows.nbytes >= PIECE_BYTES:
            self.pieces, self.blocks = put_together(self.pieces, self.blocks), []
        surplus = self.rows - capacity_rows
        while self.pieces and self.pieces[0].numbers[-1] <= surplus:
            del self.pieces[0]

    def kept(self, capacity_rows: int) -> list[Piece]:
        """All blocks without those that only contain surplus rows."""
        self.pieces, self.blocks = put_together(self.pieces, self.blocks), []
        left = [one.above(self.rows - capacity_rows) for one in self.pieces]
        self.pieces = [one for one in left if one is not None]
        return self.pieces

    def count_skipped(self, pieces: Sequence[Piece], schema: str, width: int) -> int:
        """Count the unusable blocks that were appended since the last read, and mark all blocks as read."""
        last_read, self.read_rows = self.read_rows, self.rows
        return sum(one.count_after(last_read, 0) for one in pieces if not one.is_usable(schema, width))


class MemoryRing:
    """A `RingBuffer` of blocks in memory.

    Args:
        capacity_rows: Rows that a window holds, at least 1. A stream keeps its newest `capacity_rows`
            rows of all schemas together, in whole blocks.
    """

    def __init__(self, capacity_rows: int) -> None:
        self._capacity_rows = capacity_rows
        self._streams: dict[StreamKey, _Stream] = {}

    async def append(self, stream: StreamKey, block: Block) -> None:
        """Add a copy of a block at the newest end, and remove blocks that only contain surplus rows."""
        copy = Block(
            schema=block.schema,
            rows=np.array(block.rows, dtype=np.float64, order="C"),
            requests=block.requests.copy(),
            times=block.times.copy(),
            ids=block.ids.copy(),
            left_out=block.left_out,
            places=None if block.places is None else block.places.copy(),
        )
        self._streams.setdefault(stream, _Stream()).append(
            copy, kept_rows(stream.kind, self._capacity_rows, block.rows.shape[1])
        )

    async def settle(self, stream: StreamKey) -> bool:  # noqa: ARG002 the signature is the protocol's
        """Do nothing: the outcome of an append is always known."""
        return False

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """The newest rows that are of this schema, `width` columns each, at most `capacity_rows`."""
        buffered = self._streams.get(stream)
        if buffered is None:
            return assemble([], schema, width, 0, 0)
        capacity = kept_rows(stream.kind, self._capacity_rows, width)
        pieces = buffered.kept(capacity)
        skipped = buffered.count_skipped(pieces, schema, width)
        return await assemble_beside(pieces, schema, width, capacity, skipped)

    async def progress(self, streams: Sequence[StreamKey]) -> list[Progress]:
        """How far each of these streams is read."""
        known = [self._streams.get(stream, _Stream()) for stream in streams]
        return [Progress(one.rows, one.looked) for one in known]

    async def note_looked(self, stream: StreamKey, number: int) -> None:
        """Note that all rows up to this number are read."""
        known = self._streams.get(stream)
        if known is not None and number <= known.rows:
            known.looked = max(known.looked, number)

    async def streams(self, on_away: Callable[[StorageError], None] | None = None) -> list[StreamKey]:  # noqa: ARG002 - of the protocol
        """The streams that contain rows."""
        return list(self._streams)

    def retain(self, models: Container[ModelKey]) -> None:
        """Forget the rows of models that are not in `models`."""
        for stream in [stream for stream in self._streams if stream.model not in models]:
            del self._streams[stream]

    def forget_read(self, model: ModelKey) -> None:
        """Do nothing: the rows are here alone."""

    async def ping(self) -> None:
        """Do nothing: memory is always available."""

    async def close(self) -> None:
        """Forget all rows."""
        self._streams.clear()
