"""The ring in this process's memory: for one replica, and rows that need not outlive it."""

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from sidecar.storage.ring import Block, StreamKey, Window
from sidecar.storage.window import assemble, is_usable


@dataclass(slots=True)
class _Stream:
    """The blocks of one stream, each with the number of its last row.

    Args:
        blocks: Oldest first; rows of a stream are numbered from 1 as they are appended.
        rows: Number of the newest row.
        met_rows: Number of the newest row at the last read.
    """

    blocks: deque[tuple[int, Block]] = field(default_factory=deque)
    rows: int = 0
    met_rows: int = 0

    def append(self, block: Block, capacity_rows: int) -> None:
        """Add a block, and drop those with surplus rows alone."""
        self.rows += len(block.rows)
        self.blocks.append((self.rows, block))
        while self.blocks[0][0] <= self.rows - capacity_rows:
            self.blocks.popleft()

    def skipped(self, schema: str, width: int) -> int:
        """How many blocks that cannot be used are met for the first time; all count as met from now on."""
        met, self.met_rows = self.met_rows, self.rows
        return sum(end > met and not is_usable(block, schema, width) for end, block in self.blocks)


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
        """Add a copy of a block at the newest end; blocks with surplus rows alone go."""
        requests = None if block.requests is None else block.requests.copy()
        copy = replace(block, rows=np.array(block.rows, dtype=np.float64, order="C"), requests=requests)
        self._streams.setdefault(stream, _Stream()).append(copy, self._capacity_rows)

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """The newest rows that are of this schema, `width` columns each, at most `capacity_rows`."""
        held = self._streams.get(stream, _Stream())
        skipped = held.skipped(schema, width)
        return assemble(held.blocks, schema, width, self._capacity_rows, skipped)

    async def streams(self) -> list[StreamKey]:
        """The streams that hold rows."""
        return list(self._streams)

    async def ping(self) -> None:
        """Return: memory always answers."""

    async def close(self) -> None:
        """Forget all rows."""
        self._streams.clear()
