"""One exchange: a request on its way to the model server, and its response on the way back.

The exchange moves bytes between two connections, which it drives through `ClientWriter` and `UpstreamWriter` and which
call it at each event. `RequestSide` and `ResponseSide` hold the bytes and the states (see `http1.states`), `failures`
decides what is sent again. Bytes are forwarded as soon as they come; a peer that does not read pauses the other.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, final

from driftgauge.http1.grammar import READ_BYTES, HeaderList
from driftgauge.http1.heads import RequestHead, ResponseHead
from driftgauge.http1.states import RESPONSE_TRANSITIONS, RequestState, ResponseEvent, ResponseState
from driftgauge.http1.writing import interim_head
from driftgauge.inference.request_ids import header_fields
from driftgauge.proxy.exchange_recorder import ExchangeRecorder
from driftgauge.proxy.failures import (
    CLIENT_CLOSED_REQUEST,
    ExchangeError,
    explain,
    is_repeatable,
    is_stale_connection,
)
from driftgauge.proxy.forwarding import RequestSide, ResponseSide
from driftgauge.proxy.interfaces import ClientWriter, ExchangeContext, UpstreamWriter
from driftgauge.proxy.resending import ResendOutcome, SecondTry

_COMPLETE: Final = RequestState.COMPLETE
_RECEIVING: Final = RequestState.RECEIVING
_NEW: Final = ResponseState.NEW
_SENT: Final = ResponseState.SENT
_OVER: Final = ResponseState.OVER
_ON_CONNECT: Final = RESPONSE_TRANSITIONS[ResponseEvent.CONNECT]
_ON_CONNECTED: Final = RESPONSE_TRANSITIONS[ResponseEvent.CONNECTED]
_ON_FINISH: Final = RESPONSE_TRANSITIONS[ResponseEvent.FINISH]

_FIRST_SERVER_ERROR: Final = 500
"""From this status code on the connection is not reused: uvicorn closes it after an error of its model, without
announcing that."""


@final
class Exchange:
    """Forwards one request and its response.

    Args:
        head: Head of the request.
        client: Connection of the client.
        recorder: Counts and copies the exchange.
        context: What all exchanges share.
    """

    __slots__ = (
        "_client",
        "_context",
        "_is_client_full",
        "_is_upstream_full",
        "_recorder",
        "_second_try",
        "_upstream",
        "request",
        "response",
    )

    def __init__(
        self, head: RequestHead, client: ClientWriter, recorder: ExchangeRecorder, context: ExchangeContext
    ) -> None:
        self.request = RequestSide(head, context.authority, context.pseudonym)
        self.response = ResponseSide(head)
        self._client = client
        self._recorder = recorder
        self._context = context
        self._upstream: UpstreamWriter | None = None
        self._is_client_full = False
        self._is_upstream_full = False
        self._second_try: SecondTry | None = None

    # What the client does: see `RequestHandler`.

    @property
    def response_started(self) -> bool:
        """Whether any of the final response was given to the client."""
        return self.response.state >= ResponseState.STREAMING

    @property
    def response_sent(self) -> bool:
        """Whether the end of the response was given to the client's socket."""
        return self.response.state >= _SENT

    @property
    def log_fields(self) -> Mapping[str, object]:
        """The ids of the request, for a line of the log."""
        return header_fields(self.request.head.fields)

    def on_body(self, data: bytes) -> None:
        """Add a piece of the request; it is sent by `flush`."""
        self._recorder.on_request_body(data)
        if self.response.state < _SENT:
            self.request.add(data)

    def on_request_end(self, trailers: HeaderList) -> None:
        """Add the end of the request; from now on the response is awaited."""
        self._recorder.on_request_end()
        self.request.end(trailers)

    def on_framing_error(self) -> None:
        """Give the request up; the model server sees it break off."""
        self._fail(ExchangeError(HTTPStatus.BAD_REQUEST, "The framing of the request body is malformed."))

    def on_timeout(self) -> None:
        """Give up a request whose body comes too slowly."""
        self._fail(ExchangeError(HTTPStatus.REQUEST_TIMEOUT, "The request body did not come in time."))

    def flush(self) -> None:
        """Send what has come of the request; the first time, get a connection for it."""
        state = self.response.state
        if state is _NEW:
            upstream = self._context.pool.take()
            if upstream is None:
                self._request_connection()
            else:
                self.on_connected(upstream)
        elif state is ResponseState.CONNECTING:
            if self.request.pending_bytes > READ_BYTES:
                self._client.pause_reading()
        elif self._upstream is not None:
            self._send(self._upstream)

    def on_client_full(self, *, full: bool) -> None:
        """Pause the model server while the client does not read; a response that was sent ends when it has read."""
        self._is_client_full = full
        upstream = self._upstream
        if upstream is not None:
            (upstream.pause_reading if full else upstream.resume_reading)()
            self._limit_silence(upstream)
        elif self.response.state is _SENT and not full:
            self._finish()

    def on_client_lost(self) -> None:
        """End the exchange, since the client is gone before the response was complete."""
        self._stop(CLIENT_CLOSED_REQUEST)

    def on_shutdown(self) -> None:
        """End the exchange, since the proxy closes."""
        self._stop(HTTPStatus.SERVICE_UNAVAILABLE)

    def on_internal_error(self) -> None:
        """Give the exchange up after an exception in our code."""
        self._fail(ExchangeError(HTTPStatus.INTERNAL_SERVER_ERROR, "The proxy met an error."))

    # What the model server does: see `ResponseHandler` and `ConnectWaiter`.

    def on_connected(self, upstream: UpstreamWriter) -> None:
        """Send what has come of the request."""
        self.response.state = _ON_CONNECTED[self.response.state]
        self._upstream = upstream
        upstream.begin(self.request.head.method, self)
        if self.request.pending_bytes > READ_BYTES:
            self._client.resume_reading()
        self._send(upstream)

    def on_upstream_full(self, *, full: bool) -> None:
        """Pause the client while the model server does not read."""
        upstream = self._upstream
        if upstream is None:
            return
        self._is_upstream_full = full
        (self._client.pause_reading if full else self._client.resume_reading)()
        self._limit_silence(upstream)

    def on_response_head(self, head: ResponseHead) -> None:
        """Add the head of the final response, or forward that of an interim one."""
        if self._second_try is not None:
            self._second_try.end(ResendOutcome.RESPONDED)
        if not head.is_final:
            self._forward_interim(head)
            return
        self._recorder.on_response_head(head.status, head.fields)
        self.response.begin(head, keep_alive=self._may_keep_alive())

    def on_response_body(self, data: bytes) -> None:
        """Add a piece of the response; it is sent by `flush_response` or `on_response_end`."""
        self._recorder.on_response_body(data)
        self.response.add(data)

    def flush_response(self) -> None:
        """Send what has come of the response."""
        upstream = self._upstream
        if upstream is None:
            return
        if self.response.has_pending:
            self._client.write(self.response.take())
        self._limit_silence(upstream)

    def on_response_end(self, trailers: HeaderList) -> None:
        """Send the rest, and keep the connection to the model server if request and response are complete."""
        upstream, self._upstream = self._upstream, None
        if upstream is None:
            return
        self._recorder.on_response_end()
        self._client.write(self.response.end(trailers))
        self._recorder.on_sent()
        if self.request.state is _COMPLETE and self.response.status < _FIRST_SERVER_ERROR:
            self._context.pool.release(upstream)
        else:
            upstream.abort()
        if not self._is_client_full:
            self._finish()

    def on_upstream_error(self, error: Exception) -> None:
        """Send the request again on another connection where that is right, else respond with an error."""
        if self._second_try is not None:
            self._second_try.end(ResendOutcome.UNREACHABLE if self._upstream is None else ResendOutcome.FAILED)
        elif self._is_repeatable_after(error):
            self._second_try = self._context.resending.begin()
            if self._second_try is not None:
                self._upstream = None
                self.request.rewind()
                self._request_connection()
                return
        self._fail(explain(error, self._context.authority))

    # The steps.

    def _send(self, upstream: UpstreamWriter) -> None:
        request = self.request
        data = request.take()
        if data:
            if not upstream.write(data):
                return  # the connection will report its loss
            if not request.is_begun:
                request.is_begun = True
                self._recorder.on_forwarded()
        self._limit_silence(upstream)

    def _limit_silence(self, upstream: UpstreamWriter) -> None:
        """Limit the silence of the model server while it has to act: to respond, or to read what was sent."""
        must_act = (self.request.state is not _RECEIVING or self._is_upstream_full) and not self._is_client_full
        upstream.limit_silence(self._context.timeout_seconds if must_act else None)

    def _request_connection(self) -> None:
        self.response.state = _ON_CONNECT[self.response.state]
        self._context.pool.request_connection(self)

    def _forward_interim(self, head: ResponseHead) -> None:
        request = self.request
        if head.status == HTTPStatus.CONTINUE:
            request.stop_expecting()
            if not request.head.expects_continue or request.state is _COMPLETE:
                return
        if request.head.http11:
            self._client.write(interim_head(head))

    def _may_keep_alive(self) -> bool:
        request = self.request
        return request.state is _COMPLETE and request.head.keep_alive and not self._client.draining

    # The ends.

    def _is_repeatable_after(self, error: Exception) -> bool:
        upstream, is_inference = self._upstream, self._recorder.is_inference
        return (
            upstream is not None
            and self.request.whole is not None
            and is_stale_connection(error, is_reused=upstream.is_reused, is_silent=upstream.is_silent)
            and is_repeatable(
                self.request.head.method, is_inference=is_inference, is_acknowledged=upstream.is_acknowledged
            )
        )

    def _fail(self, error: ExchangeError) -> None:
        """Respond with the error, or break the connection off if part of a response was sent."""
        response = self.response
        if response.state is _OVER:
            return
        if error.is_upstream:
            self._context.error_log.warning(error, self.request.head.fields)
        self._drop_upstream()
        if self.response_started:
            response.state = _ON_FINISH[response.state]
            self._client.abort(reset=response.is_ended_by_close)
            self._recorder.finish(error.status)
            return
        data, body = response.replace(error, keep_alive=error.is_upstream and self._may_keep_alive())
        self._recorder.on_replaced(body)
        self._client.write(data)
        self._recorder.on_sent()
        self._finish()

    def _stop(self, status: int) -> None:
        """End the exchange without a response."""
        if self.response.state is not _OVER:
            self._drop_upstream()
            self.response.state = _ON_FINISH[self.response.state]
            self._recorder.finish(status)

    def _finish(self) -> None:
        """End the exchange whose response was sent."""
        response = self.response
        response.state = _ON_FINISH[response.state]
        try:
            self._recorder.finish(response.status)
        finally:
            self._client.finish(keep_alive=response.keep_alive)

    def _drop_upstream(self) -> None:
        if self._second_try is not None:
            self._second_try.end(ResendOutcome.ABANDONED)
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            upstream.abort()
        elif self.response.state is ResponseState.CONNECTING:
            self._context.pool.forget(self)
