"""One connection to the model server, which carries one exchange after another."""

import asyncio
import logging
import os
import select
from collections.abc import Callable
from typing import Final, cast, final

from driftgauge.http1.grammar import READ_BYTES, BadResponseError
from driftgauge.http1.head_parser import read_response
from driftgauge.http1.heads import ResponseHead
from driftgauge.http1.responses import ResponseReader
from driftgauge.http1.states import UPSTREAM_TRANSITIONS, UpstreamEvent, UpstreamState
from driftgauge.proxy.acknowledgement import acknowledged_bytes
from driftgauge.proxy.interfaces import ResponseHandler
from driftgauge.server.timeouts import Deadline

_log = logging.getLogger("driftgauge.proxy")

_AWAITING: Final = UpstreamState.AWAITING
_ON_BEGIN: Final = UPSTREAM_TRANSITIONS[UpstreamEvent.BEGIN]
_ON_BYTES: Final = UPSTREAM_TRANSITIONS[UpstreamEvent.BYTES]
_ON_RELEASE: Final = UPSTREAM_TRANSITIONS[UpstreamEvent.RELEASE]
_ON_CLOSE: Final = UPSTREAM_TRANSITIONS[UpstreamEvent.CLOSE]


@final
class UpstreamConnection(asyncio.Protocol):
    """Carries one exchange at a time; `UpstreamState` has its states.

    Args:
        on_lost: Called with the connection when it is gone.
        read: Parses heads; may share a cache with other connections.

    Attributes:
        state: Changed only as `UPSTREAM_TRANSITIONS` says.
        is_reused: Whether it carried an exchange before the present one.
        is_acknowledged: Whether it ended after bytes of the present exchange were acknowledged. Not known over TLS.
        loop: Its event loop.
        gone: Done when the connection is gone.
    """

    def __init__(
        self, on_lost: Callable[["UpstreamConnection"], None], read: Callable[[bytes], ResponseHead] = read_response
    ) -> None:
        self.state = UpstreamState.NEW
        self.is_reused = False
        self.is_acknowledged = False
        self.loop = asyncio.get_running_loop()
        self.gone: asyncio.Future[None] = self.loop.create_future()
        self._on_lost = on_lost
        self._handler: ResponseHandler | None = None
        self._transport: asyncio.Transport | None = None
        self._is_paused = False
        self._responses = ResponseReader(read)
        self._deadline = Deadline(self._on_deadline)
        self._poll = select.poll()
        self._next_turn: asyncio.Handle | None = None
        self._has_ended = False
        self._error: Exception | None = None
        self._rest: int | None = None
        self._written_bytes = 0
        self._written_before = 0

    # What an exchange does with the connection: see `UpstreamWriter`.

    @property
    def is_silent(self) -> bool:
        """Whether no byte has come since the exchange began."""
        return self.state is _AWAITING

    def begin(self, method: bytes, handler: ResponseHandler) -> None:
        """Expect the response to a request."""
        self.is_reused = self.state is UpstreamState.IDLE
        self.state = _ON_BEGIN[self.state]
        self._handler = handler
        self._written_before = self._written_bytes
        self._responses.expect(method, handler)

    def write(self, data: bytes) -> bool:
        """Give bytes to the socket; returns whether the connection took them, or buffers them."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        transport.write(data)
        self._written_bytes += len(data)
        return not transport.is_closing()

    def pause_reading(self) -> None:
        """Read no more of the response for now."""
        self._is_paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Continue to read the response, first the bytes that wait for their turn."""
        self._is_paused = False
        if self._has_waiting:
            self._wait_for_turn()
        elif self._transport is not None:
            self._transport.resume_reading()

    def limit_silence(self, seconds: float | None) -> None:
        """Fail after that long without a byte, or never."""
        if seconds is None:
            self._deadline.clear()
        else:
            self._deadline.set(seconds)

    def abort(self) -> None:
        """End the connection at once, and report nothing more."""
        self.state = _ON_CLOSE[self.state]
        self._handler = None
        self._responses.forget()
        self._close_rest()
        self._deadline.stop()
        if self._transport is not None:
            self._transport.abort()

    # What the pool does with it.

    def release(self) -> bool:
        """End the exchange; returns whether the connection can carry another."""
        transport = self._transport
        self._handler = None
        self._deadline.clear()
        if transport is None or transport.is_closing() or self._has_ended or not self._responses.leaves_open:
            return False
        self.state = _ON_RELEASE[self.state]
        if self._is_paused:
            self.resume_reading()
        return True

    @property
    def is_quiet(self) -> bool:
        """Whether it is open and nothing on it is unread, not even the end of the connection."""
        return self._transport is not None and not self._transport.is_closing() and not self._poll.poll(0)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Get ready for the first exchange."""
        self._transport = cast("asyncio.Transport", transport)
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Read the response; bytes outside an exchange make the connection useless."""
        if self._handler is None:
            self.abort()
            return
        self.state = _ON_BYTES[self.state]
        self._read(data)

    def _read(self, data: bytes) -> None:
        """Read bytes, after those that waited for their turn."""
        try:
            self._responses.feed(data)
        except BadResponseError as error:
            self._fail(error)
        except Exception:  # noqa: BLE001 - a bug in driftgauge ends one exchange, not the loop
            self._on_internal_error()
        if self._responses.is_behind:
            self._wait_for_turn()

    def _wait_for_turn(self) -> None:
        """Read no more bytes, and read those that wait in the next turn of the loop: others get theirs before."""
        if self._transport is not None and not self._has_ended:
            self._transport.pause_reading()
        if self._next_turn is None:
            self._next_turn = self.loop.call_soon(self._read_more)

    def _read_more(self) -> None:
        """Read bytes that waited for their turn, unless the exchange has paused reading; then what follows them."""
        self._next_turn = None
        if self._has_waiting and self._is_paused:
            return
        if self._responses.is_behind:
            self._read(b"")
        elif self._rest is not None:
            self._read_rest(self._rest)
        if self._has_waiting:
            self._wait_for_turn()
        elif self._has_ended:
            self._end()
        elif not self._is_paused:
            self.resume_reading()

    @property
    def _has_waiting(self) -> bool:
        """Whether bytes wait for their turn: some that were read, or some in the socket of a lost connection."""
        return self._responses.is_behind or self._rest is not None

    def eof_received(self) -> bool:
        """Handle the end of the connection, which may be the end of the response."""
        self._begin_end(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle a lost connection: a reset does not end a response, but what came before it is read.

        A model server may respond and close while it is still being sent a body. Writing to it fails then, and asyncio
        gives the connection up with the response unread.
        """
        if exc is not None and not self._has_ended:
            self._keep_rest()
        self._begin_end(exc)
        self._on_lost(self)
        if not self.gone.done():
            self.gone.set_result(None)

    def _begin_end(self, exc: Exception | None) -> None:
        """Read what waits, some in each turn, and end the exchange after it."""
        if not self._has_ended:
            self._has_ended, self._error = True, exc
            self.is_acknowledged = self._is_acknowledged()
        if self._next_turn is None:
            self._read_more()

    def _is_acknowledged(self) -> bool:
        """Whether the model server's system has acknowledged bytes of the exchange; false if that is not known."""
        transport = self._transport
        if self.state is not _AWAITING or transport is None or transport.get_extra_info("sslcontext") is not None:
            return False  # over TLS other bytes are sent than were written
        return acknowledged_bytes(transport.get_extra_info("socket")) > self._written_before

    def pause_writing(self) -> None:
        """Hold the request back, since the model server does not read."""
        if self._handler is not None:
            self._handler.on_upstream_full(full=True)

    def resume_writing(self) -> None:
        """Continue the request."""
        if self._handler is not None:
            self._handler.on_upstream_full(full=False)

    def _keep_rest(self) -> None:
        """Keep what is unread in the socket, by a duplicate of it: asyncio closes the socket itself."""
        transport = self._transport
        if self._handler is not None and transport is not None and transport.get_extra_info("sslcontext") is None:
            self._rest = os.dup(transport.get_extra_info("socket").fileno())

    def _read_rest(self, fileno: int) -> None:
        """Read some of the bytes in the socket of a lost connection."""
        try:
            data = os.read(fileno, READ_BYTES)
        except OSError:
            data = b""
        if data and self._handler is not None:
            self.data_received(data)
        else:
            self._close_rest()

    def _close_rest(self) -> None:
        if self._rest is not None:
            os.close(self._rest)
            self._rest = None

    def _end(self) -> None:
        """End the exchange, since the connection has ended and all bytes are read."""
        if self._handler is not None:
            if self._error is not None:
                self._fail(self._error)
            else:
                self._end_response()
        self.state = _ON_CLOSE[self.state]
        self._deadline.stop()

    def _end_response(self) -> None:
        try:
            self._responses.end()
        except BadResponseError:
            self._fail(ConnectionResetError("the connection ended before the response"))
        except Exception:  # noqa: BLE001 - a bug in driftgauge ends one exchange, not the loop
            self._on_internal_error()

    def _on_deadline(self) -> None:
        self._fail(TimeoutError("the model server was silent"))

    def _fail(self, error: Exception) -> None:
        handler = self._handler
        if handler is None:
            return
        try:
            handler.on_upstream_error(error)
        except Exception:  # noqa: BLE001 - a bug in driftgauge ends one exchange, not the loop
            self._on_internal_error()
        self.abort()

    def _on_internal_error(self) -> None:
        handler, self._handler = self._handler, None
        fields = {} if handler is None else handler.log_fields
        _log.exception("an exchange failed because of a bug in driftgauge", extra={"fields": fields})
        self.abort()
        if handler is not None:
            handler.on_internal_error()
