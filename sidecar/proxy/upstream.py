"""The connections to the model server: opened, kept for a while, used again, never shared."""

import asyncio
import select
import ssl
from collections import deque
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from aiohttp import ClientError, StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError, RawResponseMessage, StreamWriter

from sidecar.errors import ConfigError
from sidecar.proxy.limits import MAX_FIELD_BYTES, MAX_FIELDS, MAX_LINE_BYTES, READ_BYTES

IDLE_SECONDS = 3.0
"""How long an unused connection is kept. uvicorn, which most model servers run on, closes after 5 s, and a POST
that meets a connection closing must not be sent again: ours have to be the first to close."""

_CONNECT_SECONDS = 10.0
_REACHABLE_SECONDS = 1.0
_TURNS = 2
"""Turns of the loop until it has read what it could have read: one to be told, one to read."""

_CONTINUE = 100
_SWITCHING = 101
_FIRST_FINAL = 200


class ExchangeError(Exception):
    """An exchange failed, and the client is told so if nothing of an answer has reached it.

    Args:
        status: What the client is told: 502, 504, or 400 if the fault is its own.
        sentence: Why, for a person.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


TROUBLE = (OSError, ClientError, HttpProcessingError)
"""What reading from and writing to a model server raises; `TimeoutError` is an `OSError`."""


class Answer(NamedTuple):
    """A final answer: its head, and its body as it arrives."""

    head: RawResponseMessage
    body: StreamReader


class Link(ResponseHandler):
    """One connection to the model server, which serves one exchange at a time.

    Args:
        loop: The running loop.
        on_lost: Called with the link when its connection is gone.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_lost: Callable[["Link"], None]) -> None:
        super().__init__(loop)
        self.reused = False
        self._on_lost = on_lost
        self._writer = StreamWriter(self, loop)

    def begin(self, method: str) -> None:
        """Expect the answer to a request of this method."""
        self._payload = None  # the last answer's body, whose end would be taken for this one's: no silence limit then
        self.set_response_params(
            skip_payload=method == "HEAD",
            read_until_eof=True,
            auto_decompress=False,
            read_timeout=None,
            read_bufsize=READ_BYTES,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_FIELD_BYTES,
            max_headers=MAX_FIELDS,
        )

    def write(self, data: bytes) -> None:
        """Give bytes to the socket.

        Raises:
            ConnectionError: The connection is gone.
        """
        if self.transport is None or self.transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        self.transport.write(data)

    async def hear(self) -> None:
        """Let the loop read what has come, before more is written.

        A model server may answer and close while it is still being sent a body. Writing to it then fails, and with the
        connection asyncio would throw away the answer that it has not read.
        """
        if not self._reading_paused and self._has_unread():
            for _ in range(_TURNS):
                await asyncio.sleep(0)

    async def drain(self, stall_seconds: float) -> None:
        """Wait while the model server does not read.

        Raises:
            ConnectionError: The connection is gone.
            TimeoutError: It read nothing for `stall_seconds`.
        """
        if self.writing_paused:
            async with asyncio.timeout(stall_seconds):
                await self._writer.drain()

    def limit_silence(self, seconds: float | None) -> None:
        """From now on allow this much silence, or any; a body that is complete or held back by us is not silent."""
        self.read_timeout = seconds
        done = self._payload is not None and self._payload.is_eof()
        if not done and not self._reading_paused:
            self.start_timeout()

    async def answer(self, on_continue: Callable[[], None]) -> Answer:
        """The final answer; interim ones are swallowed, but `100` is told.

        Raises:
            OSError, ClientError, HttpProcessingError: There is none, see `TROUBLE`.
        """
        while True:
            head, body = await self.read()
            if head.code >= _FIRST_FINAL:
                return Answer(head, body)
            if head.code == _SWITCHING:
                raise ClientError("it changed the protocol without being asked")
            if head.code == _CONTINUE:
                on_continue()

    def fail(self, error: Exception) -> None:
        """Make whoever reads from this link see the error."""
        body = self._payload
        self.set_exception(error)
        if body is not None and not body.is_eof():
            body.set_exception(error)

    @property
    def is_quiet(self) -> bool:
        """Whether it can carry another exchange: open, and nothing unread on it, not even the end of the connection."""
        return not self.should_close and self.is_connected() and not self._has_unread()

    def _has_unread(self) -> bool:
        if self.transport is None or self.transport.is_closing():
            return False
        poll = select.poll()
        poll.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def connection_lost(self, exc: BaseException | None) -> None:
        """A reset in a body that ends with its connection is no end; aiohttp would take it for one."""
        body = self._payload
        if exc is not None and body is not None and not body.is_eof():
            body.set_exception(exc)
        super().connection_lost(exc)
        self._on_lost(self)


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
        self._links: set[Link] = set()
        self._idle: deque[tuple[float, Link]] = deque()
        self._sweeper: asyncio.TimerHandle | None = None

    async def link(self) -> Link:
        """A connection that nobody uses: an idle one, else a new one.

        Raises:
            ExchangeError: No connection could be made.
        """
        while self._idle:
            link = self._idle.pop()[1]
            if link.is_quiet:
                link.reused = True
                return link
            link.abort()
        return await self._connect()

    def release(self, link: Link) -> None:
        """Keep the connection of an exchange that ended well, if it can be used again."""
        if not link.is_quiet:
            link.abort()
            return
        loop = asyncio.get_running_loop()
        self._idle.append((loop.time() + self._idle_seconds, link))
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._idle_seconds, self._sweep)

    def trouble(self, error: Exception) -> ExchangeError:
        """What the client is told of an error in an exchange."""
        if isinstance(error, ExchangeError):
            return error
        if isinstance(error, TimeoutError):
            return ExchangeError(504, f"The model server at {self.authority} did not answer in time.")
        return ExchangeError(502, f"The model server at {self.authority} broke off.")

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
        gone = [closed for link in self._links if (closed := link.closed) is not None]
        for link in list(self._links):
            link.abort()
        await asyncio.gather(*gone, return_exceptions=True)

    async def _connect(self) -> Link:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(min(_CONNECT_SECONDS, self.timeout_seconds)):
                _, link = await loop.create_connection(
                    lambda: Link(loop, self._links.discard), self._host, self._port, ssl=self._tls
                )
        except TimeoutError as error:
            raise ExchangeError(504, f"The model server at {self.authority} did not accept a connection.") from error
        except OSError as error:
            raise ExchangeError(502, f"The model server at {self.authority} cannot be reached.") from error
        self._links.add(link)
        return link

    def _sweep(self) -> None:
        """Close what has been idle too long; the newest stand at the right end."""
        loop = asyncio.get_running_loop()
        self._sweeper = None
        while self._idle and self._idle[0][0] <= loop.time():
            self._idle.popleft()[1].abort()
        if self._idle:
            self._sweeper = loop.call_at(self._idle[0][0], self._sweep)
