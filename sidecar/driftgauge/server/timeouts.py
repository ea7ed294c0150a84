"""A moment by which something must have happened, which may be moved at every request and costs next to nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of time, in seconds.

    Args:
        head: For a head, from its first byte on; as nginx.
        body: How often a client that sends a body is looked at. It must have sent `body_bytes` since, unless we held it
            back or it is being answered already.
        body_bytes: 240 bytes a second, as Kestrel asks.
        stall: For reading some of an answer that is waiting.
        keepalive: For the next request: longer than the 90 s of Go's pools in front of us, so that they close first and
            never send a request on a connection that is closing.
        linger: For the rest of an upload after an early answer, which is read away, so that a reset does not destroy
            the answer.
    """

    head: float = 60.0
    body: float = 30.0
    body_bytes: int = 30 * 240
    stall: float = 120.0
    keepalive: float = 120.0
    linger: float = 10.0


class Deadline:
    """Calls back when its moment has passed.

    Args:
        on_late: Called then, once.

    Notes:
        Moving it later leaves the timer alone: a timer that comes too early is set again. So a connection sets one
        timer in its limit's time, not one for each request.
    """

    __slots__ = ("_at", "_loop", "_on_late", "_timer")

    def __init__(self, on_late: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_late = on_late
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """From now on it is so many seconds away."""
        at = self._at = self._loop.time() + seconds
        timer = self._timer
        if timer is None:
            self._timer = self._loop.call_at(at, self._look)
        elif timer.when() > at:
            timer.cancel()
            self._timer = self._loop.call_at(at, self._look)

    def clear(self) -> None:
        """There is none for now."""
        self._at = None

    def stop(self) -> None:
        """There will never be one again."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._loop.time() < self._at:
            self._timer = self._loop.call_at(self._at, self._look)
            return
        self._at = None
        self._on_late()
