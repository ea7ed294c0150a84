"""The real data plane between transports without a network, driven one event at a time."""

from collections.abc import Callable
from enum import IntEnum

from driftgauge.http1.grammar import HeaderMap
from driftgauge.http1.heads import RequestHead
from driftgauge.http1.states import UpstreamState
from driftgauge.proxy.exchange import Exchange
from driftgauge.proxy.exchange_recorder import ExchangeRecorder
from driftgauge.proxy.failures import ExchangeError
from driftgauge.proxy.interfaces import ConnectWaiter, ExchangeContext, UpstreamWriter
from driftgauge.proxy.resending import Resending, ResendOutcome
from driftgauge.proxy.upstream_connection import UpstreamConnection
from driftgauge.server.connection import ClientConnection
from driftgauge.server.request_handler import RequestHandler
from driftgauge.server.timeouts import Timeouts
from tests.support.recording_transport import ManualLoop, RecordingTransport

REQUESTS = {
    "get": b"GET /%d HTTP/1.1\r\nHost: m\r\n\r\n",
    "old": b"GET /%d HTTP/1.0\r\n\r\n",
    "post": b"POST /%d HTTP/1.1\r\nHost: m\r\nContent-Length: 6\r\n\r\nabcdef",
    "chunked": b"POST /%d HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "expecting": b"POST /%d HTTP/1.1\r\nHost: m\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab",
    "expecting nothing": b"POST /%d HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    b"0\r\n\r\n",
    "empty line": b"\r\nGET /%d HTTP/1.1\r\nHost: m\r\n\r\n",
    "bad chunk": b"POST /%d HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    "bad head": b"GET /%d HTTP/1.1\n\n",
}
RESPONSES = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    "until close": b"HTTP/1.1 200 OK\r\n\r\nbody",
    "error": b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "closes": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
    "bad": b"HTTP/1.1 2x0 OK\r\n\r\n",
}


class CountingRecorder(ExchangeRecorder):
    """Counts the calls of `finish`, and the events after it.

    Args:
        is_inference: Whether the exchange may be repeated.
    """

    def __init__(self, *, is_inference: bool) -> None:
        self.is_inference = is_inference
        self.codes: list[int] = []
        self.late_events = 0

    def on_request_body(self, piece: bytes) -> None:  # noqa: ARG002 - only counted
        """Count it if it is late."""
        self.late_events += bool(self.codes)

    def on_response_body(self, piece: bytes) -> None:  # noqa: ARG002 - only counted
        """Count it if it is late."""
        self.late_events += bool(self.codes)

    def on_sent(self) -> None:
        """Count it if it is late."""
        self.late_events += bool(self.codes)

    def finish(self, code: int) -> None:
        """Keep the status code."""
        self.codes.append(code)


