"""The clients' side: one connection of a client, on which one exchange follows the other."""

import asyncio
import logging
import select
import socket
import struct
from collections.abc import Callable
from typing import Protocol, cast

from driftgauge.http1.grammar import READ_BYTES
from driftgauge.http1.heads import RequestHead, read_request
from driftgauge.http1.http_errors import FAULT, TIMED_OUT, RefusedError
from driftgauge.http1.requests import RequestEvents, RequestReader
from driftgauge.http1.writing import error_response
from driftgauge.server.timeouts import Deadline, Timeouts

_log = logging.getLogger("driftgauge.server")

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_FIRST_LOOK_SECONDS = 0.005
_LAST_LOOK_SECONDS = 1.0


class RequestHandler(RequestEvents, Protocol):
    """An exchange, or the page of metrics, as a client's connection sees it."""

    @property
    def response_started(self) -> bool:
        """Whether any of the answer was given to the client."""

    @property
    def has_responded(self) -> bool:
        """Whether the answer's end was."""

    def request_late(self) -> None:
        """The client is too slow with its body."""

    def client_full(self, *, full: bool) -> None:
        """The client does not read what was said, or reads again."""

    def client_left(self) -> None:
        """The client's connection is gone."""

    def cut(self) -> None:
        """The proxy closes."""

    def fault(self) -> None:
        """The proxy itself met an error."""


class Host(Protocol):
    """Who is behind a client's connection: accepts it, and begins to see to its requests."""

    @property
    def draining(self) -> bool:
        """Whether connections are not to be used again."""

    def talk(self, head: RequestHead, connection: "ClientConnection") -> RequestHandler:
        """Begin to see to a request."""

    def came(self, connection: "ClientConnection") -> None:
        """A connection was accepted."""

    def left(self, connection: "ClientConnection") -> None:
        """A connection is gone."""

    def rested(self) -> None:
        """A connection has nothing under way any longer."""


