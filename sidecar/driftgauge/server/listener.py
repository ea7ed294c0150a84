"""Accepts the connections of a data port, knows which are open, and sees them out."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from driftgauge.http1.head_cache import HeadCache
from driftgauge.http1.heads import RequestHead, read_request
from driftgauge.server.connection import ClientConnection, RequestHandler
from driftgauge.server.timeouts import Timeouts


@dataclass(slots=True)
class DrainState:
    """How far the proxy is on its way out.

    Args:
        draining: Clients are asked not to use their connections again.
    """

    draining: bool = False


_BACKLOG = 1024
_TURNS = 3
"""Turns of the loop in which it reads the requests that have come already, and begins to see to them."""

_END_SECONDS = 1.0
"""How long connections that are reset may take to be gone."""


class Listener:
    """Who is behind every connection of a data port; see `Host`.

    Args:
        handle: Begins to see to a request.
        timeouts: How long clients are waited for.
        timer: Seconds of a clock that never goes back.
    """

    def __init__(
        self,
        handle: Callable[[RequestHead, ClientConnection], RequestHandler],
        timeouts: Timeouts,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.talk = handle
        self.closing = DrainState()
        self._timeouts = timeouts
        self._timer = timer
        self._read = HeadCache(read_request)
        self._connections: set[ClientConnection] = set()
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses if `port` is 0."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self.connection, host, port, backlog=_BACKLOG)
        return int(self._server.sockets[0].getsockname()[1])

    def connection(self) -> ClientConnection:
        """A connection that is about to be accepted."""
        return ClientConnection(self, self._timer, self._timeouts, self._read)

    def announce(self) -> None:
        """From now on ask clients to leave: each answer ends its connection, so that the next goes elsewhere."""
        self.closing.draining = True

    async def drain(self, timeout_seconds: float) -> None:
        """Accept no more connections, close idle ones, let what is under way end within the limit."""
        self.announce()
        if self._server is not None:
            self._server.close()
            self._server = None
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        for connection in self._connections:
            if not connection.is_busy:
                connection.close()
        await self._until(lambda: not any(one.is_busy for one in self._connections), timeout_seconds)

    async def close(self) -> None:
        """End what is still under way, and every connection."""
        await self.drain(0)
        for connection in list(self._connections):
            connection.cut()
        await self._until(lambda: not self._connections, _END_SECONDS)

    @property
    def draining(self) -> bool:
        """Whether connections are not to be used again."""
        return self.closing.draining

    def came(self, connection: ClientConnection) -> None:
        """A connection was accepted."""
        self._connections.add(connection)

    def left(self, connection: ClientConnection) -> None:
        """A connection is gone."""
        self._connections.discard(connection)
        self._changed.set()

    def rested(self) -> None:
        """A connection has nothing under way any longer."""
        if self.closing.draining:
            self._changed.set()

    async def _until(self, condition: Callable[[], bool], timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return
