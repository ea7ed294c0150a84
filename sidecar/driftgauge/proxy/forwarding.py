"""The two messages of an exchange: the state of each, and its bytes on their way to the other side.

Neither knows the exchange or a connection: bytes are added as they come, and taken when they can be written.
"""

from http import HTTPStatus
from typing import Final, final

from driftgauge.http1.grammar import Framing, HeaderList
from driftgauge.http1.heads import RequestHead, ResponseHead
from driftgauge.http1.states import (
    REQUEST_TRANSITIONS,
    RESPONSE_TRANSITIONS,
    RequestEvent,
    RequestState,
    ResponseEvent,
    ResponseState,
)
from driftgauge.http1.writing import (
    connection_line,
    error_response,
    forwarded_raw,
    is_forwarded_unchanged,
    request_head,
    response_framing,
    response_head,
)
from driftgauge.proxy.failures import ExchangeError

_CHUNKED: Final = Framing.CHUNKED
_COMPLETE: Final = RequestState.COMPLETE
_ON_REQUEST_BODY: Final = REQUEST_TRANSITIONS[RequestEvent.BODY]
_ON_REQUEST_END: Final = REQUEST_TRANSITIONS[RequestEvent.END]
_ON_WRITE: Final = RESPONSE_TRANSITIONS[ResponseEvent.WRITE]
_ON_RESPONSE_END: Final = RESPONSE_TRANSITIONS[ResponseEvent.END]
_INTERNAL_SERVER_ERROR: Final = int(HTTPStatus.INTERNAL_SERVER_ERROR)


@final
class RequestSide:
    """Frames a request for the model server.

    Args:
        head: Head of the request.
        authority: Host and port of the model server.
        pseudonym: What the `Via` line calls this proxy; empty for none.

    Attributes:
        state: Changed only as `REQUEST_TRANSITIONS` says.
        is_begun: Whether the head was written to a connection.
        pending_bytes: Bytes of the body that were not taken yet.
        whole: The whole request, if it was taken at once; it can be sent again.
    """

    __slots__ = ("_framing", "_pieces", "head", "is_begun", "pending_bytes", "state", "whole")

    def __init__(self, head: RequestHead, authority: str, pseudonym: bytes = b"") -> None:
        self.head = head
        self.state = RequestState.EXPECTING if head.expects_continue else RequestState.RECEIVING
        self.is_begun = False
        self.pending_bytes = 0
        self.whole: bytes | None = None
        self._framing = _CHUNKED if head.length is None else Framing.LENGTH
        self._pieces = [request_head(head, authority, pseudonym)]

    def add(self, data: bytes) -> None:
        """Add a piece of the body."""
        self.state = _ON_REQUEST_BODY[self.state]
        self._pieces.append(self._framing.frame(data) if self._framing is _CHUNKED else data)
        self.pending_bytes += len(data)

    def end(self, trailers: HeaderList) -> None:
        """Add the end of the body."""
        self.state = _ON_REQUEST_END[self.state]
        if self._framing is _CHUNKED:
            self._pieces.append(self._framing.end(trailers))

    def stop_expecting(self) -> None:
        """Note that the model server has asked for the body."""
        if self.state is RequestState.EXPECTING:
            self.state = _ON_REQUEST_BODY[self.state]

    def take(self) -> bytes:
        """Return what has come since the last call; may be empty."""
        pieces = self._pieces
        if not pieces:
            return b""
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces, self.pending_bytes = [], 0
        self.whole = data if self.state is _COMPLETE and not self.is_begun else None
        return data

    def rewind(self) -> None:
        """Prepare to send the whole request again, if it was taken at once."""
        if self.whole is not None:
            self._pieces, self.is_begun = [self.whole], False


@final
class ResponseSide:
    """Frames a response for the client.

    Args:
        request: Head of the request.

    Attributes:
        state: Changed only as `RESPONSE_TRANSITIONS` says.
        status: Status code of the exchange.
        keep_alive: Whether the client's connection can carry another exchange after this response.
        has_pending: Whether there are bytes to take.
    """

    __slots__ = ("_framing", "_pieces", "_request", "keep_alive", "state", "status")

    def __init__(self, request: RequestHead) -> None:
        self.state = ResponseState.NEW
        self.status = _INTERNAL_SERVER_ERROR
        self.keep_alive = False
        self._request = request
        self._framing = Framing.NONE
        self._pieces: list[bytes] = []

    @property
    def has_pending(self) -> bool:
        """Whether bytes were added and not taken."""
        return bool(self._pieces)

    @property
    def is_ended_by_close(self) -> bool:
        """Whether the client finds the end of the body at the end of the connection."""
        return self._framing is Framing.CLOSE

    def begin(self, head: ResponseHead, *, keep_alive: bool) -> None:
        """Add the head of the final response.

        Args:
            head: As received.
            keep_alive: Whether request and process allow another exchange on the client's connection.
        """
        http11, method = self._request.http11, self._request.method
        self.status = head.status
        if keep_alive and http11 and is_forwarded_unchanged(head, method):  # the common case
            self.keep_alive = True
            self._framing = Framing.LENGTH
            self._pieces.append(forwarded_raw(head))
            return
        self._framing = framing = response_framing(method, head, http11=http11)
        self.keep_alive = keep_alive and framing is not Framing.CLOSE
        self._pieces.append(response_head(head, framing, connection_line(keep_alive=self.keep_alive, http11=http11)))

    def add(self, data: bytes) -> None:
        """Add a piece of the body."""
        self._pieces.append(self._framing.frame(data) if self._framing is _CHUNKED else data)

    def take(self) -> bytes:
        """Return what was added since the last call; more is to come."""
        self.state = _ON_WRITE[self.state]
        return self._take()

    def end(self, trailers: HeaderList) -> bytes:
        """Return what was added since the last call, and the end of the body."""
        self.state = _ON_RESPONSE_END[self.state]
        if self._framing is _CHUNKED:
            self._pieces.append(self._framing.end(trailers))
        return self._take()

    def replace(self, error: ExchangeError, *, keep_alive: bool) -> tuple[bytes, bytes]:
        """Put an error response in place of what was added; returns its bytes for the client, and its body."""
        self.state = _ON_RESPONSE_END[self.state]
        self.status = error.status
        self.keep_alive = keep_alive
        self._pieces = []
        head, body = error_response(error.status, error.sentence, keep_alive=keep_alive, http11=self._request.http11)
        return head if self._request.method == b"HEAD" else head + body, body

    def _take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
