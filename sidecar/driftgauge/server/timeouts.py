"""Limits of time, and a deadline that can be moved at every request at almost no cost."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import final


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of time, in seconds.

    Args:
        head: For a request head, from its first byte on; as nginx.
        body: How often a client that sends a body is checked. It must have sent `body_bytes` since the last check,
            unless we paused reading or the response has begun.
        body_bytes: 240 bytes a second, as Kestrel requires.
        stall: For reading some of a response that is waiting.
        keepalive: For the next request: longer than the 90 s of Go's connection pools in front of us, so that they
            close first and never send a request on a connection that is closing.
        linger: For the rest of an upload after an early response. It is read and discarded, so that a reset does not
            destroy the response.
    """

    head: float = 60.0
    body: float = 30.0
    body_bytes: int = 30 * 240
    stall: float = 120.0
    keepalive: float = 120.0
    linger: float = 10.0


@final
class Deadline:
    """Calls back once when its time has passed.

    Args:
        on_late: Called then.

    Notes:
        Timers of the loop are expensive to set and to cancel, and a busy connection moves its deadline twice per
        request. So moving it later only writes the new time down and leaves the timer as it is; the timer then fires
        too early, sees the time that was written down, and is set again for it. Only moving it earlier than the timer
        sets the timer at once. Example: a keep-alive limit of 120 s, moved by each of 1,000 requests a second. The
        timer fires once after 120 s and is set again for the time of the last request plus 120 s: one timer instead of
        120,000. `clear` leaves the timer too; it fires, finds no time, and is gone.
    """

    __slots__ = ("_at", "_loop", "_on_late", "_timer")

    def __init__(self, on_late: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_late = on_late
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """Move it to that many seconds from now."""
        at = self._at = self._loop.time() + seconds
        timer = self._timer
        if timer is None:
            self._timer = self._loop.call_at(at, self._check)
        elif timer.when() > at:
            timer.cancel()
            self._timer = self._loop.call_at(at, self._check)

    def clear(self) -> None:
        """Have no deadline for now."""
        self._at = None

    def stop(self) -> None:
        """Have no deadline any more."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._loop.time() < self._at:
            self._timer = self._loop.call_at(self._at, self._check)
            return
        self._at = None
        self._on_late()
