"""Rings and states that behave like a store in trouble."""

import asyncio
from collections.abc import Awaitable, Callable, Container, Sequence

from driftgauge.errors import StorageError
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.ring import Block, Progress, RingBuffer, StreamKey, Window
from driftgauge.storage.stream_states import State


class AwayRing:
    """A ring that fails while `away` is true, and else passes calls on.

    Args:
        ring: The ring that gets the calls; by default one in memory.
    """

    def __init__(self, ring: RingBuffer | None = None) -> None:
        self.away = True
        self._ring = MemoryRing(2000) if ring is None else ring

    async def append(self, stream: StreamKey, block: Block) -> None:
        """Call the other ring, unless away."""
        self._check()
        await self._ring.append(stream, block)

    async def settle(self, stream: StreamKey) -> bool:
        """Call the other ring, unless away."""
        self._check()
        return await self._ring.settle(stream)

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """Call the other ring, unless away."""
        self._check()
        return await self._ring.read(stream, schema, width)

    async def progress(self, streams: Sequence[StreamKey]) -> list[Progress]:
        """Call the other ring, unless away."""
        self._check()
        return await self._ring.progress(streams)

    async def note_looked(self, stream: StreamKey, number: int) -> None:
        """Call the other ring, unless away."""
        self._check()
        await self._ring.note_looked(stream, number)

    def forget_read(self, model: ModelKey) -> None:
        """Call the other ring."""
        self._ring.forget_read(model)

    def retain(self, models: Container[ModelKey]) -> None:
        """Call the other ring."""
        self._ring.retain(models)

    async def streams(self, on_away: Callable[[StorageError], None] | None = None) -> list[StreamKey]:
        """Call the other ring, unless away."""
        self._check()
        return await self._ring.streams(on_away)

    async def ping(self) -> None:
        """Call the other ring, unless away."""
        self._check()

    def _check(self) -> None:
        if self.away:
            raise StorageError("the store is away", may_be_done=False)


class AwayStates(MemoryStates):
    """States that fail while `away` is true."""

    def __init__(self) -> None:
        super().__init__()
        self.away = True

    async def load(self, stream: StreamKey, name: str) -> State | None:
        """As in memory, unless away."""
        self._check()
        return await super().load(stream, name)

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int, token: str = "") -> bool:
        """As in memory, unless away."""
        self._check()
        return await super().save(stream, name, blob, expected, token)

    async def delete(self, stream: StreamKey, name: str) -> None:
        """As in memory, unless away."""
        self._check()
        await super().delete(stream, name)

    def _check(self) -> None:
        if self.away:
            raise StorageError("the store is away")


class FullStates(MemoryStates):
    """States that can be read, but not saved while `full` is true, as in a Redis that is out of memory."""

    def __init__(self) -> None:
        super().__init__()
        self.full = True

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int, token: str = "") -> bool:
        """As in memory, unless full."""
        if self.full:
            raise StorageError("Redis could not save a state: OOM command not allowed")
        return await super().save(stream, name, blob, expected, token)


class SlowStates(MemoryStates):
    """States that save a blob although the caller hears of a timeout, while `slow` is true."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = True

    async def save(self, stream: StreamKey, name: str, blob: bytes, expected: int, token: str = "") -> bool:
        """As in memory, but without a reply while slow."""
        saved = await super().save(stream, name, blob, expected, token)
        if self.slow:
            raise StorageError("Redis could not save a state within 1 s")
        return saved


class BlockedRing(MemoryRing):
    """A ring whose appends wait until the test sets `go`."""

    def __init__(self) -> None:
        super().__init__(2000)
        self.reached = asyncio.Event()
        self.go = asyncio.Event()

    async def append(self, stream: StreamKey, block: Block) -> None:
        """Set `reached`, and wait for `go`."""
        self.reached.set()
        await self.go.wait()
        await super().append(stream, block)


class BusyRing(MemoryRing):
    """A ring that changes while a window is on its way to the reader.

    Args:
        capacity_rows: Rows that a window holds.
    """

    def __init__(self, capacity_rows: int) -> None:
        super().__init__(capacity_rows)
        self.meanwhile: list[Callable[[], Awaitable[None]]] = []

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:
        """Read as in memory, then await the next of `meanwhile`."""
        window = await super().read(stream, schema, width)
        if self.meanwhile:
            await self.meanwhile.pop(0)()
        return window


class BrokenRing(MemoryRing):
    """A ring with an unexpected error."""

    def __init__(self) -> None:
        super().__init__(2000)

    async def append(self, stream: StreamKey, block: Block) -> None:  # noqa: ARG002 the signature is the protocol's
        """Raise an error that no ring should raise."""
        raise ZeroDivisionError("a fault of ours")

    async def read(self, stream: StreamKey, schema: str, width: int) -> Window:  # noqa: ARG002
        """Raise an error that no ring should raise."""
        raise ZeroDivisionError("a fault of ours")


class SilentRing(MemoryRing):
    """A ring whose caller hears nothing of appends while `silent` is true, and of their outcomes while `away` is true.

    Args:
        adds: Whether it executes these appends.
    """

    def __init__(self, *, adds: bool) -> None:
        super().__init__(2000)
        self.silent = True
        self.away = False
        self._adds = adds
        self._unknown: set[StreamKey] = set()

    async def append(self, stream: StreamKey, block: Block) -> None:
        """As in memory, or without a reply while silent."""
        if not self.silent:
            await super().append(stream, block)
            return
        if self._adds:
            await super().append(stream, block)
        self._unknown.add(stream)
        raise StorageError("Redis could not append rows within 1 s")

    async def settle(self, stream: StreamKey) -> bool:
        """Whether the last append without a reply was executed."""
        if self.away:
            raise StorageError("the store is away", may_be_done=False)
        if stream not in self._unknown:
            return False
        self._unknown.remove(stream)
        return self._adds


class OneSidedRing(MemoryRing):
    """A ring that fails for responses, with an error of the store or an unexpected one.

    Args:
        error: The error.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(2000)
        self._error = error

    async def append(self, stream: StreamKey, block: Block) -> None:
        """As in memory for requests."""
        if stream.kind is Kind.RESPONSE:
            raise self._error
        await super().append(stream, block)
