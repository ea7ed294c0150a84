"""A client's bytes as requests: one at a time, in order, however they were cut on their way. This file does no I/O."""

from collections.abc import Callable
from typing import Protocol, cast

from driftgauge.http1.bodies import Body, BrokenBodyError, Chunked, KnownLength
from driftgauge.http1.framing import HeaderList
from driftgauge.http1.grammar import CANNOT_BE_HEAD, MAX_HEAD_BYTES, MAX_LINE_BYTES
from driftgauge.http1.heads import RequestHead, read_request
from driftgauge.http1.http_errors import TOO_MUCH, RefusedError

_END = b"\r\n\r\n"
_END_BYTES = len(_END)


class RequestEvents(Protocol):
    """What becomes of one request: it is told of the body, and answers."""

    def request_piece(self, data: bytes) -> None:
        """A piece of the body has come; never an empty one."""

    def request_end(self, trailers: HeaderList) -> None:
        """The body has come whole, with these lines behind it."""

    def request_broken(self) -> None:
        """The framing of the body is malformed."""

    def flush(self) -> None:
        """All that came together has been told."""


class RequestReader:
    """Reads one client's requests; the next one waits until `over` was called for the one before.

    Args:
        handle: Called with each head.
        read: Reads heads, and may know those of other connections.
    """

    __slots__ = (
        "_body",
        "_buffered",
        "_conversation",
        "_handle",
        "_is_advancing",
        "_may_skip",
        "_read",
        "_seen",
        "is_closed",
    )

    def __init__(
        self, handle: Callable[[RequestHead], RequestEvents], read: Callable[[bytes], RequestHead] = read_request
    ) -> None:
        self._handle = handle
        self._conversation: RequestEvents | None = None
        self._read = read
        self._body: Body | None = None
        self._buffered = b""
        self._seen = 0
        self._is_advancing = False
        self._may_skip = True
        self.is_closed = False
        """Whether what comes is thrown away."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait for the answers to those before them."""
        return len(self._buffered)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way, not even the beginning of a head."""
        return self._conversation is None and not self._buffered

    @property
    def is_receiving(self) -> bool:
        """Whether a body has begun and not ended."""
        return self._body is not None

    def feed(self, data: bytes) -> None:
        """Take bytes.

        Raises:
            RefusedError: They are no request; nothing after them can be read.
        """
        if self.is_closed:
            return
        self._buffered = self._buffered + data if self._buffered else data
        self._advance()

    def over(self) -> None:
        """The conversation has ended, and so has the body that it was told of.

        Raises:
            RefusedError: As `feed`, of bytes that had waited.
        """
        self._conversation = None
        if self._buffered:
            self._advance()

    def close(self) -> None:
        """From now on throw away what comes."""
        self.is_closed = True
        self._buffered, self._body, self._conversation = b"", None, None

    def _advance(self) -> None:
        if self._is_advancing:
            return
        self._is_advancing = True
        try:
            while self._buffered and not self.is_closed:
                body = self._body
                if body is not None:
                    goes_on = self._read_body(body)
                else:
                    goes_on = self._conversation is None and self._read_head()
                if not goes_on:
                    break
            if self._conversation is not None:
                self._conversation.flush()
        finally:
            self._is_advancing = False

    def _read_head(self) -> bool:
        data = self._buffered
        end = data.find(_END, self._seen - _END_BYTES if self._seen > _END_BYTES else 0) + _END_BYTES
        if self._may_skip and data.startswith(b"\r\n"):  # RFC 9112 section 2.2 asks for leniency with one empty line
            self._may_skip, self._buffered = False, data[2:]
            return True
        if end < _END_BYTES:
            self._look_at_part(data)
            return False
        self._seen, self._may_skip = 0, True
        head = self._read(data[:end])
        self._buffered = data[end:]
        self._conversation = conversation = self._handle(head)
        length = head.length
        if length is None:
            self._body = Chunked()
        elif length == 0:
            conversation.request_end(())
        elif length == len(data) - end:  # as most: head and body came together, and nothing else
            data, self._buffered = self._buffered, b""
            conversation.request_piece(data)
            conversation.request_end(())
        else:
            self._body = KnownLength(length)
        return True

    def _look_at_part(self, data: bytes) -> None:
        if CANNOT_BE_HEAD.search(data, self._seen and self._seen - 1):
            if data != b"\r":
                raise RefusedError("The request is not valid HTTP/1.1.")
        elif len(data) > MAX_HEAD_BYTES:
            raise RefusedError("The head of the request is too large.", TOO_MUCH)
        elif len(data) > 2 * MAX_LINE_BYTES and b"\r\n" not in data:
            raise RefusedError("The target of the request is too long.")
        self._seen = len(data)

    def _read_body(self, body: Body) -> bool:
        conversation, data = cast("RequestEvents", self._conversation), self._buffered
        self._buffered = b""
        try:
            piece = body.feed(data)
        except BrokenBodyError:
            self.close()
            conversation.request_broken()
            return False
        if piece:
            conversation.request_piece(piece)
        if not body.done:
            return False
        self._body, self._buffered = None, body.rest
        conversation.request_end(body.trailers)
        return True
