"""Rings and states that behave as a store in trouble does."""

import asyncio
from collections.abc import Awaitable, Callable

from driftgauge.errors import StorageError
from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.ring import Block, RingBuffer, StreamKey, Window
from driftgauge.storage.states import State


class AwayRing:
    """A ring whose store does not answer while `away` is true; over a ring that does.

    Args:
        ring: The one that answers otherwise.
    """

    def __init__(self, ring: RingBuffer | None = None) -> None:
        self.away = True
        self._ring = MemoryRing(2000) if ring is None else ring

    async def append(self, stream: StreamKey, block: Block) -> None:
        """As the ring beneath, unless away."""
        self._response()
        await self._ring.append(stream, block)

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """As the ring beneath, unless away."""
        self._response()
        return await self._ring.read(stream, schema, width)

    async def streams(self) -> list[StreamKey]:
        """As the ring beneath, unless away."""
        self._response()
        return await self._ring.streams()

    async def ping(self) -> None:
        """As the ring beneath, unless away."""
        self._response()

    async def close(self) -> None:
        """As the ring beneath."""
        await self._ring.close()

    def _response(self) -> None:
        if self.away:
            raise StorageError("the store is away")


class AwayStates(MemoryStates):
    """States whose store does not answer while `away` is true."""

    def __init__(self) -> None:
        super().__init__()
        self.away = True

    async def load(self, stream: StreamKey, name: str) -> State | None:
        """As in memory, unless away."""
        self._response()
        return await super().load(stream, name)

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int) -> bool:
        """As in memory, unless away."""
        self._response()
        return await super().save(stream, name, blob, expected)

    async def delete(self, stream: StreamKey, name: str) -> None:
        """As in memory, unless away."""
        self._response()
        await super().delete(stream, name)

    def _response(self) -> None:
        if self.away:
            raise StorageError("the store is away")


class BlockedRing(MemoryRing):
    """A ring whose appends wait until the test lets them go."""

    def __init__(self) -> None:
        super().__init__(2000)
        self.reached = asyncio.Event()
        self.go = asyncio.Event()

    async def append(self, stream: StreamKey, block: Block) -> None:
        """Tell that an append was reached, and wait."""
        self.reached.set()
        await self.go.wait()
        await super().append(stream, block)


class BusyRing(MemoryRing):
    """A ring that goes on while a window is on its way to the reader.

    Args:
        capacity_rows: Rows that a window holds.
    """

    def __init__(self, capacity_rows: int) -> None:
        super().__init__(capacity_rows)
        self.meanwhile: list[Callable[[], Awaitable[None]]] = []

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """As in memory; then what is to happen meanwhile, each of it once."""
        window = await super().read(stream, schema, width)
        if self.meanwhile:
            await self.meanwhile.pop(0)()
        return window


class BrokenRing(MemoryRing):
    """A ring with a fault that nobody foresaw."""

    def __init__(self) -> None:
        super().__init__(2000)

    async def append(self, stream: StreamKey, block: Block) -> None:  # noqa: ARG002 the signature is the protocol's
        """Raise what no ring should raise."""
        raise ZeroDivisionError("a fault of ours")

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:  # noqa: ARG002
        """Raise what no ring should raise."""
        raise ZeroDivisionError("a fault of ours")
