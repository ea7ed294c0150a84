"""Finds out whether a client that has ended its side of a connection still waits for the response.

A client that shut down its side and one that is gone look the same: both send a FIN. But an interim response, which
every HTTP/1.1 client must ignore, brings a reset from a client that is gone (RFC 9110 section 15.2; RFC 1122 section
4.2.2.13). So `100 Continue` is sent, and the socket is polled for the reset: soon at first, then less often.
"""

import asyncio
import select
from typing import Final, final

_FIRST_CHECK_SECONDS: Final = 0.005
_LAST_CHECK_SECONDS: Final = 1.0


@final
class ResetCheck:
    """Polls a socket until the other end has reset it, and aborts its transport then.

    Args:
        transport: Of a connection whose client has ended its side.
    """

    __slots__ = ("_poll", "_timer", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._poll = select.poll()
        self._poll.register(transport.get_extra_info("socket").fileno(), 0)
        self._timer = self._check_after(_FIRST_CHECK_SECONDS)

    def stop(self) -> None:
        """Poll no more."""
        self._timer.cancel()

    def _check_after(self, seconds: float) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        return loop.call_later(seconds, self._check, min(2 * seconds, _LAST_CHECK_SECONDS))

    def _check(self, next_seconds: float) -> None:
        if self._transport.is_closing():
            return
        if self._poll.poll(0):
            self._transport.abort()
        else:
            self._timer = self._check_after(next_seconds)
