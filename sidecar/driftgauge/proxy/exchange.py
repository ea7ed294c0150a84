"""One request on its way to the model server, and its answer on the way back: what is done at each event. No I/O here.

The two connections are driven through `ClientWriter` and `UpstreamWriter`, and call back with what happened. At
every moment bytes go on as soon as they come; a side that does not read holds the other back.
"""

from driftgauge.http1.framing import Framing, HeaderList
from driftgauge.http1.grammar import READ_BYTES
from driftgauge.http1.heads import RequestHead, ResponseHead
from driftgauge.http1.http_errors import (
    BAD_GATEWAY,
    BAD_REQUEST,
    CLIENT_LEFT,
    CUT_OFF,
    FAULT,
    GATEWAY_TIMEOUT,
    TIMED_OUT,
    BadResponseError,
    ExchangeError,
)
from driftgauge.http1.writing import (
    connection_line,
    error_response,
    goes_as_it_came,
    interim_head,
    request_head,
    response_framing,
    response_head,
)
from driftgauge.proxy.interfaces import ClientWriter, ExchangeContext, UpstreamWriter
from driftgauge.proxy.recorder import ExchangeRecorder

_CHUNKED = Framing.CHUNKED
_CONTINUE = 100
_FIRST_SERVER_ERROR = 500
"""From here on the connection is not used again: uvicorn closes it after an error of its model, without saying so."""

_REPEATABLE = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE"})
"""Safe methods (RFC 9110 section 9.2.1)."""


