"""What stands around an exchange, as it sees it: two connections, the pool, what all share. This file does no I/O."""

from dataclasses import dataclass
from typing import Protocol

from driftgauge.http1.http_errors import ExchangeError
from driftgauge.http1.responses import ResponseEvents
from driftgauge.server.listener import DrainState


class ClientWriter(Protocol):
    """The client's connection, as an exchange sees it."""

    def say(self, data: bytes) -> None:
        """Give bytes of the answer to the socket."""

    def hold(self) -> None:
        """Read no more of the request for now."""

    def go_on(self) -> None:
        """Read on."""

    def over(self, *, stays: bool) -> None:
        """The exchange has ended; the connection may carry another, or ends."""

    def break_off(self, *, reset: bool) -> None:
        """End the connection within an answer, so that what was said cannot be taken for all."""


class UpstreamWriter(Protocol):
    """The connection to the model server, as an exchange sees it."""

    @property
    def is_used_again(self) -> bool:
        """Whether it carried an exchange before this one."""

    @property
    def has_heard(self) -> bool:
        """Whether a byte has come since this exchange began."""

    def begin(self, method: bytes, receiver: "ResponseHandler") -> None:
        """Expect the answer to a request."""

    def write(self, data: bytes) -> bool:
        """Give bytes to the socket; says whether it took them, or keeps them for it."""

    def hold(self) -> None:
        """Read no more of the answer for now."""

    def go_on(self) -> None:
        """Read on."""

    def limit_silence(self, seconds: float | None) -> None:
        """From now on fail after so long without a byte, or never."""

    def abort(self) -> None:
        """End the connection at once, and tell nothing more."""


class ResponseHandler(ResponseEvents, Protocol):
    """Who uses a connection to the model server."""

    def failed(self, error: Exception) -> None:
        """The connection was lost, or what came on it is no answer."""

    def link_full(self, *, full: bool) -> None:
        """The model server does not read what was written, or reads again."""

    def fault(self) -> None:
        """The proxy itself met an error."""


class ConnectWaiter(Protocol):
    """Who waits for a connection to the model server."""

    def connected(self, link: UpstreamWriter) -> None:
        """Here it is."""

    def failed(self, error: Exception) -> None:
        """There is none."""

    def fault(self) -> None:
        """The proxy itself met an error."""


class Pool(Protocol):
    """The connections to the model server."""

    def take(self) -> UpstreamWriter | None:
        """One that nobody uses, if there is one that is open."""

    def request_connection(self, waiter: ConnectWaiter) -> None:
        """Make a new one."""

    def forget(self, waiter: ConnectWaiter) -> None:
        """Nobody waits for it any longer."""

    def release(self, link: UpstreamWriter) -> None:
        """Keep a connection whose exchange ended well."""


class ErrorLog(Protocol):
    """Where trouble with the model server is told."""

    def record(self, error: ExchangeError) -> None:
        """Tell of it."""


@dataclass(frozen=True, slots=True)
class ExchangeContext:
    """What all exchanges share.

    Args:
        pool: The connections to the model server.
        authority: Its host and port.
        timeout_seconds: Its longest silence.
        closing: How far the proxy is on its way out.
        trouble: Where trouble is told.
    """

    pool: Pool
    authority: str
    timeout_seconds: float
    closing: DrainState
    trouble: ErrorLog
