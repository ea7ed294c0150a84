"""Both sides of an exchange, and its tally, that only take notes: what a test of the core looks at."""

from driftgauge.http1.heads import read_request, read_response
from driftgauge.http1.http_errors import ExchangeError
from driftgauge.proxy.exchange import Exchange
from driftgauge.proxy.interfaces import ConnectWaiter, ExchangeContext, ResponseHandler, UpstreamWriter
from driftgauge.proxy.recorder import ExchangeRecorder
from driftgauge.server.listener import DrainState

GET = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 3\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
UNENDING = b"HTTP/1.1 200 OK\r\n\r\n"


class Client:
    """Notes what a client is told."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.notes: list[str] = []

    def say(self, data: bytes) -> None:
        """Notes it."""
        self.said.append(data)

    def hold(self) -> None:
        """Notes it."""
        self.notes.append("hold")

    def go_on(self) -> None:
        """Notes it."""
        self.notes.append("go on")

    def over(self, *, stays: bool) -> None:
        """Notes it."""
        self.notes.append("stays" if stays else "leaves")

    def break_off(self, *, reset: bool) -> None:
        """Notes it."""
        self.notes.append("reset" if reset else "broken off")


class UpstreamConnection:
    """Notes what a connection to the model server is told.

    Args:
        used: Whether it carried an exchange before.
    """

    def __init__(self, *, used: bool = False) -> None:
        self.is_used_again = used
        self.has_heard = False
        self.is_open = True
        self.written: list[bytes] = []
        self.notes: list[str] = []
        self.silence: float | None = None

    def begin(self, method: bytes, receiver: ResponseHandler) -> None:
        """Notes the method."""
        del receiver
        self.notes.append(method.decode())

    def write(self, data: bytes) -> bool:
        """Notes it."""
        self.written.append(data)
        return self.is_open

    def hold(self) -> None:
        """Notes it."""
        self.notes.append("hold")

    def go_on(self) -> None:
        """Notes it."""
        self.notes.append("go on")

    def limit_silence(self, seconds: float | None) -> None:
        """Keeps it."""
        self.silence = seconds

    def abort(self) -> None:
        """Notes it."""
        self.notes.append("abort")


class Scene:
    """A pool, a log of trouble and a tally, all of which take notes.

    Args:
        request: The request's head.
        link: The connection that the pool has; none means that one must be dialled.
        is_inference: Whether the request is one.
    """

    def __init__(
        self, request: bytes = GET, link: UpstreamConnection | None = None, *, is_inference: bool = False
    ) -> None:
        self.client = Client()
        self.idle = link
        self.notes: list[str] = []
        self.trouble: list[ExchangeError] = []
        self.codes: list[int] = []
        self.closing = DrainState()
        book = Book(self.codes)
        book.is_inference = is_inference
        self.exchange = Exchange(
            read_request(request), self.client, book, ExchangeContext(self, "m:1", 7.0, self.closing, self)
        )

    def take(self) -> UpstreamWriter | None:
        """The one that it has, once."""
        link, self.idle = self.idle, None
        return link

    def request_connection(self, waiter: ConnectWaiter) -> None:
        """Notes it."""
        assert waiter is self.exchange
        self.notes.append("request_connection")

    def forget(self, waiter: ConnectWaiter) -> None:
        """Notes it."""
        assert waiter is self.exchange
        self.notes.append("forget")

    def release(self, link: UpstreamWriter) -> None:
        """Notes it."""
        del link
        self.notes.append("release")

    def record(self, error: ExchangeError) -> None:
        """Keeps it."""
        self.trouble.append(error)

    def ask(self, *pieces: bytes) -> None:
        """The whole request comes at once."""
        for piece in pieces:
            self.exchange.request_piece(piece)
        self.exchange.request_end(())
        self.exchange.flush()

    def response(self, head: bytes, *pieces: bytes, whole: bool = True) -> None:
        """An answer comes at once."""
        self.exchange.response_head(read_response(head))
        for piece in pieces:
            self.exchange.response_piece(piece)
        if whole:
            self.exchange.response_end(())
        else:
            self.exchange.response_flush()


class Book(ExchangeRecorder):
    """A tally that notes the codes.

    Args:
        codes: Where.
    """

    def __init__(self, codes: list[int]) -> None:
        self._codes = codes

    def finish(self, code: int) -> None:
        """Notes it."""
        self._codes.append(code)
