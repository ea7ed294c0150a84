"""The connections of a port that aiohttp serves, limited in number and in time, which aiohttp lacks.

An idle connection is limited by aiohttp's keep-alive time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, cast, final

from aiohttp import web

HEAD_SECONDS: Final = 10.0
"""Time for the first request head of a connection."""

KEEPALIVE_SECONDS: Final = 75.0
"""Time for each later head: longer than the usual interval of a scrape."""

REQUEST_SECONDS: Final = 2 * KEEPALIVE_SECONDS
"""Time from a request head to the next one: for the rest of a body, the response, and for reading it."""

MAX_CONNECTIONS: Final = 128
"""Most connections at once: some scrapers, probes and people."""


@final
class ControlConnections:
    """Makes the protocol of each connection of one port.

    When `MAX_CONNECTIONS` are open, the oldest that waits for a request is closed in favour of the new one; if none
    waits, the new one is closed.
    """

    def __init__(self) -> None:
        self._open: dict[web.RequestHandler, ControlConnection] = {}

    def make(self, handler: web.RequestHandler) -> "ControlConnection":
        """The protocol of a connection that is about to be accepted.

        Args:
            handler: That of aiohttp.
        """
        return ControlConnection(handler, self)

    def admit(self, connection: "ControlConnection") -> bool:
        """Keep a new connection, unless there are too many; returns whether it is served."""
        if len(self._open) >= MAX_CONNECTIONS:
            waiting = next((one for one in self._open.values() if not one.is_responding), None)
            if waiting is None:
                return False
            self._open.pop(waiting.handler)
            waiting.abort()
        self._open[connection.handler] = connection
        return True

    def forget(self, connection: "ControlConnection") -> None:
        """Forget a connection that is gone."""
        self._open.pop(connection.handler, None)

    @web.middleware
    async def follow(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Note that a request has come while it is handled."""
        connection = self._open.get(request.protocol)
        if connection is None:
            return await handler(request)
        connection.begin()
        try:
            return await handler(request)
        finally:
            connection.is_responding = False


@final
class ControlConnection(asyncio.Protocol):
    """Passes the events of one connection on to aiohttp, and ends it when a time limit has passed.

    Args:
        handler: aiohttp's protocol of the connection.
        connections: All of them.

    Attributes:
        handler: aiohttp's protocol of the connection.
        is_responding: Whether a request is being handled.
    """

    def __init__(self, handler: web.RequestHandler, connections: ControlConnections) -> None:
        self.handler = handler
        self.is_responding = False
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Note that a head has come."""
        self.is_responding = True
        self._limit(REQUEST_SECONDS)

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read requests, or end the connection if there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        self.handler.connection_made(transport)
        if self._connections.admit(self):
            self._limit(HEAD_SECONDS)
        else:
            self.abort()

    def data_received(self, data: bytes) -> None:
        """Pass it on."""
        self.handler.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass it on."""
        self.handler.eof_received()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on, and stop the timer."""
        self._stop_timer()
        self._connections.forget(self)
        self.handler.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        self.handler.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self.handler.resume_writing()

    def _limit(self, seconds: float) -> None:
        """End the connection after that time, in place of the limit before."""
        self._stop_timer()
        self._timer = self._loop.call_later(seconds, self.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
