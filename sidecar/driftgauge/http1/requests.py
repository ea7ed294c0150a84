"""Reads a client's bytes as requests: one at a time and in order, however the network cut them."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Protocol, final

from driftgauge.http1.bodies import Body, Chunked, KnownLength
from driftgauge.http1.grammar import (
    CANNOT_BE_HEAD,
    CHUNKS_PER_TURN,
    MAX_HEAD_BYTES,
    REQUESTS_PER_TURN,
    BrokenBodyError,
    HeaderList,
    RefusedError,
)
from driftgauge.http1.head_parser import check_target_length, read_request
from driftgauge.http1.heads import RequestHead

_END: Final = b"\r\n\r\n"
_END_BYTES: Final = len(_END)


class RequestEvents(Protocol):
    """Handles one request: is called with the parts of its body."""

    def on_body(self, data: bytes) -> None:
        """Handle a piece of the body, which is never empty."""

    def on_request_end(self, trailers: HeaderList) -> None:
        """Handle the end of the body, and the trailer lines after it."""

    def on_framing_error(self) -> None:
        """Handle a body whose framing is malformed; no more of it is read."""

    def flush(self) -> None:
        """Forward what was handled: all events of one read have been reported."""


@final
class RequestReader:
    """Reads one client's requests; each waits until `finish_request` was called for the one before it.

    One call reads at most `REQUESTS_PER_TURN` heads or `CHUNKS_PER_TURN` chunks. Then
    `is_behind` is set, and the owner calls `feed` without bytes in a later turn of the event loop.

    Args:
        on_head: Called with each head; returns the handler of the request.
        read: Parses heads; may share a cache with other connections.
    """

    __slots__ = (
        "_body",
        "_buffered",
        "_handler",
        "_is_advancing",
        "_may_skip",
        "_on_head",
        "_read",
        "_requests_left",
        "_seen",
        "is_behind",
        "is_closed",
    )

    def __init__(
        self, on_head: Callable[[RequestHead], RequestEvents], read: Callable[[bytes], RequestHead] = read_request
    ) -> None:
        self._on_head = on_head
        self._handler: RequestEvents | None = None
        self._read = read
        self._body: Body | None = None
        self._buffered = b""
        self._seen = 0
        self._requests_left = REQUESTS_PER_TURN
        self._is_advancing = False
        self._may_skip = True
        self.is_behind = False
        """Whether bytes wait that could be read, since the work of one turn of the event loop is done."""
        self.is_closed = False
        """Whether further bytes are discarded."""

    @property
    def waiting_bytes(self) -> int:
        """Number of bytes that wait for the responses to the requests before them."""
        return len(self._buffered)

    @property
    def is_idle(self) -> bool:
        """Whether there is no request, not even the beginning of a head."""
        return self._handler is None and not self._buffered

    @property
    def is_receiving(self) -> bool:
        """Whether a request body has begun and not ended."""
        return self._body is not None

    def feed(self, data: bytes) -> None:
        """Read bytes, after those that waited for another turn of the event loop.

        Raises:
            RefusedError: They are not a request; nothing after them can be read.
        """
        if self.is_closed:
            return
        self._buffered = self._buffered + data if self._buffered else data
        self._advance()

    def finish_request(self) -> None:
        """Release the handler, and read the next request if its bytes have come.

        Raises:
            RefusedError: As `feed`, for bytes that had waited.
        """
        self._handler = None
        if self._buffered:
            self._advance()

    def close(self) -> None:
        """Discard all further bytes."""
        self.is_closed, self.is_behind = True, False
        self._buffered, self._body, self._handler = b"", None, None

    def _advance(self) -> None:
        if self._is_advancing:
            return
        self._is_advancing, self.is_behind = True, False
        self._requests_left = REQUESTS_PER_TURN
        try:
            while self._buffered and not self.is_closed and self._read_next():
                pass
            if self._handler is not None:
                self._handler.flush()
        finally:
            self._is_advancing = False

    def _read_next(self) -> bool:
        """Read a head, or some of a body; returns whether there may be more to read now."""
        body = self._body
        if body is not None:
            return self._read_body(body)
        if self._handler is not None:
            return False
        if self._requests_left <= 0:
            self.is_behind = True
            return False
        self._requests_left -= 1
        return self._read_head()

    def _read_head(self) -> bool:
        data = self._buffered
        end = data.find(_END, self._seen - _END_BYTES if self._seen > _END_BYTES else 0) + _END_BYTES
        if self._may_skip and data.startswith(b"\r\n"):  # RFC 9112 section 2.2 asks to ignore one empty line
            self._may_skip, self._buffered = False, data[2:]
            return True
        if end < _END_BYTES:
            self._check_part(data)
            return False
        self._seen, self._may_skip = 0, True
        head = self._read(data[:end])
        self._buffered = data[end:]
        self._handler = handler = self._on_head(head)
        length = head.length
        if length is None:
            self._body = Chunked()
        elif length == 0:
            handler.on_request_end(())
        elif length == len(data) - end:  # the common case: head and body came together
            data, self._buffered = self._buffered, b""
            handler.on_body(data)
            handler.on_request_end(())
        else:
            self._body = KnownLength(length)
        return True

    def _check_part(self, data: bytes) -> None:
        if CANNOT_BE_HEAD.search(data, self._seen and self._seen - 1) and data != b"\r":
            raise RefusedError("The request is not valid HTTP/1.1.")
        check_target_length(data)
        if len(data) > MAX_HEAD_BYTES:
            raise RefusedError("The head of the request is too large.", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        self._seen = len(data)

    def _read_body(self, body: Body) -> bool:
        handler, data, self._buffered = self._handler, self._buffered, b""
        if handler is None:
            return False
        try:
            piece = body.feed(data)
        except BrokenBodyError:
            self.close()
            handler.on_framing_error()
            return False
        self._buffered = body.rest
        if piece:
            handler.on_body(piece)
        if not body.done:
            self.is_behind = bool(self._buffered)
            return False
        self._body = None
        if type(body) is Chunked:
            # Chunks count as requests, so that many short bodies in chunks are no more work than one long one.
            self._requests_left -= (CHUNKS_PER_TURN - body.chunks_left) * REQUESTS_PER_TURN // CHUNKS_PER_TURN
        handler.on_request_end(body.trailers)
        return True
