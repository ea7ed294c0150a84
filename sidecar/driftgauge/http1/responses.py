"""A model server's bytes as the answer to one request. This file does no I/O."""

from collections.abc import Callable
from typing import Protocol

from driftgauge.http1.bodies import Body, BrokenBodyError, Chunked, KnownLength, UntilClose
from driftgauge.http1.framing import HeaderList
from driftgauge.http1.grammar import CANNOT_BE_HEAD, MAX_HEAD_BYTES
from driftgauge.http1.heads import ResponseHead, read_response
from driftgauge.http1.http_errors import BadResponseError

_END = b"\r\n\r\n"
_END_BYTES = len(_END)
_SWITCHING = 101


class ResponseEvents(Protocol):
    """Who waits for an answer."""

    def response_head(self, head: ResponseHead) -> None:
        """A head has come: of the answer, or of a word before it."""

    def response_piece(self, data: bytes) -> None:
        """A piece of the body has come; never an empty one."""

    def response_end(self, trailers: HeaderList) -> None:
        """The answer has come whole, with these lines behind it."""

    def response_flush(self) -> None:
        """All that came together has been told."""


class ResponseReader:
    """Reads the answers on one connection, one for each request, and the words before them.

    Args:
        read: Reads heads, and may know those of other connections.
    """

    __slots__ = ("_body", "_buffered", "_keeps", "_method", "_read", "_receiver", "_seen", "done")

    def __init__(self, read: Callable[[bytes], ResponseHead] = read_response) -> None:
        self._read = read
        self._method = b""
        self._receiver: ResponseEvents | None = None
        self._buffered = b""
        self._seen = 0
        self._body: Body | None = None
        self._keeps = False
        self.done = True

    def expect(self, method: bytes, receiver: ResponseEvents) -> None:
        """From now on what comes is the answer to a new request.

        Args:
            method: Of the request, since the answer to a HEAD has no body.
            receiver: Is told of it.
        """
        self._method = method
        self._receiver = receiver
        self._body = None
        self._keeps = self.done = False

    def forget(self) -> None:
        """Tell nobody what comes."""
        self._receiver = None

    @property
    def leaves_open(self) -> bool:
        """Whether the connection can carry another answer behind this one."""
        return self.done and self._keeps and not self._buffered

    def feed(self, data: bytes) -> None:
        """Take bytes.

        Raises:
            BadResponseError: They are no answer.
        """
        self._buffered = self._buffered + data if self._buffered else data
        while self._buffered and not self.done:
            body = self._body
            if not (self._read_head() if body is None else self._read_body(body)):
                break
        if not self.done and self._receiver is not None:
            self._receiver.response_flush()

    def end(self) -> None:
        """The connection has ended well.

        Raises:
            BadResponseError: The answer has not.
        """
        if self.done:
            return
        if self._body is None or not self._body.is_ended_by_close:
            raise BadResponseError("the connection ended before the answer")
        self._end(())

    def _read_head(self) -> bool:
        data = self._buffered
        end = data.find(_END, self._seen - _END_BYTES if self._seen > _END_BYTES else 0) + _END_BYTES
        if end < _END_BYTES:
            if len(data) > MAX_HEAD_BYTES or CANNOT_BE_HEAD.search(data, self._seen and self._seen - 1):
                raise BadResponseError("the head is not HTTP/1.1")
            self._seen = len(data)
            return False
        head = self._read(data[:end])
        self._buffered, self._seen = data[end:], 0
        if head.status == _SWITCHING:
            raise BadResponseError("it changed the protocol without being asked")
        receiver = self._receiver
        if receiver is None:
            return False
        if head.is_final:
            self._begin(head, receiver)
        else:
            receiver.response_head(head)
        return True

    def _begin(self, head: ResponseHead, receiver: ResponseEvents) -> None:
        buffered = self._buffered
        if buffered and head.length == len(buffered) and head.has_body(self._method):
            # As most: head and body came together, and nothing else.
            self._buffered, self._keeps = b"", head.keeps
            receiver.response_head(head)
            if self._receiver is not None:
                receiver.response_piece(buffered)
            self._end(())
            return
        body = self._body = _body_of(head, self._method)
        self._keeps = head.keeps and not body.is_ended_by_close
        receiver.response_head(head)
        if body.done:
            self._end(())

    def _read_body(self, body: Body) -> bool:
        data, self._buffered = self._buffered, b""
        try:
            piece = body.feed(data)
        except BrokenBodyError as error:
            raise BadResponseError(str(error)) from None
        if piece and self._receiver is not None:
            self._receiver.response_piece(piece)
        if body.done:
            self._buffered = body.rest
            self._end(body.trailers)
        return False

    def _end(self, trailers: HeaderList) -> None:
        self.done = True
        if self._receiver is not None:
            self._receiver.response_end(trailers)


def _body_of(head: ResponseHead, method: bytes) -> Body:
    if not head.has_body(method):
        return KnownLength(0)
    if head.chunked:
        return Chunked()
    return UntilClose() if head.length is None else KnownLength(head.length)
