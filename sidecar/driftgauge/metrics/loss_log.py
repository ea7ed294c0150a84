"""Writes to the log what counters count: one line for each cause and interval, whatever the traffic."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, final

_log = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 60.0
"""Least time between two lines of one cause."""

_MAX_CHARS: Final = 300
"""Longest sentence in a line; the rest is cut. Sentences may quote what a sender sent."""


@dataclass(slots=True)
class _Cause:
    next_line: float
    unlogged: int = 0


@final
class LossLog:
    """Warns of losses and faults, at most once per cause and interval. A line has the first loss as example.

    Args:
        timer: Monotonic time in seconds.
    """

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._causes: dict[str, _Cause] = {}

    def add(self, cause: str, sentence: str, fields: Callable[[], Mapping[str, object]] = dict) -> None:
        """Log a loss, or count it for the next line of its cause.

        Args:
            cause: What happened, in words that begin the line. One of a closed set.
            sentence: What happened to this one.
            fields: Returns the fields of a line in JSON; called only if a line is written.
        """
        self._write(cause, f"{cause}: {sentence[:_MAX_CHARS]}", fields)

    def add_fault(self, cause: str, sentence: str, advice: str, fields: Callable[[], Mapping[str, object]]) -> bool:
        """Log a fault with what to do about it, or count it for the next line of its cause.

        Args:
            cause: A name of the fault, which no line shows. One of a closed set.
            sentence: What failed, and why.
            advice: What to do, as it reads after a colon.
            fields: As in `add`.

        Returns:
            Whether it was logged.
        """
        return self._write(cause, f"{sentence[:_MAX_CHARS]}: {advice}", fields)

    def _write(self, cause: str, line: str, fields: Callable[[], Mapping[str, object]]) -> bool:
        now = self._timer()
        known = self._causes.get(cause)
        if known is not None and now < known.next_line:
            known.unlogged += 1
            return False
        since = f" ({known.unlogged} more since the last line)" if known is not None and known.unlogged else ""
        _log.warning("%s%s", line, since, extra={"fields": fields()})
        self._causes[cause] = _Cause(now + INTERVAL_SECONDS)
        return True
