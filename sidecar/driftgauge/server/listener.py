"""Accepts the connections of a data port, keeps the set of open ones, and ends them in order."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol, final

from driftgauge.http1.head_cache import HeadCache
from driftgauge.http1.head_parser import read_request
from driftgauge.http1.heads import RequestHead
from driftgauge.server.connection import ClientConnection
from driftgauge.server.connection_limit import ConnectionLimit
from driftgauge.server.request_handler import RequestHandler
from driftgauge.server.timeouts import Timeouts
from driftgauge.server.tls import Tls

_log = logging.getLogger("driftgauge.server")

_BACKLOG: Final = 1024

_TURNS: Final = 3
"""Iterations of the loop in which requests that have already arrived are read and handed to their handlers."""

_RESET_SECONDS: Final = 1.0
"""How long connections that were reset may take to be gone."""


class _HasSockets(Protocol):
    """A server of either event loop: asyncio's sockets are a tuple, uvloop's a list."""

    @property
    def sockets(self) -> Sequence[socket.socket]:
        """The sockets on which it listens."""


@final
class Listener:
    """Accepts connections and hands each request to its handler; see `Host`.

    Args:
        on_request: Returns the handler of a request.
        timeouts: Limits of time for clients.
        timer: Seconds of a monotonic clock.
        limit: On the number of connections; `None` for no limit.
    """

    def __init__(
        self,
        on_request: Callable[[RequestHead, ClientConnection], RequestHandler],
        timeouts: Timeouts,
        timer: Callable[[], float] = time.perf_counter,
        limit: ConnectionLimit | None = None,
    ) -> None:
        self.draining = False
        """Whether clients are asked to close their connections: none of these carries another exchange."""
        self._on_request = on_request
        self._timeouts = timeouts
        self._timer = timer
        self._limit = limit
        self._read = HeadCache(read_request)
        self._connections: set[ClientConnection] = set()
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._tls: Tls | None = None

    async def start(self, host: str, port: int, tls: Tls | None = None) -> int:
        """Listen, with TLS if it is given; returns the port, which the system chooses if `port` is 0."""
        loop = asyncio.get_running_loop()
        self._tls = tls
        make = self.make_connection if tls is None else tls.wrap(self.make_connection)
        self._server = await loop.create_server(make, host, port, backlog=_BACKLOG)
        return _port_of(self._server)

    def begin_drain(self) -> None:
        """Ask clients to leave: each response ends its connection, so that the next request goes elsewhere."""
        self.draining = True

    async def drain(self, timeout_seconds: float) -> None:
        """Accept no more connections, close idle ones, and let exchanges end within the limit."""
        self.begin_drain()
        if self._server is not None:
            self._server.close()
            self._server = None
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        for connection in self._connections:
            if not connection.is_busy:
                connection.close_idle()
        await self._wait_until(lambda: not any(one.is_busy for one in self._connections), timeout_seconds)

    async def close(self) -> None:
        """End all exchanges and connections; those that have not ended within the limit of `drain` are logged."""
        await self.drain(0)
        if busy := sum(one.is_busy for one in self._connections):
            _log.warning("requests that were cut off at the end of drain_timeout_seconds: %d", busy)
        if self._tls is not None:
            await self._tls.close()
        for connection in list(self._connections):
            connection.close()
        await self._wait_until(lambda: not self._connections, _RESET_SECONDS)

    def make_connection(self) -> ClientConnection:
        """The protocol of a connection that is about to be accepted."""
        return ClientConnection(self, self._timer, self._timeouts, self._read)

    def on_request(self, head: RequestHead, connection: ClientConnection) -> RequestHandler:
        """Return the handler of a request."""
        return self._on_request(head, connection)

    def connection_opened(self, connection: ClientConnection) -> None:
        """Keep a connection that was accepted, or refuse it if there are too many."""
        if self._limit is not None and not self._limit.admits(len(self._connections)):
            connection.refuse_connection()
        else:
            self._connections.add(connection)

    def connection_closed(self, connection: ClientConnection) -> None:
        """Forget a connection that is gone."""
        self._connections.discard(connection)
        self._changed.set()

    def connection_idle(self) -> None:
        """Note that the exchange on a connection has ended."""
        if self.draining:
            self._changed.set()

    async def _wait_until(self, condition: Callable[[], bool], timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return


def _port_of(server: _HasSockets) -> int:
    """The port on which it listens."""
    return int(server.sockets[0].getsockname()[1])
