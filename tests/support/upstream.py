"""A model server that records the exact bytes it gets and responds with the exact bytes it was given."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Self

from tests.support.raw_client import DEADLINE_SECONDS, LIMIT_BYTES, Wire

_VIA = re.compile(rb"\r\nVia: 1\.[01] driftgauge-[0-9a-f]{16}(?=\r\n\r\n)")
"""The one line that the proxy adds to a request."""

Script = Callable[[Wire], Awaitable[None]]
"""Acts as the model server on one connection; the connection closes when it returns."""

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def without_via(data: bytes) -> bytes:
    """Requests of the proxy without the line that it adds at the end of each head."""
    return _VIA.sub(b"", data)


def responding(response: bytes, *, bodiless_requests: bool = False) -> Script:
    """A script that responds to every request with the same bytes, on a connection that stays open.

    Args:
        response: Head and body.
        bodiless_requests: Whether to respond when the head has come.
    """

    async def play(wire: Wire) -> None:
        """Respond until the connection ends."""
        while True:
            await wire.message(bodiless=bodiless_requests)
            wire.send(response)

    return play


class RawUpstream:
    """A server that listens on a free port until the `async with` block ends.

    Args:
        script: Runs on each connection; may be replaced at any time.
    """

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or responding(OK)
        self.wires: list[Wire] = []
        self.port = 0
        self.open_connections = 0
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """The listening server."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=LIMIT_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """End every connection."""
        await self.stop()

    async def stop(self) -> None:
        """Refuse new connections and end the open ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def received(self) -> bytes:
        """All bytes but the `Via` that ends each head, of all connections in the order in which they were opened."""
        return without_via(self.received_with_via)

    @property
    def received_with_via(self) -> bytes:
        """All bytes of all connections, in the order in which the connections were opened."""
        return b"".join(wire.received for wire in self.wires)

    async def open_is(self, count: int) -> None:
        """Wait until exactly `count` connections are open."""
        async with asyncio.timeout(DEADLINE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: self.open_connections == count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        wire = Wire(reader, writer)
        self.wires.append(wire)
        await self._count(1)
        try:
            await self.script(wire)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            await wire.close()
            await self._count(-1)

    async def _count(self, change: int) -> None:
        async with self._changed:
            self.open_connections += change
            self._changed.notify_all()
