"""The request of an exchange: its state, and its bytes on the way to the model server."""

from typing import final

from driftgauge.http1.framing import Framing, HeaderList
from driftgauge.http1.heads import RequestHead
from driftgauge.http1.states import REQUEST_TRANSITIONS, RequestEvent, RequestState
from driftgauge.http1.writing import request_head

_CHUNKED = Framing.CHUNKED
_COMPLETE = RequestState.COMPLETE
_ON_BODY = REQUEST_TRANSITIONS[RequestEvent.BODY]
_ON_END = REQUEST_TRANSITIONS[RequestEvent.END]


@final
class RequestSide:
    """Frames a request for the model server.

    Args:
        head: Head of the request.
        authority: Host and port of the model server.

    Attributes:
        state: Changed only as `REQUEST_TRANSITIONS` says.
        is_begun: Whether the head was written to a connection.
        pending_bytes: Bytes of the body that were not taken yet.
        whole: The whole request, if it was taken at once; it can be sent again.
    """

    __slots__ = ("_framing", "_pieces", "head", "is_begun", "pending_bytes", "state", "whole")

    def __init__(self, head: RequestHead, authority: str) -> None:
        self.head = head
        self.state = RequestState.EXPECTING if head.expects_continue else RequestState.RECEIVING
        self.is_begun = False
        self.pending_bytes = 0
        self.whole: bytes | None = None
        self._framing = _CHUNKED if head.length is None else Framing.LENGTH
        self._pieces = [request_head(head, authority)]

    def add(self, data: bytes) -> None:
        """Add a piece of the body."""
        self.state = _ON_BODY[self.state]
        self._pieces.append(self._framing.frame(data) if self._framing is _CHUNKED else data)
        self.pending_bytes += len(data)

    def end(self, trailers: HeaderList) -> None:
        """Add the end of the body."""
        self.state = _ON_END[self.state]
        if self._framing is _CHUNKED:
            self._pieces.append(self._framing.end(trailers))

    def stop_expecting(self) -> None:
        """Note that the model server has asked for the body."""
        if self.state is RequestState.EXPECTING:
            self.state = _ON_BODY[self.state]

    def take(self) -> bytes:
        """Return what has come since the last call; may be empty."""
        pieces = self._pieces
        if not pieces:
            return b""
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces, self.pending_bytes = [], 0
        self.whole = data if self.state is _COMPLETE and not self.is_begun else None
        return data

    def rewind(self) -> bool:
        """Prepare to send the request again; returns whether that is possible."""
        if self.whole is None:
            return False
        self._pieces, self.is_begun = [self.whole], False
        return True
