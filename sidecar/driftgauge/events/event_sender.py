"""Sends the events of the outbox, one after the other, beside everything else."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final, final

from driftgauge.events.event_message import event_request
from driftgauge.events.event_target import EventReply, EventTarget
from driftgauge.events.outbox import DueEvent, Outbox
from driftgauge.metrics.event_counts import EventOutcome
from driftgauge.metrics.loss_log import LossLog
from driftgauge.outgoing.retry import Backoff

_log = logging.getLogger(__name__)

MAX_AGE_SECONDS: Final = 3 * 86_400.0
"""How long an event is tried: a receiver may be away for a weekend."""

BACKOFF: Final = Backoff(first_seconds=1.0, longest_seconds=120.0)
"""The pause of the target after failures."""

_PAUSE_SECONDS: Final = 1.0
"""Time between two looks for events that are due."""

_LAST_SECONDS: Final = 2.0
"""How long a process that ends sends what is due."""


@final
class EventSender:
    """Sends what is due.

    After a failure all events wait, since they have one receiver; those tried least come first then, so that one event
    that the receiver cannot process delays no others for long.

    Args:
        outbox: Has the events.
        target: The receiver.
        shown: The URL of the receiver without what may be a secret.
        extensions: Added to each event.
        clock: Returns the time of the store in seconds since the epoch.
        timer: Monotonic time in seconds.
        backoff: The pause after failures.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each
        self,
        outbox: Outbox,
        target: EventTarget,
        *,
        shown: str,
        extensions: Mapping[str, str],
        clock: Callable[[], float],
        timer: Callable[[], float] = time.monotonic,
        backoff: Backoff = BACKOFF,
    ) -> None:
        self._outbox = outbox
        self._target = target
        self._shown = shown
        self._extensions = extensions
        self._clock = clock
        self._timer = timer
        self._backoff = backoff
        self._failures = 0
        self._resume_at = float("-inf")
        self._losses = LossLog(timer)

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            try:
                await self.send_due()
            except Exception:  # noqa: BLE001 - a task loop: a bug must not end it
                _log.exception("an event was not sent because of a bug in driftgauge")
                self._pause(0.0)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def send_due(self) -> None:
        """Send until nothing is due, or the receiver needs a pause."""
        while self._timer() >= self._resume_at:
            due = self._outbox.next_due()
            if due is None:
                return
            await self._send(due)

    async def close(self) -> None:
        """Send what is due, within two seconds, and close the connection. `run` must have ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await self.send_due()
        await self._target.close()

    async def _send(self, due: DueEvent) -> None:
        """Try one event once."""
        headers, body = event_request(due.model, due.event, self._extensions)
        self._outbox.note_attempt(due)
        response = await self._target.send(headers, body)
        if response.reply is EventReply.LATER:
            self._pause(response.pause_seconds)
            self._losses.add(f"events are not accepted by {self._shown} and will be sent again", response.why)
            if self._clock() - due.event.time > MAX_AGE_SECONDS:
                await self._bury(due, f"in vain for three days, at last {response.why}")
            return
        self._failures, self._resume_at = 0, float("-inf")
        if response.reply is EventReply.REFUSED:
            await self._bury(due, response.why)
        else:
            await self._outbox.settle(due, EventOutcome.SENT)

    async def _bury(self, due: DueEvent, why: str) -> None:
        """Give an event up, and log it with its id."""
        event = due.event
        text = "the event %s (%s of %s) is dead: %s was asked to accept it: %s"
        _log.error(text, event.id, event.type, due.model, self._shown, why)
        await self._outbox.settle(due, EventOutcome.DEAD)

    def _pause(self, seconds: float) -> None:
        """Let all events wait, as long as the receiver asks, at least for the back-off."""
        self._failures += 1
        self._resume_at = self._timer() + max(self._backoff.seconds(self._failures), seconds)
