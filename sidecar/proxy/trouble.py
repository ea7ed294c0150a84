"""Tells of trouble with the model server in few words."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from sidecar.http1.faults import ExchangeError

_log = logging.getLogger("sidecar.proxy")

_SILENCE_SECONDS = 10.0
"""Least time between two log lines about the model server."""


@dataclass(slots=True)
class TroubleLog:
    """One line, then silence for a while.

    Args:
        timer: Seconds of a clock that never goes back.
    """

    timer: Callable[[], float]
    _next: float = field(default=float("-inf"), init=False)
    _untold: int = field(default=0, init=False)

    def tell(self, error: ExchangeError) -> None:
        """Log the error, or only count it."""
        now = self.timer()
        if now < self._next:
            self._untold += 1
            return
        _log.warning("%s (%d errors since the last line)", error.sentence, self._untold)
        self._next, self._untold = now + _SILENCE_SECONDS, 0
