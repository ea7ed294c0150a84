"""What a connection requires of the handler of a request, and the short response that simple handlers write."""

from collections.abc import Mapping
from typing import Protocol, final

from driftgauge.http1.heads import RequestHead
from driftgauge.http1.requests import RequestEvents
from driftgauge.http1.writing import connection_line, own_head


class RequestHandler(RequestEvents, Protocol):
    """Handles one request of a client's connection: an exchange, an event for the logger, or a page of metrics."""

    @property
    def response_started(self) -> bool:
        """Whether any of the final response was given to the client."""

    @property
    def response_sent(self) -> bool:
        """Whether its end was."""

    @property
    def log_fields(self) -> Mapping[str, object]:
        """The ids of the request, for a line of the log."""

    def on_timeout(self) -> None:
        """Respond to a client that sends its body too slowly."""

    def on_client_full(self, *, full: bool) -> None:
        """Handle a client that stops reading the response, or reads again."""

    def on_client_lost(self) -> None:
        """Handle the loss of the client's connection."""

    def on_shutdown(self) -> None:
        """Handle the end of this process."""

    def on_internal_error(self) -> None:
        """Respond after an exception in our code."""


class Client(Protocol):
    """The client's connection, as seen from a short response."""

    @property
    def draining(self) -> bool:
        """Whether the connection must not carry another exchange."""

    def write(self, data: bytes) -> None:
        """Give bytes of the response to the socket."""

    def finish(self, *, keep_alive: bool) -> None:
        """End the exchange; the connection may carry another, or ends."""


@final
class ShortResponse:
    """Writes one response of our own at once, and finishes when the client has read enough of it.

    Args:
        head: Head of the request.
        client: Where the response goes.
    """

    __slots__ = ("_client", "_head", "_is_full", "_keep_alive", "is_written")

    def __init__(self, head: RequestHead, client: Client) -> None:
        self._head = head
        self._client = client
        self._is_full = False
        self._keep_alive = False
        self.is_written = False

    def write(
        self, status: int, content_type: bytes, body: bytes, *, keep_alive: bool = True, more: tuple[bytes, ...] = ()
    ) -> None:
        """Write it; the connection is kept if the client allows it.

        Args:
            status: Its status code.
            content_type: Of the body; empty for a response without a body.
            body: May be empty; not written to a HEAD.
            keep_alive: Whether what the client sends next can be read.
            more: More header lines.
        """
        self._keep_alive = keep_alive and self._head.keep_alive and not self._client.draining
        line = connection_line(keep_alive=self._keep_alive, http11=self._head.http11)
        start = own_head(status, content_type, len(body), line, more)
        self.is_written = True
        self._client.write(start if self._head.method == b"HEAD" else start + body)

    def finish(self) -> None:
        """End the exchange, unless the client does not read: responses that it has not read must not pile up."""
        if not self._is_full:
            self._client.finish(keep_alive=self._keep_alive)

    def on_client_full(self, *, full: bool) -> None:
        """Note whether the client reads, and finish when it does."""
        self._is_full = full
        if self.is_written and not full:
            self.finish()
