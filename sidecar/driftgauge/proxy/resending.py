"""Whether requests are sent again now: the switch of `failures`' policy, which turns itself off for a minute.

    RESENDING --a second try failed as well--> SUSPENDED --60 s--> RESENDING          OFF: by the option

A model server that resets whenever it reads a certain request looks like one that closes idle connections, as long as
it does so within some 40 ms (`acknowledgement` explains why). Each such request would be executed twice. The second
try shows the difference: an idle connection's end does not repeat itself on a new connection.
"""

import logging
from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Final, final

_log = logging.getLogger("driftgauge.proxy")

SUSPENDED_SECONDS: Final = 60.0
"""How long nothing is sent again after a second try that failed."""

MAX_SECOND_TRIES: Final = 16
"""Second tries that may wait for their response at once. Since the first that fails suspends all others, the model
server executes at most so many requests a second time, in vain, in `SUSPENDED_SECONDS`."""


class ResendState(IntEnum):
    """Whether requests are sent again."""

    OFF = 0
    """The option `resend` is `never`."""
    RESENDING = 1
    SUSPENDED = 2


class ResendOutcome(StrEnum):
    """What became of a second try."""

    RESPONDED = "responded"
    """The head of a response came."""
    FAILED = "failed"
    """The new connection ended, or was silent for too long, before that."""
    UNREACHABLE = "unreachable"
    """No new connection could be made; the model server cannot have executed it a second time."""
    ABANDONED = "abandoned"
    """The client left, or the proxy stopped."""


@final
class Resending:
    """Grants second tries for the requests to one model server.

    Args:
        authority: Host and port of the model server, for the log.
        is_on: Whether anything is sent again at all.
        count: Called with the outcome of each second try.
        timer: Seconds of a monotonic clock.
    """

    def __init__(
        self, authority: str, *, is_on: bool, count: Callable[[ResendOutcome], None], timer: Callable[[], float]
    ) -> None:
        self._authority = authority
        self._is_on = is_on
        self._count = count
        self._timer = timer
        self._waiting = 0
        self._resumes = float("-inf")

    @property
    def state(self) -> ResendState:
        """The state at this moment."""
        if not self._is_on:
            return ResendState.OFF
        return ResendState.SUSPENDED if self._timer() < self._resumes else ResendState.RESENDING

    def begin(self) -> "SecondTry | None":
        """Begin a second try, or return `None` if none is granted now."""
        if self.state is not ResendState.RESENDING or self._waiting >= MAX_SECOND_TRIES:
            return None
        self._waiting += 1
        return SecondTry(self._end)

    def _end(self, outcome: ResendOutcome) -> None:
        self._waiting -= 1
        self._count(outcome)
        if outcome is ResendOutcome.FAILED and self.state is ResendState.RESENDING:
            self._resumes = self._timer() + SUSPENDED_SECONDS
            _log.warning(
                "No request is sent again for %.0f s: the model server at %s failed a request on a new connection too, "
                "so it may have read it twice.",
                SUSPENDED_SECONDS,
                self._authority,
            )


@final
class SecondTry:
    """One request that is sent again.

    Args:
        on_end: Called once, with the outcome.
    """

    __slots__ = ("_on_end",)

    def __init__(self, on_end: Callable[[ResendOutcome], None]) -> None:
        self._on_end: Callable[[ResendOutcome], None] | None = on_end

    def end(self, outcome: ResendOutcome) -> None:
        """Report the outcome; only the first one counts."""
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end(outcome)
