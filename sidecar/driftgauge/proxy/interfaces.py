"""What an exchange needs of the two connections, of the connection pool and of the log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from driftgauge.http1.grammar import HeaderMap
from driftgauge.http1.responses import ResponseEvents
from driftgauge.proxy.failures import ExchangeError
from driftgauge.proxy.resending import Resending


class ClientWriter(Protocol):
    """The client's connection, as seen from an exchange."""

    @property
    def draining(self) -> bool:
        """Whether the connection must not carry another exchange."""

    def write(self, data: bytes) -> None:
        """Give bytes of the response to the socket."""

    def pause_reading(self) -> None:
        """Read no more of the request for now."""

    def resume_reading(self) -> None:
        """Continue to read the request."""

    def finish(self, *, keep_alive: bool) -> None:
        """End the exchange; the connection may carry another, or ends."""

    def abort(self, *, reset: bool) -> None:
        """End the connection within a response, so that what was sent does not look complete."""


class UpstreamWriter(Protocol):
    """The connection to the model server, as seen from an exchange."""

    @property
    def is_reused(self) -> bool:
        """Whether it carried an exchange before this one."""

    @property
    def is_silent(self) -> bool:
        """Whether no byte has come since this exchange began."""

    @property
    def is_acknowledged(self) -> bool:
        """Whether it ended after the model server's system had acknowledged bytes of this exchange."""

    def begin(self, method: bytes, handler: "ResponseHandler") -> None:
        """Expect the response to a request."""

    def write(self, data: bytes) -> bool:
        """Give bytes to the socket; returns whether the connection took them, or buffers them."""

    def pause_reading(self) -> None:
        """Read no more of the response for now."""

    def resume_reading(self) -> None:
        """Continue to read the response."""

    def limit_silence(self, seconds: float | None) -> None:
        """Fail after that long without a byte, or never."""

    def abort(self) -> None:
        """End the connection at once, and report nothing more."""


class ResponseHandler(ResponseEvents, Protocol):
    """Uses a connection to the model server for one exchange."""

    @property
    def log_fields(self) -> Mapping[str, object]:
        """The ids of the request, for a line of the log."""

    def on_upstream_error(self, error: Exception) -> None:
        """Handle the loss of the connection, or bytes that are not a response."""

    def on_upstream_full(self, *, full: bool) -> None:
        """Handle a model server that stops reading the request, or reads again."""

    def on_internal_error(self) -> None:
        """Handle an exception in our code."""


class ConnectWaiter(Protocol):
    """Waits for a connection to the model server."""

    @property
    def log_fields(self) -> Mapping[str, object]:
        """The ids of the request, for a line of the log."""

    def on_connected(self, upstream: UpstreamWriter) -> None:
        """Use the connection."""

    def on_upstream_error(self, error: Exception) -> None:
        """Handle that no connection could be made."""

    def on_internal_error(self) -> None:
        """Handle an exception in our code."""


class Pool(Protocol):
    """The connections to the model server."""

    def take(self) -> UpstreamWriter | None:
        """Return an idle connection that is open, or `None`."""

    def request_connection(self, waiter: ConnectWaiter) -> None:
        """Open a new connection for the waiter."""

    def forget(self, waiter: ConnectWaiter) -> None:
        """Stop opening a connection, since the waiter needs it no more."""

    def release(self, upstream: UpstreamWriter) -> None:
        """Keep a connection whose exchange was complete."""


class ErrorLog(Protocol):
    """Where errors of the model server are logged."""

    def warning(self, error: ExchangeError, headers: HeaderMap) -> None:
        """Log the error of a request with these header fields, within a limited rate."""


@dataclass(frozen=True, slots=True)
class ExchangeContext:
    """What all exchanges share.

    Args:
        pool: The connections to the model server.
        authority: Host and port of the model server.
        timeout_seconds: Longest silence of the model server.
        error_log: Where its errors are logged.
        resending: Grants second tries.
        pseudonym: What the `Via` line of forwarded requests calls this proxy; empty for none.
    """

    pool: Pool
    authority: str
    timeout_seconds: float
    error_log: ErrorLog
    resending: Resending
    pseudonym: bytes = b""
