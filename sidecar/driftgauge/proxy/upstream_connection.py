"""One connection to the model server: gives its bytes to whoever waits for an answer."""

import asyncio
import logging
import os
import select
from collections.abc import Callable
from typing import cast

from driftgauge.http1.grammar import READ_BYTES
from driftgauge.http1.heads import ResponseHead, read_response
from driftgauge.http1.http_errors import BadResponseError
from driftgauge.http1.responses import ResponseReader
from driftgauge.proxy.interfaces import ResponseHandler
from driftgauge.server.timeouts import Deadline

_log = logging.getLogger("driftgauge.proxy")


class UpstreamConnection(asyncio.Protocol):
    """Serves one exchange at a time.

    Args:
        on_lost: Called with the link when its connection is gone.
        read: Reads heads, and may know those of other links.
    """

    def __init__(
        self, on_lost: Callable[["UpstreamConnection"], None], read: Callable[[bytes], ResponseHead] = read_response
    ) -> None:
        self.is_used_again = False
        self.has_heard = False
        self.loop = asyncio.get_running_loop()
        self.gone: asyncio.Future[None] = self.loop.create_future()
        self._on_lost = on_lost
        self._user: ResponseHandler | None = None
        self._is_paused = False
        self._responses = ResponseReader(read)
        self._deadline = Deadline(self._late)
        self._poll = select.poll()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    # What an exchange does with it: see `UpstreamWriter`.

    def begin(self, method: bytes, receiver: ResponseHandler) -> None:
        """Expect the answer to a request."""
        self._user = receiver
        self._responses.expect(method, receiver)
        self.has_heard = False

    def write(self, data: bytes) -> bool:
        """Give bytes to the socket; says whether it took them, or keeps them for it."""
        if self._transport.is_closing():
            return False
        self._transport.write(data)
        return not self._transport.is_closing()

    def hold(self) -> None:
        """Read no more of the answer for now."""
        self._is_paused = True
        self._transport.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        self._is_paused = False
        self._transport.resume_reading()

    def limit_silence(self, seconds: float | None) -> None:
        """From now on fail after so long without a byte, or never."""
        if seconds is None:
            self._deadline.clear()
        else:
            self._deadline.set(seconds)

    def rest(self) -> bool:
        """The exchange has ended well; says whether the connection can carry another."""
        self._user = None
        self._deadline.clear()
        self.is_used_again = True
        if self._is_paused:
            self.go_on()
        return self._responses.leaves_open and not self._transport.is_closing()

    def abort(self) -> None:
        """End the connection at once, and tell nothing more."""
        self._user = None
        self._responses.forget()
        self._deadline.stop()
        self._transport.abort()

    @property
    def is_quiet(self) -> bool:
        """Whether it is open, and nothing unread on it, not even the end of the connection."""
        return not self._transport.is_closing() and not self._poll.poll(0)

    # What the loop calls.

    def data_received(self, data: bytes) -> None:
        """Passes bytes on; such as nobody waits for make the connection useless."""
        self.has_heard = True
        if self._user is None:
            self.abort()
            return
        try:
            self._responses.feed(data)
        except BadResponseError as error:
            self._fail(error)
        except Exception:  # noqa: BLE001 - a fault of ours ends one exchange, not the loop
            self._fault()

    def eof_received(self) -> bool:
        """The end of the connection may be the end of the answer."""
        self._finish(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """A reset is no end of an answer, but what came before it counts."""
        if exc is not None and self._transport.get_extra_info("sslcontext") is None:
            self._read_what_is_left()
        self._finish(exc)
        self._deadline.stop()
        self._on_lost(self)
        if not self.gone.done():
            self.gone.set_result(None)

    def pause_writing(self) -> None:
        """The model server does not read."""
        if self._user is not None:
            self._user.link_full(full=True)

    def resume_writing(self) -> None:
        """It reads again."""
        if self._user is not None:
            self._user.link_full(full=False)

    def _read_what_is_left(self) -> None:
        """Read the answer of a model server that closed while it was still being sent a body.

        Writing to it fails then, and asyncio gives the connection up with the answer unread; but its socket is open
        until `connection_lost` returns.
        """
        try:
            fileno = self._transport.get_extra_info("socket").fileno()
            while self._user is not None and (data := os.read(fileno, READ_BYTES)):
                self.data_received(data)
        except OSError:
            return

    def _finish(self, exc: Exception | None) -> None:
        if self._user is None:
            return
        if exc is not None:
            self._fail(exc)
            return
        try:
            self._responses.end()
        except BadResponseError:
            self._fail(ConnectionResetError("the connection ended before the answer"))
        except Exception:  # noqa: BLE001 - a fault of ours ends one exchange, not the loop
            self._fault()

    def _late(self) -> None:
        self._fail(TimeoutError("the model server was silent"))

    def _fail(self, error: Exception) -> None:
        user = self._user
        if user is None:
            return
        try:
            user.failed(error)
        except Exception:  # noqa: BLE001 - a fault of ours ends one exchange, not the loop
            self._fault()
        self.abort()

    def _fault(self) -> None:
        user, self._user = self._user, None
        _log.exception("an exchange met a fault of ours")
        self.abort()
        if user is not None:
            user.fault()
