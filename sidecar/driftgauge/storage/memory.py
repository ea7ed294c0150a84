"""The store of half pairs in this process's memory: for one replica."""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from driftgauge.inference.payload import Kind
from driftgauge.storage.pairs import Arrival, Half, PutResult
from driftgauge.storage.ring import Block, StreamKey, Window, assemble, is_usable
from driftgauge.storage.states import State


class MemoryStates:
    """A `StateStore` in memory; nothing expires."""

    def __init__(self) -> None:
        self._states: dict[tuple[StreamKey, str], State] = {}

    async def load(self, stream: StreamKey, name: str) -> State | None:
        """What was saved last; `None` if there is nothing."""
        return self._states.get((stream, name))

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int) -> bool:
        """Keep a blob as version `expected + 1`, in place of version `expected`; whether it was kept."""
        known = self._states.get((stream, name))
        if expected != (0 if known is None else known.version):
            return False
        self._states[stream, name] = State(bytes(blob), expected + 1)
        return True

    async def delete(self, stream: StreamKey, name: str) -> None:
        """Forget a state."""
        self._states.pop((stream, name), None)


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
        buffered = self._streams.get(stream, _Stream())
        skipped = buffered.skipped(schema, width)
        return assemble(buffered.blocks, schema, width, self._capacity_rows, skipped)

    async def streams(self) -> list[StreamKey]:
        """The streams that hold rows."""
        return list(self._streams)

    async def ping(self) -> None:
        """Return: memory always answers."""

    async def close(self) -> None:
        """Forget all rows."""
        self._streams.clear()


@dataclass(slots=True)
class _Pair:
    """What is known of one key; a time is kept as its exact text, as in Redis.

    Args:
        changed: Clock reading of the last change, in seconds.
        alone: The half that waits, at most one.
        completed: Both halves of the newest completed pair, or none.
    """

    changed: float
    alone: dict[Kind, str] = field(default_factory=dict)
    completed: dict[Kind, str] = field(default_factory=dict)

    def put(self, kind: Kind, time: str) -> PutResult:
        """Take in one half and say what it met."""
        if time in (self.alone.get(kind), self.completed.get(kind)):
            return PutResult(Arrival.DUPLICATE)
        other = Kind.REQUEST if kind is Kind.RESPONSE else Kind.RESPONSE
        if other in self.alone:
            self.completed = {kind: time, other: self.alone.pop(other)}
            return PutResult(Arrival.COMPLETED, float(self.completed[other]))
        replaced = kind in self.alone
        self.alone[kind] = time
        return PutResult(Arrival.FIRST, replaced=replaced)


class MemoryPairs:
    """A `PairStore` in memory.

    Args:
        ttl_seconds: A half is remembered for twice as long after its key last changed, so that who
            asks for it after `ttl_seconds` still finds the answer.
        capacity: Keys that are remembered, at least 1; beyond, the one unchanged for longest goes.
        clock: Seconds from any start, never going backwards.
    """

    def __init__(self, ttl_seconds: float, capacity: int, clock: Callable[[], float]) -> None:
        self._ttl_seconds = ttl_seconds
        self._capacity = capacity
        self._clock = clock
        self._pairs: OrderedDict[str, _Pair] = OrderedDict()

    async def put(self, halves: Sequence[Half]) -> list[PutResult]:
        """Store halves, in order, and say of each what it met."""
        now = self._clock()
        self._expire(now)
        return [self._put(half, now) for half in halves]

    async def unpaired(self, halves: Sequence[Half]) -> int:
        """How many of these halves are still alone or forgotten."""
        self._expire(self._clock())
        return sum(self._is_unpaired(half) for half in halves)

    async def close(self) -> None:
        """Forget all halves."""
        self._pairs.clear()

    def _put(self, half: Half, now: float) -> PutResult:
        pair = self._pairs.setdefault(half.key, _Pair(now))
        met = pair.put(half.kind, repr(half.time))
        if met.arrival is not Arrival.DUPLICATE:
            pair.changed = now
            self._pairs.move_to_end(half.key)
        while len(self._pairs) > self._capacity:
            self._pairs.popitem(last=False)
        return met

    def _is_unpaired(self, half: Half) -> bool:
        pair = self._pairs.get(half.key)
        return pair is None or pair.alone.get(half.kind) == repr(half.time)

    def _expire(self, now: float) -> None:
        while self._pairs and next(iter(self._pairs.values())).changed + 2 * self._ttl_seconds <= now:
            self._pairs.popitem(last=False)
