"""Reads a model server's bytes as responses, one for each request."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Protocol, final

from driftgauge.http1.bodies import Body, Chunked, KnownLength, UntilClose
from driftgauge.http1.grammar import (
    CANNOT_BE_HEAD,
    MAX_HEAD_BYTES,
    MAX_INTERIM_RESPONSES,
    BadResponseError,
    BrokenBodyError,
    HeaderList,
    InterimResponsesError,
)
from driftgauge.http1.head_parser import read_response
from driftgauge.http1.heads import ResponseHead

_END: Final = b"\r\n\r\n"
_END_BYTES: Final = len(_END)
_SWITCHING_PROTOCOLS: Final = int(HTTPStatus.SWITCHING_PROTOCOLS)


class ResponseEvents(Protocol):
    """Handles one response: is called with its parts."""

    def on_response_head(self, head: ResponseHead) -> None:
        """Handle a head: of an interim response (1xx) or of the final one."""

    def on_response_body(self, data: bytes) -> None:
        """Handle a piece of the body, which is never empty."""

    def on_response_end(self, trailers: HeaderList) -> None:
        """Handle the end of the response, and the trailer lines after it."""

    def flush_response(self) -> None:
        """Forward what was handled: all events of one read have been reported, and more are to come."""


@final
class ResponseReader:
    """Reads the responses on one connection: one final response for each request, and interim ones before it.

    One call reads at most `CHUNKS_PER_TURN` chunks. Then `is_behind` is set, and the owner calls `feed` without bytes
    in a later turn of the event loop.

    Args:
        read: Parses heads; may share a cache with other connections.
    """

    __slots__ = (
        "_body",
        "_buffered",
        "_handler",
        "_interims",
        "_keep_alive",
        "_method",
        "_read",
        "_seen",
        "done",
        "is_behind",
    )

    def __init__(self, read: Callable[[bytes], ResponseHead] = read_response) -> None:
        self._read = read
        self._method = b""
        self._handler: ResponseEvents | None = None
        self._buffered = b""
        self._seen = 0
        self._body: Body | None = None
        self._keep_alive = False
        self._interims = 0
        self.done = True
        self.is_behind = False
        """Whether bytes wait that could be read, since the work of one turn of the event loop is done."""

    def expect(self, method: bytes, handler: ResponseEvents) -> None:
        """Read the following bytes as the response to a new request.

        Args:
            method: Of the request, since the response to a HEAD has no body.
            handler: Handles the response.
        """
        self._method = method
        self._handler = handler
        self._body = None
        self._interims = 0
        self._keep_alive = self.done = False

    def forget(self) -> None:
        """Report nothing more."""
        self._handler = None
        self.is_behind = False

    @property
    def leaves_open(self) -> bool:
        """Whether the connection can carry another exchange after this response."""
        return self.done and self._keep_alive and not self._buffered

    def feed(self, data: bytes) -> None:
        """Read bytes, after those that waited for another turn of the event loop.

        Raises:
            BadResponseError: They are not a response.
        """
        self._buffered = self._buffered + data if self._buffered else data
        self.is_behind = False
        while self._buffered and not self.done:
            body = self._body
            if not (self._read_head() if body is None else self._read_body(body)):
                break
        if not self.done and self._handler is not None:
            self._handler.flush_response()

    def end(self) -> None:
        """Handle the regular end of the connection.

        Raises:
            BadResponseError: The response is not complete.
        """
        if self.done:
            return
        if self._body is None or not self._body.is_ended_by_close:
            raise BadResponseError("the connection ended before the response")
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
        if head.status == _SWITCHING_PROTOCOLS:
            raise BadResponseError("it switched protocols without being asked")
        handler = self._handler
        if handler is None:
            return False
        if head.is_final:
            self._begin(head, handler)
        else:
            self._interims += 1
            if self._interims > MAX_INTERIM_RESPONSES:
                raise InterimResponsesError("there are too many interim responses")
            handler.on_response_head(head)
        return True

    def _begin(self, head: ResponseHead, handler: ResponseEvents) -> None:
        buffered = self._buffered
        if buffered and head.length == len(buffered) and head.has_body(self._method):
            # The common case: head and body came together.
            self._buffered, self._keep_alive = b"", head.keep_alive
            handler.on_response_head(head)
            if self._handler is not None:
                handler.on_response_body(buffered)
            self._end(())
            return
        body = self._body = _body_of(head, self._method)
        self._keep_alive = head.keep_alive and not body.is_ended_by_close
        handler.on_response_head(head)
        if body.done:
            self._end(())

    def _read_body(self, body: Body) -> bool:
        data, self._buffered = self._buffered, b""
        try:
            piece = body.feed(data)
        except BrokenBodyError as error:
            raise BadResponseError(str(error)) from None
        self._buffered = body.rest
        if piece and self._handler is not None:
            self._handler.on_response_body(piece)
        if body.done:
            self._end(body.trailers)
        else:
            self.is_behind = bool(self._buffered) and self._handler is not None
        return False

    def _end(self, trailers: HeaderList) -> None:
        self.done = True
        if self._handler is not None:
            self._handler.on_response_end(trailers)


def _body_of(head: ResponseHead, method: bytes) -> Body:
    if not head.has_body(method):
        return KnownLength(0)
    if head.chunked:
        return Chunked()
    return UntilClose() if head.length is None else KnownLength(head.length)
