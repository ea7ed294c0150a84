"""The pool of connections to the model server: opened, kept for a while, reused, and never shared by two exchanges."""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, final
from urllib.parse import urlsplit

from driftgauge.errors import ConfigError
from driftgauge.http1.grammar import HeaderMap
from driftgauge.http1.head_cache import HeadCache
from driftgauge.http1.head_parser import read_response
from driftgauge.inference.request_ids import header_fields
from driftgauge.proxy.failures import ExchangeError
from driftgauge.proxy.interfaces import ConnectWaiter, UpstreamWriter
from driftgauge.proxy.upstream_connection import UpstreamConnection

_log = logging.getLogger("driftgauge.proxy")

IDLE_SECONDS: Final = 3.0
"""How long an idle connection is kept. uvicorn, which most model servers run on, closes after 5 s. A request on a
closing connection fails, and only an inference may be sent again, so we have to be the first to close."""

_LOG_INTERVAL_SECONDS: Final = 10.0
"""Least time between two log lines about the model server."""

_CONNECT_SECONDS: Final = 10.0
_REACHABLE_SECONDS: Final = 1.0


@dataclass(slots=True)
class RateLimitedLog:
    """Logs one line, and then only counts for a while.

    Args:
        timer: Seconds of a monotonic clock.
    """

    timer: Callable[[], float]
    _next: float = field(default=float("-inf"), init=False)
    _unlogged: int = field(default=0, init=False)

    def warning(self, error: ExchangeError, headers: HeaderMap) -> None:
        """Log the error of a request with these header fields, or count it for the next line."""
        now = self.timer()
        if now < self._next:
            self._unlogged += 1
            return
        more = f" ({self._unlogged} more errors since the last line)" if self._unlogged else ""
        fields = header_fields(headers) | {"status": int(error.status)}
        _log.warning("%s%s", error.sentence, more, extra={"fields": fields})
        self._next, self._unlogged = now + _LOG_INTERVAL_SECONDS, 0


@final
class UpstreamPool:
    """The pool of connections to one model server, without a limit on their number.

    Args:
        url: `http://host:port` or `https://host:port`; the rest is ignored.
        timeout_seconds: Longest silence; also the limit for connecting, up to 10 s.
        idle_seconds: How long an idle connection is kept.

    Raises:
        ConfigError: The URL does not have this form.
    """

    def __init__(self, url: str, timeout_seconds: float, idle_seconds: float = IDLE_SECONDS) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(["upstream_url must look like http://127.0.0.1:8085"])
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self.authority = f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"
        self.timeout_seconds = timeout_seconds
        self._idle_seconds = idle_seconds
        self._read = HeadCache(read_response)
        self._connections: set[UpstreamConnection] = set()
        self._idle: deque[tuple[float, UpstreamConnection]] = deque()
        self._connecting: dict[ConnectWaiter, asyncio.Task[None]] = {}
        self._sweeper: asyncio.TimerHandle | None = None

    def take(self) -> UpstreamConnection | None:
        """Return the idle connection that was used last and is still open and silent, or `None`."""
        while self._idle:
            connection = self._idle.pop()[1]
            if connection.is_quiet:
                return connection
            connection.abort()
        return None

    def request_connection(self, waiter: ConnectWaiter) -> None:
        """Open a new connection, and hand it to the waiter."""
        self._connecting[waiter] = asyncio.get_running_loop().create_task(self._connect_for(waiter))

    def forget(self, waiter: ConnectWaiter) -> None:
        """Stop opening a connection for the waiter."""
        task = self._connecting.pop(waiter, None)
        if task is not None:
            task.cancel()

    def release(self, connection: UpstreamWriter) -> None:
        """Keep the connection of a complete exchange, if it can carry another."""
        if not isinstance(connection, UpstreamConnection) or not connection.release():
            connection.abort()
            return
        loop = connection.loop  # asyncio.get_running_loop() makes a system call (CPython 3.11)
        self._idle.append((loop.time() + self._idle_seconds, connection))
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._idle_seconds, self._sweep)

    async def connect(self) -> UpstreamConnection:
        """Open a new connection.

        Raises:
            ExchangeError: No connection could be made.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(min(_CONNECT_SECONDS, self.timeout_seconds)):
                _, connection = await loop.create_connection(
                    self._make_connection, self._host, self._port, ssl=self._tls
                )
        except TimeoutError as error:
            sentence = f"The model server at {self.authority} did not accept a connection."
            raise ExchangeError(HTTPStatus.GATEWAY_TIMEOUT, sentence) from error
        except OSError as error:
            sentence = f"The model server at {self.authority} cannot be reached."
            raise ExchangeError(HTTPStatus.BAD_GATEWAY, sentence) from error
        self._connections.add(connection)
        return connection

    async def is_reachable(self) -> bool:
        """Whether a TCP connection can be made within 1 s."""
        try:
            async with asyncio.timeout(_REACHABLE_SECONDS):
                _, writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            return False
        writer.transport.abort()
        return True

    async def close(self) -> None:
        """Close every connection and wait until they are gone."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        self._idle.clear()
        tasks = list(self._connecting.values())
        for task in tasks:
            task.cancel()
        gone = [connection.gone for connection in self._connections]
        for connection in list(self._connections):
            connection.abort()
        await asyncio.gather(*tasks, *gone, return_exceptions=True)

    def _make_connection(self) -> UpstreamConnection:
        return UpstreamConnection(self._on_lost, self._read)

    def _on_lost(self, connection: UpstreamConnection) -> None:
        self._connections.discard(connection)

    async def _connect_for(self, waiter: ConnectWaiter) -> None:
        try:
            connection = await self.connect()
        except ExchangeError as error:
            self._connecting.pop(waiter, None)
            waiter.on_upstream_error(error)
            return
        self._connecting.pop(waiter, None)
        try:
            waiter.on_connected(connection)
        except Exception:  # noqa: BLE001 - a bug in driftgauge ends one exchange, not the loop
            fields = waiter.log_fields
            _log.exception("an exchange failed because of a bug in driftgauge", extra={"fields": fields})
            connection.abort()
            waiter.on_internal_error()

    def _sweep(self) -> None:
        """Close connections that have been idle too long; the deque has the newest at its right end."""
        loop = asyncio.get_running_loop()
        self._sweeper = None
        while self._idle and self._idle[0][0] <= loop.time():
            self._idle.popleft()[1].abort()
        if self._idle:
            self._sweeper = loop.call_at(self._idle[0][0], self._sweep)
