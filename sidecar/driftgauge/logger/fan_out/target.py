"""One target that events are sent on to: what waits for it, and the connections that send it."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from typing import Final, NamedTuple, final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from driftgauge import __version__
from driftgauge.logger.fan_out.message import Message
from driftgauge.metrics.forward_counts import ForwardCounts, ForwardLoss
from driftgauge.metrics.loss_log import LossLog
from driftgauge.outgoing.ended_attempt import cause_of, read_rest
from driftgauge.outgoing.own_resolver import OwnResolver
from driftgauge.outgoing.retry import Backoff, asks_for_retry, retry_after_seconds

_log = logging.getLogger(__name__)

CONNECTIONS: Final = 8
"""Connections to a target: as many messages are sent at once. A target that takes 10 ms receives 800 a second."""

ATTEMPT_SECONDS: Final = 10.0
"""Longest time of one attempt, so that a target that hangs has others before the time of a message is over."""

_LARGE_BYTES: Final = 256 * 1024
"""Bodies above this length are written in pieces; aiohttp would write them in one turn of the event loop."""

_PROCESS_ENDS: Final = "the process ends"

_SKIPPED: Final = ("Accept", "Accept-Encoding", "Content-Type")
"""Headers that aiohttp would add. A message without a content type keeps none."""


class ForwardLimits(NamedTuple):
    """Limits of each target.

    Args:
        events: Events that may wait or be on their way.
        size_bytes: The memory that they may take.
        seconds: Time from the arrival of an event until it is given up.
        backoff: The time between attempts.
        attempt_seconds: Longest time of one attempt.
    """

    events: int
    size_bytes: int
    seconds: float
    backoff: Backoff = Backoff()
    attempt_seconds: float = ATTEMPT_SECONDS


@final
class ForwardTarget:
    """Sends messages to one URL, several at once, each until it arrives or its time is over.

    Args:
        url: Where to. It may hold a password, and is never shown.
        shown: The URL without what may be a secret.
        limits: Of what waits and how long.
        counts: Where outcomes are counted.
        losses: Where losses are logged.
        clock: Monotonic time in seconds.
    """

    def __init__(
        self,
        url: str,
        shown: str,
        limits: ForwardLimits,
        counts: ForwardCounts,
        losses: LossLog,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._shown = shown
        self._limits = limits
        self._losses = losses
        self._clock = clock
        self._queue: asyncio.Queue[Message] = asyncio.Queue()
        self._unsettled: set[Message] = set()
        self._events = 0
        self._bytes = 0
        self._resume_at = float("-inf")
        self._session: ClientSession | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._counts = counts.add(shown, lambda: self._events, lambda: self._bytes)

    def start(self) -> None:
        """Open the connections when there is something to send."""
        self._session = ClientSession(
            connector=TCPConnector(limit=CONNECTIONS, resolver=OwnResolver()),
            cookie_jar=DummyCookieJar(),
            headers={"User-Agent": f"driftgauge/{__version__}"},
            skip_auto_headers=_SKIPPED,
            auto_decompress=False,
            trust_env=False,
        )
        self._tasks = [asyncio.create_task(self._work(self._session)) for _ in range(CONNECTIONS)]

    def offer(self, message: Message) -> None:
        """Add a message to those that wait, or count its loss. Never blocks, never raises."""
        events, size = self._events + message.events, self._bytes + message.size_bytes
        if not self._tasks:
            self.count_loss(ForwardLoss.SHUTDOWN, message.events, _PROCESS_ENDS)
        elif events > self._limits.events or size > self._limits.size_bytes:
            self.count_loss(ForwardLoss.QUEUE_FULL, message.events, f"{self._events} events wait for it")
        else:
            self._events, self._bytes = events, size
            self._unsettled.add(message)
            self._queue.put_nowait(message)

    def count_loss(self, loss: ForwardLoss, events: int, why: str) -> None:
        """Count events that were not sent, and log the first of a minute."""
        self._counts.count(loss, events)
        self._losses.add(f"an event was not sent on to {self._shown} ({loss})", why)

    async def drain(self) -> None:
        """Wait until all messages have arrived or are given up."""
        await self._queue.join()

    async def close(self) -> None:
        """Give up what still waits, and close the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        for message in list(self._unsettled):
            self._settle(message, ForwardLoss.SHUTDOWN, _PROCESS_ENDS)
        if self._session is not None:
            await self._session.close()

    async def _work(self, session: ClientSession) -> None:
        """Send one message after the other until cancelled."""
        while True:
            message = await self._queue.get()
            try:
                loss, why = await self._deliver(session, message)
            except Exception:  # noqa: BLE001 - a bug in driftgauge loses one message, and its loss is counted
                _log.exception("a message was not sent on because of a bug in driftgauge")
                loss, why = ForwardLoss.INTERNAL, "driftgauge met an error"
            self._settle(message, loss, why)
            self._queue.task_done()

    def _settle(self, message: Message, loss: ForwardLoss | None, why: str) -> None:
        """Count the one outcome of a message."""
        self._unsettled.remove(message)
        self._events -= message.events
        self._bytes -= message.size_bytes
        if loss is None:
            self._counts.count(None, message.events)
        else:
            self.count_loss(loss, message.events, why)

    async def _deliver(self, session: ClientSession, message: Message) -> "_Attempt":
        """Try until the message arrives, is refused, or its time is over; returns the result of the last attempt."""
        last, failures = _Attempt(ForwardLoss.TIMEOUT, "its time was over before it was sent"), 0
        while True:
            now = self._clock()
            pause = max(self._limits.backoff.seconds(failures), self._resume_at - now)
            remaining = message.deadline - now
            if pause >= remaining:
                return last
            if pause > 0:
                await asyncio.sleep(pause)
            seconds = min(remaining - max(pause, 0), self._limits.attempt_seconds)
            last = await self._attempt(session, message, seconds)
            if last.loss is None or last.loss is ForwardLoss.REFUSED:
                return last
            failures += 1

    async def _attempt(self, session: ClientSession, message: Message, seconds: float) -> "_Attempt":
        """Send a message once; returns what was lost and why."""
        body = BytesIO(message.body) if len(message.body) > _LARGE_BYTES else message.body
        try:
            async with session.post(
                self._url,
                data=body,
                headers=message.headers,
                allow_redirects=False,
                timeout=ClientTimeout(seconds),
            ) as response:
                result = self._result_of(response)
                await read_rest(response)
                return result
        except TimeoutError:
            return _Attempt(ForwardLoss.TIMEOUT, f"no response within {seconds:.3g} s")
        except (ClientError, OSError, RuntimeError) as error:  # uvloop raises RuntimeError for a closed transport
            return _Attempt(ForwardLoss.UNREACHABLE, cause_of(error))

    def _result_of(self, response: ClientResponse) -> "_Attempt":
        """What the status code of a response means. A redirect is not followed: it could lead events anywhere."""
        status = response.status
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return _Attempt(None, "")
        sentence = f"it responded with status code {status}"
        if not asks_for_retry(status):
            return _Attempt(ForwardLoss.REFUSED, sentence)
        wait = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
        self._resume_at = max(self._resume_at, self._clock() + wait)
        return _Attempt(ForwardLoss.FAILED, sentence)


class _Attempt(NamedTuple):
    """The result of one attempt: why the message did not arrive, and a sentence for people."""

    loss: ForwardLoss | None
    why: str
