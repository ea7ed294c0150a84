"""A ring, a pair store and a state store that tell of each call whether it succeeded; they add nothing else."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from driftgauge.errors import StorageError
from driftgauge.storage.pairs import Half, PairStore, PutResult
from driftgauge.storage.ring import Block, RingBuffer, StreamKey, Window
from driftgauge.storage.states import State, StateStore

Report = Callable[[bool], None]
"""Hears of every call: true if the store answered."""


class ObservedRing:
    """A `RingBuffer` over another.

    Args:
        ring: The one that does the work.
        report: Hears of every call.
    """

    def __init__(self, ring: RingBuffer, report: Report) -> None:
        self._ring = ring
        self._report = report

    async def append(self, stream: StreamKey, block: Block) -> None:
        """As `RingBuffer.append`."""
        async with _reported(self._report):
            await self._ring.append(stream, block)

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """As `RingBuffer.read`."""
        async with _reported(self._report):
            return await self._ring.read(stream, schema, width)

    async def streams(self) -> list[StreamKey]:
        """As `RingBuffer.streams`."""
        async with _reported(self._report):
            return await self._ring.streams()

    async def ping(self) -> None:
        """As `RingBuffer.ping`."""
        async with _reported(self._report):
            await self._ring.ping()

    async def close(self) -> None:
        """As `RingBuffer.close`."""
        await self._ring.close()


class ObservedPairs:
    """A `PairStore` over another.

    Args:
        pairs: The one that does the work.
        report: Hears of every call.
    """

    def __init__(self, pairs: PairStore, report: Report) -> None:
        self._pairs = pairs
        self._report = report

    async def put(self, halves: Sequence[Half]) -> list[PutResult]:
        """As `PairStore.put`."""
        async with _reported(self._report):
            return await self._pairs.put(halves)

    async def unpaired(self, halves: Sequence[Half]) -> int:
        """As `PairStore.unpaired`."""
        async with _reported(self._report):
            return await self._pairs.unpaired(halves)

    async def close(self) -> None:
        """As `PairStore.close`."""
        await self._pairs.close()


class ObservedStates:
    """A `StateStore` over another.

    Args:
        states: The one that does the work.
        report: Hears of every call.
    """

    def __init__(self, states: StateStore, report: Report) -> None:
        self._states = states
        self._report = report

    async def load(self, stream: StreamKey, name: str) -> State | None:
        """As `StateStore.load`."""
        async with _reported(self._report):
            return await self._states.load(stream, name)

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int) -> bool:
        """As `StateStore.save`."""
        async with _reported(self._report):
            return await self._states.save(stream, name, blob, expected)

    async def delete(self, stream: StreamKey, name: str) -> None:
        """As `StateStore.delete`."""
        async with _reported(self._report):
            await self._states.delete(stream, name)


@asynccontextmanager
async def _reported(report: Report) -> AsyncIterator[None]:
    try:
        yield
    except StorageError:
        report(False)  # noqa: FBT003 the callable's one argument
        raise
    report(True)  # noqa: FBT003