class Exchange:
    """Passes one request and its answer.

    Args:
        head: The request's.
        client: Who asked.
        recorder: What is counted of it.
        around: What all exchanges share.
    """

    # What most exchanges leave as it is stands on the class.
    has_responded = False
    """Whether the answer's end was given to the client's socket."""
    is_finished = False
    response_started = False
    """Whether any of the answer was given to the client."""
    _in = Framing.NONE
    _link: UpstreamWriter | None = None
    _connecting = False
    _up_bytes = 0
    _sent: bytes | None = None
    _asked = False
    _begun = False
    _status = FAULT
    _stays = False
    _client_full = False
    _link_full = False

    def __init__(
        self, head: RequestHead, client: ClientWriter, recorder: ExchangeRecorder, around: ExchangeContext
    ) -> None:
        self._head = head
        self._client = client
        self._recorder = recorder
        self._around = around
        self._out = Framing.CHUNKED if head.length is None else Framing.LENGTH
        self._up = [request_head(head, around.authority)]
        self._down: list[bytes] = []
        self._expecting = head.expects_continue

    # What the client does.

    def request_piece(self, data: bytes) -> None:
        """Passed on when all that came with it is known."""
        self._expecting = False
        self._recorder.request_piece(data)
        self._up.append(self._out.frame(data) if self._out is _CHUNKED else data)
        self._up_bytes += len(data)

    def request_end(self, trailers: HeaderList) -> None:
        """From now on the model server has the word."""
        self._asked = True
        self._expecting = False
        self._recorder.request_complete()
        if self._out is _CHUNKED:
            self._up.append(self._out.end(trailers))

    def request_broken(self) -> None:
        """The request is given up; what the model server has of it is cut."""
        self._fail(ExchangeError(BAD_REQUEST, "The framing of the request body is malformed."))

    def request_late(self) -> None:
        """The client is too slow with its body."""
        self._fail(ExchangeError(TIMED_OUT, "The request body did not come in time."))

    def flush(self) -> None:
        """Send what has come; the first time, find a connection for it."""
        if self.is_finished or self.has_responded:
            return
        if self._link is not None:
            self._send(self._link)
        elif not self._connecting:
            link = self._around.pool.take()
            if link is None:
                self._request_connection()
            else:
                self.connected(link)
        elif self._up_bytes > READ_BYTES:
            self._client.hold()

    def client_full(self, *, full: bool) -> None:
        """The client does not read what was said, or reads again."""
        self._client_full = full
        if self.has_responded and not full:
            self._end(self._status)
        elif self._link is not None and not self.has_responded:
            (self._link.hold if full else self._link.go_on)()
            self._listen(self._link)

    def client_left(self) -> None:
        """The client's connection is gone, before its answer was complete."""
        self._stop(CLIENT_LEFT)

    def cut(self) -> None:
        """The proxy closes."""
        self._stop(CUT_OFF)

    def fault(self) -> None:
        """The proxy itself met an error."""
        self._fail(ExchangeError(FAULT, "The proxy met an error."))

    # What the model server does.

    def connected(self, link: UpstreamWriter) -> None:
        """Send what has come of the request."""
        self._connecting = False
        self._link = link
        link.begin(self._head.method, self)
        if self._up_bytes > READ_BYTES:
            self._client.go_on()
        self._send(link)

    def link_full(self, *, full: bool) -> None:
        """Hold the client back while the model server does not read."""
        self._link_full = full
        (self._client.hold if full else self._client.go_on)()
        if self._link is not None:
            self._listen(self._link)

    def response_head(self, head: ResponseHead) -> None:
        """Said when all that came with it is known."""
        if not head.is_final:
            self._interim(head)
            return
        self._recorder.response_begins(head.status, head.fields)
        http11, method = self._head.http11, self._head.method
        self._status = head.status
        self._stays = self._may_stay
        if self._stays and http11 and goes_as_it_came(head, method):  # as most
            self._in = Framing.LENGTH
            self._down.append(head.raw)
            return
        self._in = framing = response_framing(method, head, http11=http11)
        self._stays = framing is not Framing.CLOSE and self._stays
        self._down.append(response_head(head, framing, connection_line(stays=self._stays, http11=http11)))

    def response_piece(self, data: bytes) -> None:
        """Said when all that came with it is known."""
        self._recorder.response_piece(data)
        self._down.append(self._in.frame(data) if self._in is _CHUNKED else data)

    def response_flush(self) -> None:
        """Say what has come."""
        if self._down:
            self._say()
        if self._link is not None:
            self._listen(self._link)

    def response_end(self, trailers: HeaderList) -> None:
        """Say the rest, and keep the connection to the model server if both bodies are through."""
        self._recorder.response_complete()
        self.has_responded = True
        link, self._link = self._link, None
        if self._in is _CHUNKED:
            self._down.append(self._in.end(trailers))
        self._say()
        self._recorder.handed()
        if link is not None:
            if self._asked and self._status < _FIRST_SERVER_ERROR:
                self._around.pool.release(link)
            else:
                link.abort()
        if not self._client_full:
            self._end(self._status)

    def failed(self, error: Exception) -> None:
        """Try another connection where that is right, else say that there is no answer."""
        link = self._link
        gone = link is not None and link.is_used_again and not link.has_heard and not isinstance(error, TimeoutError)
        if gone and self._is_repeatable and self._sent is not None:
            self._link = None
            self._up, self._begun = [self._sent], False
            self._request_connection()
        else:
            self._fail(self._explained(error))

    def _send(self, link: UpstreamWriter) -> None:
        if self._up:
            data = self._up[0] if len(self._up) == 1 else b"".join(self._up)
            self._up, self._up_bytes = [], 0
            self._sent = None if self._begun or not self._asked else data
            if not link.write(data):
                return  # it will tell that it is gone
            if not self._begun:
                self._begun = True
                self._recorder.forwarded()
        self._listen(link)

    def _listen(self, link: UpstreamWriter) -> None:
        """The model server's silence counts while it has the word, or is given bytes that it does not read."""
        has_the_word = (self._asked or self._link_full or self._expecting) and not self._client_full
        link.limit_silence(self._around.timeout_seconds if has_the_word else None)

    def _request_connection(self) -> None:
        self._connecting = True
        self._around.pool.request_connection(self)

    def _interim(self, head: ResponseHead) -> None:
        if head.status == _CONTINUE:
            self._expecting = False
            if not self._head.expects_continue or self._asked:
                return
        if self._head.http11:
            self._client.say(interim_head(head))

    def _say(self) -> None:
        data = self._down[0] if len(self._down) == 1 else b"".join(self._down)
        self._down = []
        self.response_started = True
        self._client.say(data)

    @property
    def _is_repeatable(self) -> bool:
        """Whether the request may be done twice (RFC 9110 section 9.2.2): it is safe, or an inference."""
        return self._recorder.is_inference or self._head.method in _REPEATABLE

    def _explained(self, error: Exception) -> ExchangeError:
        if isinstance(error, ExchangeError):
            return error
        authority = self._around.authority
        if isinstance(error, TimeoutError):
            return ExchangeError(GATEWAY_TIMEOUT, f"The model server at {authority} did not answer in time.")
        if isinstance(error, BadResponseError):
            return ExchangeError(BAD_GATEWAY, f"The answer of the model server at {authority} is not valid HTTP/1.1.")
        return ExchangeError(BAD_GATEWAY, f"The model server at {authority} broke off.")

    def _fail(self, error: ExchangeError) -> None:
        if self.is_finished:
            return
        if error.status > FAULT:
            self._around.trouble.record(error)
        self._let_go()
        if self.response_started:
            self.is_finished = True
            self._client.break_off(reset=self._in is Framing.CLOSE)
            self._recorder.finish(error.status)
            return
        self._stays = self._may_stay and error.status > FAULT
        head, body = error_response(error.status, error.sentence, stays=self._stays, http11=self._head.http11)
        self._recorder.replaced(body)
        self.has_responded = True
        self._status = error.status
        self._down = [head] if self._head.method == b"HEAD" else [head, body]
        self._say()
        self._recorder.handed()
        self._end(error.status)

    def _stop(self, status: int) -> None:
        if not self.is_finished:
            self.is_finished = True
            self._let_go()
            self._recorder.finish(status)

    def _end(self, status: int) -> None:
        if not self.is_finished:
            self.is_finished = True
            try:
                self._recorder.finish(status)
            finally:
                self._client.over(stays=self._stays)

    def _let_go(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.abort()
        elif self._connecting:
            self._connecting = False
            self._around.pool.forget(self)

    @property
    def _may_stay(self) -> bool:
        return self._asked and self._head.keeps and not self._around.closing.draining
