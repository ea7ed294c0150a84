"""The connections to the model server: opened, kept for a while, used again, never shared."""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from driftgauge.errors import ConfigError
from driftgauge.http1.head_cache import HeadCache
from driftgauge.http1.heads import read_response
from driftgauge.http1.http_errors import BAD_GATEWAY, GATEWAY_TIMEOUT, ExchangeError
from driftgauge.proxy.interfaces import ConnectWaiter, UpstreamWriter
from driftgauge.proxy.upstream_connection import UpstreamConnection

_log = logging.getLogger("driftgauge.proxy")

_SILENCE_SECONDS = 10.0
"""Least time between two log lines about the model server."""


@dataclass(slots=True)
class RateLimitedLog:
    """One line, then silence for a while.

    Args:
        timer: Seconds of a clock that never goes back.
    """

    timer: Callable[[], float]
    _next: float = field(default=float("-inf"), init=False)
    _untold: int = field(default=0, init=False)

    def record(self, error: ExchangeError) -> None:
        """Log the error, or only count it."""
        now = self.timer()
        if now < self._next:
            self._untold += 1
            return
        _log.warning("%s (%d errors since the last line)", error.sentence, self._untold)
        self._next, self._untold = now + _SILENCE_SECONDS, 0


_log = logging.getLogger("driftgauge.proxy")

IDLE_SECONDS = 3.0
"""How long an unused connection is kept. uvicorn, which most model servers run on, closes after 5 s, and a POST
that meets a connection closing must not be sent again: ours have to be the first to close."""

_CONNECT_SECONDS = 10.0
_REACHABLE_SECONDS = 1.0


class Upstream:
    """The pool of connections to one model server, without a limit on their number.

    Args:
        url: `http://host:port` or `https://host:port`; what follows is not used.
        timeout_seconds: Longest silence; connecting may take as long, but no longer than 10 s.
        idle_seconds: How long an unused connection is kept.

    Raises:
        ConfigError: The URL is not one of these.
    """

    def __init__(self, url: str, timeout_seconds: float, idle_seconds: float = IDLE_SECONDS) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError([f"upstream_url must look like http://127.0.0.1:8085, not {url!r}"])
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self.authority = f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"
        self.timeout_seconds = timeout_seconds
        self._idle_seconds = idle_seconds
        self._read = HeadCache(read_response)
        self._links: set[UpstreamConnection] = set()
        self._idle: deque[tuple[float, UpstreamConnection]] = deque()
        self._dials: dict[ConnectWaiter, asyncio.Task[None]] = {}
        self._sweeper: asyncio.TimerHandle | None = None

    def take(self) -> UpstreamConnection | None:
        """The connection that was used last among those that nobody uses, if the system says that it is still open."""
        while self._idle:
            link = self._idle.pop()[1]
            if link.is_quiet:
                return link
            link.abort()
        return None

    def request_connection(self, waiter: ConnectWaiter) -> None:
        """Make a new connection; the dialler is told."""
        self._dials[waiter] = asyncio.get_running_loop().create_task(self._request_connection(waiter))

    def forget(self, waiter: ConnectWaiter) -> None:
        """Nobody waits for it any longer."""
        task = self._dials.pop(waiter, None)
        if task is not None:
            task.cancel()

    def release(self, link: UpstreamWriter) -> None:
        """Keep the connection of an exchange that ended well, if it can be used again."""
        if not isinstance(link, UpstreamConnection) or not link.rest():
            link.abort()
            return
        loop = link.loop  # asking for the running one costs a call of the system (CPython 3.11)
        self._idle.append((loop.time() + self._idle_seconds, link))
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._idle_seconds, self._sweep)

    async def connect(self) -> UpstreamConnection:
        """A new connection.

        Raises:
            ExchangeError: None could be made.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(min(_CONNECT_SECONDS, self.timeout_seconds)):
                _, link = await loop.create_connection(self._link, self._host, self._port, ssl=self._tls)
        except TimeoutError as error:
            sentence = f"The model server at {self.authority} did not accept a connection."
            raise ExchangeError(GATEWAY_TIMEOUT, sentence) from error
        except OSError as error:
            raise ExchangeError(BAD_GATEWAY, f"The model server at {self.authority} cannot be reached.") from error
        self._links.add(link)
        return link

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
        dials = list(self._dials.values())
        for task in dials:
            task.cancel()
        gone = [link.gone for link in self._links]
        for link in list(self._links):
            link.abort()
        await asyncio.gather(*dials, *gone, return_exceptions=True)

    def _link(self) -> UpstreamConnection:
        return UpstreamConnection(self._lost, self._read)

    def _lost(self, link: UpstreamConnection) -> None:
        self._links.discard(link)

    async def _request_connection(self, waiter: ConnectWaiter) -> None:
        try:
            link = await self.connect()
        except ExchangeError as error:
            self._dials.pop(waiter, None)
            waiter.failed(error)
            return
        self._dials.pop(waiter, None)
        try:
            waiter.connected(link)
        except Exception:  # noqa: BLE001 - a fault of ours ends one exchange, not the loop
            _log.exception("an exchange met a fault of ours")
            link.abort()
            waiter.fault()

    def _sweep(self) -> None:
        """Close what has been idle too long; the newest stand at the right end."""
        loop = asyncio.get_running_loop()
        self._sweeper = None
        while self._idle and self._idle[0][0] <= loop.time():
            self._idle.popleft()[1].abort()
        if self._idle:
            self._sweeper = loop.call_at(self._idle[0][0], self._sweep)
