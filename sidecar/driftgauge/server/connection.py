"""One connection of a client, which carries one exchange after another."""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Protocol, cast, final

from driftgauge.http1.grammar import READ_BYTES, RefusedError
from driftgauge.http1.head_parser import read_request
from driftgauge.http1.heads import RequestHead
from driftgauge.http1.requests import RequestEvents, RequestReader
from driftgauge.http1.states import CLIENT_TRANSITIONS, ClientEvent, ClientState
from driftgauge.http1.writing import CONTINUE_HEAD, error_response
from driftgauge.server.half_close import ResetCheck
from driftgauge.server.request_handler import RequestHandler
from driftgauge.server.timeouts import Deadline, Timeouts
from driftgauge.server.tls import is_tls

_log = logging.getLogger("driftgauge.server")

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER with a time of 0 s: closing sends a reset."""

_ON_BYTES: Final = CLIENT_TRANSITIONS[ClientEvent.BYTES]
_ON_EMPTY_LINE: Final = CLIENT_TRANSITIONS[ClientEvent.EMPTY_LINE]
_ON_HEAD: Final = CLIENT_TRANSITIONS[ClientEvent.HEAD]
_ON_BODY_AWAITED: Final = CLIENT_TRANSITIONS[ClientEvent.BODY_AWAITED]
_ON_BODY_COMPLETE: Final = CLIENT_TRANSITIONS[ClientEvent.BODY_COMPLETE]
_ON_FINISHED: Final = CLIENT_TRANSITIONS[ClientEvent.FINISHED]
_ON_LEAVE: Final = CLIENT_TRANSITIONS[ClientEvent.LEAVE]
_ON_CLOSE: Final = CLIENT_TRANSITIONS[ClientEvent.CLOSE]

_IDLE: Final = ClientState.IDLE
_READING_HEAD: Final = ClientState.READING_HEAD
_IN_EXCHANGE: Final = ClientState.IN_EXCHANGE
_RECEIVING_BODY: Final = ClientState.RECEIVING_BODY


class Host(Protocol):
    """Owner of the connections of a data port."""

    @property
    def draining(self) -> bool:
        """Whether connections must not carry another exchange."""

    def on_request(self, head: RequestHead, connection: "ClientConnection") -> RequestHandler:
        """Return the handler of a request."""

    def connection_opened(self, connection: "ClientConnection") -> None:
        """Note that a connection was accepted."""

    def connection_closed(self, connection: "ClientConnection") -> None:
        """Note that a connection is gone."""

    def connection_idle(self) -> None:
        """Note that the exchange on a connection has ended."""


@final
class ClientConnection(asyncio.Protocol):
    """One connection of a client; `ClientState` has its states.

    Args:
        host: Its owner.
        timer: Seconds of a monotonic clock.
        timeouts: Limits of time for the client.
        read: Parses heads; may share a cache with other connections.

    Attributes:
        state: Changed only as `CLIENT_TRANSITIONS` says.
        begun: When the first byte of the present request came, by `timer`; `None` if there is no request.
    """

    def __init__(
        self,
        host: Host,
        timer: Callable[[], float],
        timeouts: Timeouts,
        read: Callable[[bytes], RequestHead] = read_request,
    ) -> None:
        self.state = ClientState.IDLE
        self.begun: float | None = None
        self._host = host
        self._timer = timer
        self._timeouts = timeouts
        self._requests = RequestReader(self._on_head, read)
        self._handler: RequestHandler | None = None
        self._transport: asyncio.Transport | None = None
        self._deadline = Deadline(self._on_deadline)
        self._reset_check: ResetCheck | None = None
        self._next_turn: asyncio.Handle | None = None
        self._body_bytes = 0
        self._http11 = True
        self._is_paused = False
        self._is_full = False
        self._is_half_closed = False
        self._is_tls = False

    # What a handler does with the connection: see `ClientWriter`.

    @property
    def draining(self) -> bool:
        """Whether the connection must not carry another exchange."""
        return self._host.draining

    def write(self, data: bytes) -> None:
        """Give bytes to the socket."""
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.write(data)

    def pause_reading(self) -> None:
        """Read no more of the request for now."""
        self._is_paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Continue to read the request."""
        self._is_paused = False
        self._resume_transport()

    def finish(self, *, keep_alive: bool) -> None:
        """End the exchange, and read the next request or end the connection."""
        self._handler, self.begun = None, None
        was_paused, self._is_paused = self._is_paused, False
        waiting = self._requests.waiting_bytes
        if not keep_alive or ((self._is_half_closed or self._host.draining) and not waiting):
            self._leave()
        else:
            self.state = _ON_FINISHED[self.state]
            if waiting:
                self._begin_request()
                self._deadline.set(self._timeouts.head)
                self._read(None)
            else:
                self._deadline.set(self._timeouts.keepalive)
                self._requests.finish_request()
            if waiting or was_paused:
                self._resume_transport()
        self._host.connection_idle()

    def abort(self, *, reset: bool) -> None:
        """End the connection within a response, so that what was sent does not look complete."""
        self._handler, self.begun = None, None
        if reset:
            self._reset()
        else:
            self._leave()
        self._host.connection_idle()

    # What the listener does with it.

    @property
    def is_busy(self) -> bool:
        """Whether bytes have come whose exchange has not ended."""
        return _READING_HEAD <= self.state <= _RECEIVING_BODY

    def close_idle(self) -> None:
        """End the connection when all that was written has left."""
        if self._transport is not None:
            self._transport.close()

    def refuse_connection(self) -> None:
        """Respond with 503 before any request, and end the connection: the server has too many."""
        self.write(b"".join(error_response(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections.", keep_alive=False)))
        self.state = _ON_CLOSE[self.state]
        self._requests.close()
        self._deadline.clear()
        self.close_idle()

    def close(self) -> None:
        """End the exchange and the connection, so that no client takes this for the end of a response."""
        handler, self._handler = self._handler, None
        self._requests.close()
        if handler is not None:
            handler.on_shutdown()
        self._reset()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read requests."""
        self._transport = cast("asyncio.Transport", transport)
        self._is_tls = is_tls(transport)
        self._deadline.set(self._timeouts.keepalive)
        self._host.connection_opened(self)

    def data_received(self, data: bytes) -> None:
        """Read requests."""
        state = self.state
        if state is _IDLE:
            self._begin_request()
            self._read(data)
            if self.state is _READING_HEAD:
                self._deadline.set(self._timeouts.head)
        elif state < ClientState.LEAVING:
            self._body_bytes += len(data)
            self._read(data)

    def eof_received(self) -> bool:
        """Handle the end of the client's side; returns whether our side stays open for the response.

        With TLS it never does: the event loop ends both sides, so the client that has ended its own gets no response.
        """
        handler = self._handler
        if handler is None or self._transport is None:
            return False
        is_streaming = handler.response_started and not handler.response_sent and not self._requests.waiting_bytes
        if self.state is _RECEIVING_BODY or is_streaming or self._is_tls:
            self._lose()
            return False
        self._is_half_closed = True
        if self._http11 and not handler.response_started:
            self.write(CONTINUE_HEAD)
            self._reset_check = ResetCheck(self._transport)
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """Give up the exchange and the timers."""
        self._lose()
        self._deadline.stop()
        if self._next_turn is not None:
            self._next_turn.cancel()
        if self._reset_check is not None:
            self._reset_check.stop()
        self._host.connection_closed(self)

    def pause_writing(self) -> None:
        """Hold the response back, since the client does not read."""
        self._is_full = True
        self._deadline.set(self._timeouts.stall)
        if self._handler is not None:
            self._handler.on_client_full(full=True)

    def resume_writing(self) -> None:
        """Continue the response."""
        self._is_full = False
        self._deadline.set(self._timeouts.linger if self.state is ClientState.LEAVING else self._timeouts.keepalive)
        if self._handler is not None:
            self._deadline.clear()
            self._handler.on_client_full(full=False)

    # The states.

    def _begin_request(self) -> None:
        self.begun = self._timer()
        self.state = _ON_BYTES[self.state]

    def _on_head(self, head: RequestHead) -> RequestEvents:
        self._http11 = head.http11
        self._body_bytes = 0
        self._handler = handler = self._host.on_request(head, self)
        self.state = _ON_HEAD[self.state]
        return handler

    def _read(self, data: bytes | None) -> None:
        """Read the next bytes, or the request that waited for the end of the exchange, and note what is to come."""
        requests = self._requests
        try:
            if data is None:
                requests.finish_request()
            else:
                requests.feed(data)
        except RefusedError as error:
            self._refuse(error.status, error.sentence)
        except Exception:  # noqa: BLE001 - a bug in driftgauge ends one exchange, not the loop
            self._on_internal_error()
        state = self.state
        if state is _IN_EXCHANGE or state is _RECEIVING_BODY:
            self._check_body(state, is_awaited=requests.is_receiving)
        elif state is _READING_HEAD and requests.is_idle:
            self._skip_empty_line()
        if requests.is_behind:
            self._wait_for_turn()

    def _wait_for_turn(self) -> None:
        """Read no more bytes, and read those that wait in the next turn of the loop: others get theirs before."""
        if self._transport is not None:
            self._transport.pause_reading()
        if self._next_turn is None:
            self._next_turn = asyncio.get_running_loop().call_soon(self._read_more)

    def _read_more(self) -> None:
        """Read bytes that waited for their turn, unless the handler has paused reading."""
        self._next_turn = None
        if self._is_paused or not self._requests.is_behind:
            return
        self._read(b"")
        is_waiting = self.state is _IN_EXCHANGE and self._requests.waiting_bytes > READ_BYTES
        if not is_waiting and self.state < ClientState.LEAVING:
            self._resume_transport()

    def _resume_transport(self) -> None:
        """Unless the handler has paused reading: read what the client sends, or first the bytes that wait."""
        if self._is_paused:
            return
        if self._requests.is_behind:
            self._wait_for_turn()
        elif self._transport is not None:
            self._transport.resume_reading()

    def _check_body(self, state: ClientState, *, is_awaited: bool) -> None:
        """Limit the time for the rest of the body, or note that it is complete."""
        if is_awaited:
            if state is _IN_EXCHANGE:
                self.state = _ON_BODY_AWAITED[state]
                self._deadline.set(self._timeouts.body)
            return
        if state is _RECEIVING_BODY:
            self.state = _ON_BODY_COMPLETE[state]
        # The model may take its time; what the client sends meanwhile must not pile up.
        if not self._is_full:
            self._deadline.clear()
        if self._requests.waiting_bytes > READ_BYTES and self._transport is not None:
            self._transport.pause_reading()

    def _skip_empty_line(self) -> None:
        self.begun = None
        self.state = _ON_EMPTY_LINE[self.state]
        self._deadline.set(self._timeouts.keepalive)

    def _refuse(self, status: int, sentence: str) -> None:
        self.write(b"".join(error_response(status, sentence, keep_alive=False)))
        self._leave()

    def _on_internal_error(self) -> None:
        fields = {} if self._handler is None else self._handler.log_fields
        _log.exception("an exchange failed because of a bug in driftgauge", extra={"fields": fields})
        if self._handler is not None:
            self._handler.on_internal_error()
        elif self.state is _READING_HEAD:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "The server met an error.")
        else:
            self._reset()

    def _leave(self) -> None:
        """End our side, and discard what the client still sends: a reset would destroy the response."""
        self.begun = None
        self._requests.close()
        transport = self._transport
        if (self._is_half_closed or self._is_tls) and transport is not None:
            self.state = _ON_CLOSE[self.state]
            transport.close()  # with TLS the event loop discards what still comes, until the client ends its side
            return
        self.state = _ON_LEAVE[self.state]
        if transport is not None and not transport.is_closing():
            transport.write_eof()
            transport.resume_reading()
            self._deadline.set(self._timeouts.linger)

    def _lose(self) -> None:
        self.state = _ON_CLOSE[self.state]
        handler, self._handler = self._handler, None
        self._requests.close()
        if handler is not None:
            handler.on_client_lost()
            self._host.connection_idle()

    def _reset(self) -> None:
        self.state = _ON_CLOSE[self.state]
        transport = self._transport
        if transport is None:
            return
        if not transport.is_closing():
            sock = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()

    # Limits of time.

    def _on_deadline(self) -> None:
        handler = self._handler
        if handler is None:
            self._on_deadline_without_exchange()
        elif self.state is not _RECEIVING_BODY:
            self._abort_transport()
        elif self._is_paused or handler.response_started or self._body_bytes >= self._timeouts.body_bytes:
            self._body_bytes = 0
            self._deadline.set(self._timeouts.body)
        else:
            handler.on_timeout()

    def _on_deadline_without_exchange(self) -> None:
        if self.state is _READING_HEAD:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The head of the request did not come in time.")
        elif self.state is _IDLE:
            self.close_idle()
        else:
            self._abort_transport()

    def _abort_transport(self) -> None:
        if self._transport is not None:
            self._transport.abort()
