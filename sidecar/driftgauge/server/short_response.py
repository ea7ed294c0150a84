"""The end of a talk that answers by itself, in a few bytes: said once, and over when the client has read enough."""

from typing import Protocol

from driftgauge.http1.heads import RequestHead
from driftgauge.http1.writing import connection_line, own_head
from driftgauge.server.listener import DrainState


class Client(Protocol):
    """The client's connection, as such a talk sees it."""

    def say(self, data: bytes) -> None:
        """Give bytes of the answer to the socket."""

    def over(self, *, stays: bool) -> None:
        """The exchange has ended; the connection may carry another, or ends."""


class ShortResponse:
    """Says one answer.

    Args:
        head: The request's.
        client: Who asked.
        closing: Whether clients are asked to leave.
    """

    __slots__ = ("_client", "_closing", "_head", "_is_full", "_stays", "is_said")

    def __init__(self, head: RequestHead, client: Client, closing: DrainState) -> None:
        self._head = head
        self._client = client
        self._closing = closing
        self._is_full = False
        self._stays = False
        self.is_said = False

    def say(self, status: int, content_type: bytes, body: bytes, *, stays: bool = True) -> None:
        """Say it; the connection stays if it may.

        Args:
            status: Its status.
            content_type: Of the body; without a body it is not told.
            body: Perhaps empty; not said to a HEAD.
            stays: Whether what the client sends next can be read.
        """
        self._stays = stays and self._head.keeps and not self._closing.draining
        line = connection_line(stays=self._stays, http11=self._head.http11)
        start = own_head(status, content_type, len(body), line)
        self.is_said = True
        self._client.say(start if self._head.method == b"HEAD" else start + body)

    def end(self) -> None:
        """The talk is over, unless the client does not read: what it has not read must not pile up."""
        if not self._is_full:
            self._client.over(stays=self._stays)

    def client_full(self, *, full: bool) -> None:
        """The client does not read, or reads again."""
        self._is_full = full
        if self.is_said and not full:
            self.end()
