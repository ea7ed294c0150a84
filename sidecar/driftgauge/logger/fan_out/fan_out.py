"""Sends each message on to all targets, none of which waits for another."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import final

from driftgauge.http1.heads import RequestHead
from driftgauge.logger.fan_out.message import Message, UnsendableError, headers_to_send, is_cloudevent
from driftgauge.logger.fan_out.target import ForwardLimits, ForwardTarget
from driftgauge.metrics.forward_counts import ForwardCounts, shown_targets
from driftgauge.metrics.loss_log import LossLog


@final
class FanOut:
    """Sends messages on to several URLs.

    Args:
        urls: The targets.
        limits: Of each target.
        counts: Where outcomes are counted.
        clock: Monotonic time in seconds.
    """

    def __init__(
        self,
        urls: Sequence[str],
        limits: ForwardLimits,
        counts: ForwardCounts,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        losses = LossLog()
        self._limits = limits
        self._clock = clock
        self._targets = [
            ForwardTarget(url, shown, limits, counts, losses, clock)
            for url, shown in zip(urls, shown_targets(urls), strict=True)
        ]

    def offer(self, head: RequestHead, body: bytes, events: int) -> None:
        """Send a message on to each target. Never blocks, never raises.

        Args:
            head: Of the request; one that has not the form of a CloudEvent is ignored.
            body: As received.
            events: Number of its events: 1 for a message that cannot be read, 0 for a batch without any.
        """
        if not self._targets or not events or not is_cloudevent(head):
            return
        try:
            message = Message(headers_to_send(head), body, events, self._clock() + self._limits.seconds)
        except UnsendableError as error:
            for target in self._targets:
                target.count_loss(error.loss, events, str(error))
            return
        for target in self._targets:
            target.offer(message)

    async def flush(self) -> None:
        """Wait until no message waits; when cancelled, give up and count those that still do."""
        try:
            await asyncio.gather(*(target.drain() for target in self._targets))
        finally:
            await self.close()

    async def close(self) -> None:
        """Give up what still waits, and close all connections."""
        for target in self._targets:
            await target.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send during the block."""
        for target in self._targets:
            target.start()
        try:
            yield
        finally:
            await self.close()
