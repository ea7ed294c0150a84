"""The peers of an exchange (two connections, pool, log, recorder), which record what it does with them."""

from driftgauge.http1.grammar import HeaderMap
from driftgauge.http1.head_parser import read_request, read_response
from driftgauge.proxy.exchange import Exchange
from driftgauge.proxy.exchange_recorder import ExchangeRecorder
from driftgauge.proxy.failures import ExchangeError
from driftgauge.proxy.interfaces import ConnectWaiter, ExchangeContext, ResponseHandler, UpstreamWriter
from driftgauge.proxy.resending import Resending, ResendOutcome
from tests.support.clock import ManualClock

GET = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 3\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
UNENDING = b"HTTP/1.1 200 OK\r\n\r\n"


class Client:
    """Records what is done with a client's connection.

    Args:
        draining: Whether the connection must not carry another exchange.
    """

    def __init__(self, *, draining: bool = False) -> None:
        self.draining = draining
        self.written: list[bytes] = []
        self.notes: list[str] = []

    def write(self, data: bytes) -> None:
        """Record it."""
        self.written.append(data)

    def pause_reading(self) -> None:
        """Record it."""
        self.notes.append("pause")

    def resume_reading(self) -> None:
        """Record it."""
        self.notes.append("resume")

    def finish(self, *, keep_alive: bool) -> None:
        """Record it."""
        self.notes.append("kept" if keep_alive else "ended")

    def abort(self, *, reset: bool) -> None:
        """Record it."""
        self.notes.append("reset" if reset else "aborted")


class UpstreamConnection:
    """Records what is done with a connection to the model server.

    Args:
        used: Whether it carried an exchange before.
    """

    def __init__(self, *, used: bool = False) -> None:
        self.is_reused = used
        self.is_silent = True
        self.is_acknowledged = False
        self.is_open = True
        self.written: list[bytes] = []
        self.notes: list[str] = []
        self.silence: float | None = None

    def begin(self, method: bytes, handler: ResponseHandler) -> None:
        """Record the method."""
        del handler
        self.notes.append(method.decode())

    def write(self, data: bytes) -> bool:
        """Record it."""
        self.written.append(data)
        return self.is_open

    def pause_reading(self) -> None:
        """Record it."""
        self.notes.append("pause")

    def resume_reading(self) -> None:
        """Record it."""
        self.notes.append("resume")

    def limit_silence(self, seconds: float | None) -> None:
        """Record it."""
        self.silence = seconds

    def abort(self) -> None:
        """Record it."""
        self.notes.append("abort")


class Scene:
    """One exchange with its peers: it is itself the pool and the log.

    Args:
        request: Head of the request.
        link: The connection that the pool has; `None` if one must be opened.
        is_inference: Whether the request is one.
    """

    def __init__(
        self, request: bytes = GET, link: UpstreamConnection | None = None, *, is_inference: bool = False
    ) -> None:
        self.client = Client()
        self.idle = link
        self.notes: list[str] = []
        self.errors: list[ExchangeError] = []
        self.codes: list[int] = []
        recorder = CodeRecorder(self.codes)
        recorder.is_inference = is_inference
        self.timer = ManualClock()
        self.outcomes: list[ResendOutcome] = []
        self.resending = Resending("m:1", is_on=True, count=self.outcomes.append, timer=self.timer)
        context = ExchangeContext(self, "m:1", 7.0, self, self.resending)
        self.exchange = Exchange(read_request(request), self.client, recorder, context)

    def take(self) -> UpstreamWriter | None:
        """Return the connection that it has, once."""
        link, self.idle = self.idle, None
        return link

    def request_connection(self, waiter: ConnectWaiter) -> None:
        """Record it."""
        assert waiter is self.exchange
        self.notes.append("request_connection")

    def forget(self, waiter: ConnectWaiter) -> None:
        """Record it."""
        assert waiter is self.exchange
        self.notes.append("forget")

    def release(self, upstream: UpstreamWriter) -> None:
        """Record it."""
        del upstream
        self.notes.append("release")

    def warning(self, error: ExchangeError, headers: HeaderMap) -> None:
        """Record it."""
        del headers
        self.errors.append(error)

    def ask(self, *pieces: bytes) -> None:
        """Deliver the whole request at once."""
        for piece in pieces:
            self.exchange.on_body(piece)
        self.exchange.on_request_end(())
        self.exchange.flush()

    def response(self, head: bytes, *pieces: bytes, whole: bool = True) -> None:
        """Deliver a response at once."""
        self.exchange.on_response_head(read_response(head))
        for piece in pieces:
            self.exchange.on_response_body(piece)
        if whole:
            self.exchange.on_response_end(())
        else:
            self.exchange.flush_response()


class CodeRecorder(ExchangeRecorder):
    """A recorder that keeps the status codes.

    Args:
        codes: Where.
    """

    def __init__(self, codes: list[int]) -> None:
        self._codes = codes

    def finish(self, code: int) -> None:
        """Record it."""
        self._codes.append(code)