class ClientConnection(asyncio.Protocol):
    """One connection of a client.

    Args:
        host: Who accepted it.
        timer: Seconds of a clock that never goes back.
        timeouts: How long it is waited for.
        read: Reads heads, and may know those of other connections.
    """

    def __init__(
        self,
        host: Host,
        timer: Callable[[], float],
        timeouts: Timeouts,
        read: Callable[[bytes], RequestHead] = read_request,
    ) -> None:
        self.begun: float | None = None
        """When the first byte of what is under way came."""
        self._host = host
        self._timer = timer
        self._timeouts = timeouts
        self._requests = RequestReader(self._handle, read)
        self._talk: RequestHandler | None = None
        self._deadline = Deadline(self._late)
        self._body_bytes = 0
        self._is_timed = False
        self._http11 = True
        self._is_paused = False
        self._has_finished = False
        self._is_leaving = False
        self._look: asyncio.TimerHandle | None = None

    # What an exchange does with it: see `ClientWriter`.

    def say(self, data: bytes) -> None:
        """Give bytes to the socket."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def hold(self) -> None:
        """Read no more of the request for now."""
        self._is_paused = True
        self._transport.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        self._is_paused = False
        self._transport.resume_reading()

    def over(self, *, stays: bool) -> None:
        """The exchange has ended; see to what waits behind it, or end the connection."""
        self._talk, self.begun = None, None
        was_paused, self._is_paused = self._is_paused, False
        waiting = self._requests.waiting_bytes
        if not stays or ((self._has_finished or self._host.draining) and not waiting):
            self._leave()
        elif waiting or was_paused:
            self._deadline.set(self._timeouts.head if waiting else self._timeouts.keepalive)
            if waiting:
                self.begun = self._timer()
            self._read(b"")
        else:
            self._deadline.set(self._timeouts.keepalive)
            self._requests.over()
        self._host.rested()

    def break_off(self, *, reset: bool) -> None:
        """End the connection within an answer, so that what was said cannot be taken for all."""
        self._talk, self.begun = None, None
        if reset:
            self.reset()
        else:
            self._leave()
        self._host.rested()

    # What the proxy does with it.

    @property
    def is_busy(self) -> bool:
        """Whether bytes have come whose exchange has not ended."""
        return self._talk is not None or not self._requests.is_idle

    def close(self) -> None:
        """End the connection when what was said has left."""
        self._transport.close()

    def cut(self) -> None:
        """End what is under way and the connection with it, in a way that no client can take for an answer's end."""
        talk, self._talk = self._talk, None
        self._requests.close()
        if talk is not None:
            talk.cut()
        self.reset()

    def reset(self) -> None:
        """End the connection at once."""
        sock = self._transport.get_extra_info("socket")
        if not self._transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)
        self._deadline.set(self._timeouts.keepalive)
        self._host.came(self)

    def data_received(self, data: bytes) -> None:
        """Reads requests."""
        if self._is_leaving:
            return
        self._body_bytes += len(data)
        if self.begun is None:
            self.begun = self._timer()
            self._read(data)
            self._see_to_head()
        else:
            self._read(data)

    def eof_received(self) -> bool:
        """The client sends no more: it waits for its answer, or it has left."""
        talk = self._talk
        if talk is None or self._is_leaving:
            return False
        said_some = talk.response_started and not talk.has_responded and not self._requests.waiting_bytes
        if self._requests.is_receiving or said_some:
            self._lose()
            return False
        self._has_finished = True
        if self._http11 and not talk.response_started:
            # Both look the same. But a word before the answer, which every client of HTTP/1.1 must pass over, brings a
            # reset from a client that is gone (RFC 9110 section 15.2; RFC 1122 section 4.2.2.13).
            self.say(_CONTINUE)
            self._look_after(_FIRST_LOOK_SECONDS)
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """It is gone."""
        self._lose()
        self._deadline.stop()
        if self._look is not None:
            self._look.cancel()
        self._host.left(self)

    def pause_writing(self) -> None:
        """The client does not read."""
        self._deadline.set(self._timeouts.stall)
        if self._talk is not None:
            self._talk.client_full(full=True)

    def resume_writing(self) -> None:
        """It reads again."""
        self._deadline.set(self._timeouts.linger if self._is_leaving else self._timeouts.keepalive)
        if self._talk is not None:
            self._deadline.clear()
            self._talk.client_full(full=False)

    def _handle(self, head: RequestHead) -> RequestEvents:
        self._http11 = head.http11
        self._body_bytes = 0
        self._is_timed = False
        self._talk = self._host.talk(head, self)
        return self._talk

    def _read(self, data: bytes) -> None:
        requests = self._requests
        try:
            if data:
                requests.feed(data)
            else:
                requests.over()
        except RefusedError as error:
            self._refuse(error.status, error.sentence)
        except Exception:  # noqa: BLE001 - a fault of ours ends one exchange, not the loop
            self._fault()
        else:
            if self._talk is not None:
                self._see_to_body(requests)
        if not data and not self._is_paused:
            self._transport.resume_reading()

    def _see_to_head(self) -> None:
        """A head that has begun has its time."""
        if self._talk is None and not self._is_leaving and not self._requests.is_idle:
            self._deadline.set(self._timeouts.head)

    def _see_to_body(self, requests: RequestReader) -> None:
        """A body has its time. When it is here the client may take its own, but what it sends must not pile up."""
        if not requests.is_receiving:
            self._deadline.clear()
            if requests.waiting_bytes > READ_BYTES:
                self._transport.pause_reading()
        elif not self._is_timed:
            self._is_timed = True
            self._deadline.set(self._timeouts.body)

    def _refuse(self, status: int, sentence: str) -> None:
        self.say(b"".join(error_response(status, sentence, stays=False)))
        self._leave()

    def _fault(self) -> None:
        _log.exception("an exchange met a fault of ours")
        if self._talk is not None:
            self._talk.fault()
        else:
            self._refuse(FAULT, "The proxy met an error.")

    def _leave(self) -> None:
        """Say that no more comes, and read away what the client still sends: a reset would destroy the answer."""
        self.begun = None
        self._is_leaving = True
        self._requests.close()
        if self._has_finished:
            self._transport.close()
        elif not self._transport.is_closing():
            self._transport.write_eof()
            self._transport.resume_reading()
            self._deadline.set(self._timeouts.linger)

    def _lose(self) -> None:
        talk, self._talk = self._talk, None
        self._requests.close()
        if talk is not None:
            talk.client_left()
            self._host.rested()

    def _look_after(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._look = loop.call_later(seconds, self._look_whether_gone, min(2 * seconds, _LAST_LOOK_SECONDS))

    def _look_whether_gone(self, next_seconds: float) -> None:
        self._look = None
        if self._transport.is_closing() or self._talk is None:
            return
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), 0)
        if poll.poll(0):
            self._transport.abort()
        else:
            self._look_after(next_seconds)

    def _late(self) -> None:
        talk = self._talk
        if talk is None:
            self._late_without_talk()
        elif not self._requests.is_receiving:
            self._transport.abort()
        elif self._is_paused or talk.response_started or self._body_bytes >= self._timeouts.body_bytes:
            self._body_bytes = 0
            self._deadline.set(self._timeouts.body)
        else:
            talk.request_late()

    def _late_without_talk(self) -> None:
        if self._is_leaving:
            self._transport.abort()
        elif self._requests.is_idle:
            self._transport.close()
        else:
            self._refuse(TIMED_OUT, "The head of the request did not come in time.")