class DataPlane:
    """One client's connection, its exchanges, and the connections to a model server.

    It is the host of the client's connection and the pool of the exchanges. Every method is one event; each is ignored
    where the network could not produce it, such as bytes on a connection that has ended.
    """

    def __init__(self) -> None:
        self.loop = ManualLoop()
        self.draining = False
        self.exchanges: list[tuple[Exchange, CountingRecorder]] = []
        self.errors: list[ExchangeError] = []
        self.seen: set[str] = set()
        self._idle: list[UpstreamConnection] = []
        self._waiters: list[ConnectWaiter] = []
        self._upstreams: list[tuple[UpstreamConnection, RecordingTransport]] = []
        self._responses: dict[UpstreamConnection, bytes] = {}
        self.resent: list[ResendOutcome] = []
        resending = Resending("m:1", is_on=True, count=self.resent.append, timer=self.loop.time)
        self._context = ExchangeContext(self, "m:1", 7.0, self, resending)
        self._run(self._open)

    def _open(self) -> None:
        self.client = ClientConnection(self, self.loop.time, Timeouts())
        self.transport = RecordingTransport()
        self.is_lost = False
        self._is_client_full = False
        self._is_eof = False
        self._unsent = b""
        self.client.connection_made(self.transport)

    def _run(self, step: Callable[[], object]) -> None:
        async def call() -> None:
            """Run the step with a running loop."""
            step()

        self.loop.run_until_complete(call())
        self._note()

    # The host and the pool.

    def on_request(self, head: RequestHead, connection: ClientConnection) -> RequestHandler:
        """Begin an exchange."""
        recorder = CountingRecorder(is_inference=head.target.endswith(b"1"))
        exchange = Exchange(head, connection, recorder, self._context)
        self.exchanges.append((exchange, recorder))
        self._note()
        return exchange

    def connection_opened(self, connection: ClientConnection) -> None:
        """Ignore it."""

    def connection_closed(self, connection: ClientConnection) -> None:
        """Ignore it."""

    def connection_idle(self) -> None:
        """Note the states in the middle of an event."""
        self._note()

    def take(self) -> UpstreamWriter | None:
        """Return an idle connection that is open."""
        self._note()
        while self._idle:
            upstream = self._idle.pop()
            if upstream.is_quiet:
                return upstream
            upstream.abort()
        return None

    def request_connection(self, waiter: ConnectWaiter) -> None:
        """Keep the waiter until a connection is opened, or cannot be."""
        self._waiters.append(waiter)

    def forget(self, waiter: ConnectWaiter) -> None:
        """Drop the waiter."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def release(self, upstream: UpstreamWriter) -> None:
        """Keep the connection if it can carry another exchange."""
        assert isinstance(upstream, UpstreamConnection)
        if upstream.release():
            self._idle.append(upstream)
        else:
            upstream.abort()
        self._note()

    def warning(self, error: ExchangeError, headers: HeaderMap) -> None:
        """Keep the error."""
        del headers
        self.errors.append(error)

    # Events of the client.

    def begin_request(self, kind: str) -> None:
        """The client has another request to send."""
        self._unsent += REQUESTS[kind].replace(b"%d", b"%d" % (len(self.exchanges) % 3))

    def send(self, size: int) -> None:
        """Some bytes of the client arrive."""
        if self.is_lost or self.transport.is_closed or self._is_eof or not self.transport.may_read:
            return
        data, self._unsent = self._unsent[:size], self._unsent[size:]
        if data:
            self._run(lambda: self.client.data_received(data))

    def half_close(self) -> None:
        """The client ends its side."""
        if self.is_lost or self.transport.is_closed or self._is_eof:
            return
        self._is_eof = True

        def step() -> None:
            """Close as asyncio does."""
            if not self.client.eof_received():
                self.transport.close()

        self._run(step)

    def fill_client(self, *, full: bool) -> None:
        """The client stops reading, or reads again."""
        if self.is_lost or self.transport.is_closed or self._is_client_full is full:
            return
        self._is_client_full = full
        self._run(self.client.pause_writing if full else self.client.resume_writing)

    def lose_client(self) -> None:
        """The client's connection is gone."""
        if not self.is_lost:
            self.is_lost = True
            self.transport.is_closed = True
            self._run(lambda: self.client.connection_lost(None))

    def reconnect(self) -> None:
        """A client connects, after the connection of the last one is gone."""
        if self.is_lost:
            self.transport.release()
            self._run(self._open)

    # Events of the model server.

    def open_upstream(self) -> None:
        """A connection to the model server is opened for the first waiter."""
        if not self._waiters:
            return
        waiter = self._waiters.pop(0)

        def step() -> None:
            """Open it."""
            upstream, transport = UpstreamConnection(lambda _: None), RecordingTransport()
            upstream.connection_made(transport)
            self._upstreams.append((upstream, transport))
            self._note()
            waiter.on_connected(upstream)

        self._run(step)

    def refuse_upstream(self) -> None:
        """No connection to the model server can be made."""
        if self._waiters:
            waiter = self._waiters.pop(0)
            self._run(lambda: waiter.on_upstream_error(ExchangeError(502, "Away.")))

    def respond(self, kind: str, size: int) -> None:
        """Some bytes of a response arrive on the newest connection."""
        if not self._upstreams:
            return
        upstream, transport = self._upstreams[-1]
        if transport.is_closed or not transport.may_read:
            return
        if upstream.state is UpstreamState.AWAITING:
            self._responses.setdefault(upstream, RESPONSES[kind])
        data = self._responses.get(upstream, b"")
        if size >= len(data):
            self._responses.pop(upstream, None)
        else:
            self._responses[upstream] = data[size:]
        if data[:size]:
            self._run(lambda: upstream.data_received(data[:size]))

    def fill_upstream(self, *, full: bool) -> None:
        """The model server stops reading, or reads again."""
        if self._upstreams and not self._upstreams[-1][1].is_closed:
            upstream = self._upstreams[-1][0]
            self._run(upstream.pause_writing if full else upstream.resume_writing)

    def lose_upstream(self, *, error: bool) -> None:
        """The newest connection to the model server ends."""
        if not self._upstreams:
            return
        upstream, transport = self._upstreams.pop()

        def step() -> None:
            """End it as asyncio does."""
            if not error and not transport.is_closed:
                upstream.eof_received()
            transport.is_closed = True
            upstream.connection_lost(ConnectionResetError() if error else None)
            self._note()
            self.seen.add(full_name(upstream.state))
            transport.release()

        self._run(step)

    # Events of the process.

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self.loop.advance(seconds)
        self._note()

    def begin_drain(self) -> None:
        """Clients are asked to leave."""
        self.draining = True

    def close(self) -> None:
        """Everything ends."""
        self._run(self.client.close)
        self.lose_client()
        while self._upstreams:
            self.lose_upstream(error=False)
        self.transport.release()
        self.loop.close()

    def _note(self) -> None:
        exchanges = [exchange for exchange, _ in self.exchanges[-2:]]
        states: list[IntEnum] = [
            self.client.state,
            *(exchange.request.state for exchange in exchanges),
            *(exchange.response.state for exchange in exchanges),
            *(upstream.state for upstream, _ in self._upstreams),
        ]
        self.seen |= {full_name(state) for state in states}


def full_name(state: IntEnum) -> str:
    """Name of a state with its machine: states of two machines are equal as integers."""
    return f"{type(state).__name__}.{state.name}"
