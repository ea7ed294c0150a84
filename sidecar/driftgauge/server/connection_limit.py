"""The limit on the number of connections of a data port."""

import logging
from collections.abc import Callable
from typing import Final, final

_log = logging.getLogger("driftgauge.server")

DEFAULT_MAX_CONNECTIONS: Final = 16_384
"""More than the proxies of a large mesh keep open; each needs 6 kB when it is idle."""

_LOG_INTERVAL_SECONDS: Final = 10.0
"""Least time between two log lines about refused connections."""


@final
class ConnectionLimit:
    """Decides whether one more connection is served; counts those that are not, and logs them at a limited rate.

    Args:
        most: Number of connections that may be open at once.
        count: Called for each connection that is refused.
        timer: Seconds of a monotonic clock.
    """

    def __init__(self, most: int, count: Callable[[], None], timer: Callable[[], float]) -> None:
        self._most = most
        self._count = count
        self._timer = timer
        self._next_line = float("-inf")
        self._unlogged = 0

    def admits(self, others: int) -> bool:
        """Whether a connection is served beside this number of others; if not, it is counted as refused."""
        if others < self._most:
            return True
        self._count()
        now = self._timer()
        if now < self._next_line:
            self._unlogged += 1
        else:
            _log.warning(
                "a connection was refused: %d are open, and max_connections allows no more "
                "(%d refused since the last line)",
                others,
                self._unlogged,
            )
            self._next_line, self._unlogged = now + _LOG_INTERVAL_SECONDS, 0
        return False
