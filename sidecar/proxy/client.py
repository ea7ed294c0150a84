"""The clients' side: connections on aiohttp's low-level server, and answers that are written byte by byte."""

import json
import logging
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpVersion11, RawRequestMessage

from sidecar.proxy.heads import LAST_CHUNK, Framing, answer_head

_log = logging.getLogger("sidecar.proxy")

_CHUNKS_END = b"\r\n" + LAST_CHUNK
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class BrokenBodyError(Exception):
    """The framing of a request's body is malformed."""


class ClientLeftError(Exception):
    """The client's connection is gone before its answer was complete."""


class Written(web.StreamResponse):
    """Tells aiohttp that an answer is done, or writes one that we make ourselves.

    Args:
        status: Its status.
        stays: Whether the connection can take another request.
        data: All its bytes, unless they were written before.
    """

    def __init__(self, status: int, *, stays: bool, data: bytes = b"") -> None:
        super().__init__(status=status)
        self._stays = stays
        self._data = data

    @property
    def keep_alive(self) -> bool:
        """Whether the connection stays open."""
        return self._stays

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Writes what has not been written."""
        if self._data:
            await request.writer.write(self._data)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Adds nothing: the end of the answer is among its bytes."""


def error_answer(status: int, sentence: str, *, stays: bool, head_only: bool = False) -> tuple[bytes, bytes]:
    """Head and body of an answer of our own, in KServe's form `{"error": "..."}`.

    Args:
        status: Its status.
        sentence: Why, for a person.
        stays: Whether the connection stays open.
        head_only: Whether it answers a HEAD.
    """
    body = json.dumps({"error": sentence}).encode()
    headers = [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(body))]
    reason = HTTPStatus(status).phrase.encode()
    head = answer_head(status, reason, headers, Framing.LENGTH, None if stays else b"close")
    return head, b"" if head_only else body


class ClientConnection(web.RequestHandler):
    """One connection of a client.

    Args:
        server: Keeps all connections.
        timer: Seconds of a clock that never goes back.
        **limits: As of aiohttp's `web.Server`.
    """

    def __init__(self, server: web.Server, timer: Callable[[], float], **limits: Any) -> None:  # noqa: ANN401 - aiohttp's
        super().__init__(server, **limits)
        self.begun: float | None = None
        self._timer = timer
        self._body: StreamReader | None = None
        self._last_seen = b""

    def begin(self, body: StreamReader) -> float:
        """Note which body is being received; returns when the first byte of its head came."""
        self._body = body
        return self.begun if self.begun is not None else self._timer()

    def end(self) -> None:
        """The exchange is over: the next byte begins another."""
        self._body = None
        self.begun = None

    @property
    def is_busy(self) -> bool:
        """Whether bytes have come whose exchange has not ended."""
        return self.begun is not None or bool(self._messages)

    def reset(self) -> None:
        """End the connection at once, in a way that no client can take for the end of an answer."""
        if self.transport is not None:
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Feeds the parser, and sees to a body with broken chunks, whose reader aiohttp would let wait forever."""
        if self.begun is None:
            self.begun = self._timer()
        self._last_seen = (data if len(data) >= len(_CHUNKS_END) else self._last_seen + data)[-len(_CHUNKS_END) :]
        super().data_received(data)
        body = self._body
        if body is not None and not body.is_eof() and self._parser_failed():
            body.set_exception(BrokenBodyError())

    def can_stay(self, request: web.BaseRequest) -> bool:
        """Whether the connection may take another request after this one, as seen when the answer's head is written.

        Not if the body has not come whole: the client may never send the rest. Not after trailers either: aiohttp
        (3.14) takes them for headers of the next request, so that a stranger behind a shared gateway could add lines
        to the request of another. What ends with the last chunk, and nothing behind it, had none.
        """
        if not request.keep_alive or not request.content.is_eof():
            return False
        chunked = "Transfer-Encoding" in request.headers
        return not chunked or (not self._messages and self._last_seen in {_CHUNKS_END, LAST_CHUNK})

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - aiohttp's signature; the text quotes the client's bytes
    ) -> web.StreamResponse:
        """Answers a request that cannot be parsed, or one that met a fault of ours, in the form of all our errors."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("an exchange met a fault of the proxy", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun, nothing else can be said")
        sentence = "The request is not valid HTTP/1.1." if status < 500 else "The proxy met an error."  # noqa: PLR2004
        return Written(status, stays=False, data=b"".join(error_answer(status, sentence, stays=False)))

    def _parser_failed(self) -> bool:
        return bool(self._messages) and not isinstance(self._messages[-1][0], RawRequestMessage)


class ClientServer(web.Server):
    """Makes a `ClientConnection` for each client; takes the arguments of aiohttp's `web.Server`.

    Args:
        handler: Answers a request.
        timer: Seconds of a clock that never goes back.
        **limits: As of `web.Server`.
    """

    def __init__(self, handler: Any, timer: Callable[[], float], **limits: Any) -> None:  # noqa: ANN401 - aiohttp's
        super().__init__(handler, handler_cancellation=True)
        self._timer = timer
        self._limits = limits

    def __call__(self) -> ClientConnection:
        """A connection that was just accepted."""
        return ClientConnection(self, self._timer, loop=self._loop, **self._limits)


class Client:
    """The client of one exchange, as far as it is written to.

    Args:
        request: What it asked.
        connection: Where it asked.
    """

    def __init__(self, request: web.BaseRequest, connection: ClientConnection) -> None:
        self._request = request
        self._connection = connection
        self.understands_chunks = request.version >= HttpVersion11
        expects = request.headers.get("Expect", "").lower() == "100-continue"
        self.expects_continue = expects and self.understands_chunks
        self.spoken_to = False

    def say_continue(self) -> None:
        """Pass on the model server's wish for the body, if the client waits for that and has not sent it."""
        if self.expects_continue and not self._request.content.is_eof():
            self._transport().write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def say(self, data: bytes) -> None:
        """Give bytes of the answer to the socket.

        Raises:
            ClientLeftError: The connection is gone.
        """
        if not data:
            return
        self.spoken_to = True
        self._request.writer.output_size += len(data)
        self._transport().write(data)

    async def drain(self) -> None:
        """Wait while the client does not read.

        Raises:
            ClientLeftError: The connection is gone.
        """
        try:
            await self._request.writer.drain()
        except ConnectionError as error:
            raise ClientLeftError from error

    def connection_line(self, *, stays: bool) -> bytes | None:
        """Value of our own `Connection` line; `None` where the version says it."""
        if stays:
            return None if self.understands_chunks else b"keep-alive"
        return b"close" if self.understands_chunks else None

    def break_off(self, framing: Framing) -> None:
        """End the connection within an answer, so that what was sent cannot be taken for all."""
        if framing is Framing.CLOSE:
            self._connection.reset()
        else:
            self._transport().close()

    def _transport(self) -> Any:  # noqa: ANN401
        transport = self._connection.transport
        if transport is None or transport.is_closing():
            raise ClientLeftError
        return transport
