"""The acts, in order: red wines that the model has not seen, then white wines, then the gauges of both."""

import asyncio
import itertools

from examples.demo import data
from examples.demo.gauges import Gauges
from examples.demo.polling import until
from examples.demo.show import Screen
from examples.demo.stage import WINDOW_ROWS, Stage
from examples.demo.traffic import Traffic
from examples.demo.verdict import faults

BATCH_ROWS = 8
"""Wines in one request."""

PAUSE_SECONDS = 0.02
"""Between two requests, so that a person can follow."""

TRICKLE_SECONDS = 1
"""Between two requests when the play is over."""

LOOK_EVERY = 10
"""Requests between two looks at the gauges."""


class Play:
    """The demo's run on a stage.

    Args:
        stage: What runs.
        screen: Where it is shown.
    """

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen
        self._traffic = Traffic(stage.sender, data.columns())

    async def perform(self) -> list[str]:
        """Both acts and the gauges; one sentence for each thing that went wrong."""
        before = await self._act("red wines", data.red_stream())
        after = await self._act("white wines", data.white_stream()[:WINDOW_ROWS])
        self._screen.gauges(before, after)
        found = faults(before, after, self._traffic.rows, self._traffic.calls)
        self._screen.closing(found)
        return found

    async def trickle(self) -> None:
        """White wines, a few a second, without end."""
        for rows in itertools.cycle(data.batches(data.white_stream(), BATCH_ROWS)):
            await self._traffic.send(rows)
            await asyncio.sleep(TRICKLE_SECONDS)

    async def _act(self, name: str, rows: data.Rows) -> Gauges:
        """Send all rows and wait until an evaluation has covered them."""
        with self._screen.act(name, len(rows)) as evidence_threshold:
            gauges = await self._stage.scrape()
            for number, batch in enumerate(data.batches(rows, BATCH_ROWS)):
                await self._traffic.send(batch)
                if number % LOOK_EVERY == 0:
                    gauges = await self._stage.scrape()
                evidence_threshold.move(len(batch), gauges)
                await asyncio.sleep(PAUSE_SECONDS)
            gauges = await until(self._covered, f"an evaluation of all {name}")
            evidence_threshold.move(0, gauges)
        return gauges

    async def _covered(self) -> Gauges | None:
        """The gauges, once all calls are timed, all rows counted, and the newest row evaluated."""
        gauges = await self._stage.scrape()
        counted = gauges.rows >= self._traffic.rows and gauges.timed >= self._traffic.calls
        return gauges if counted and gauges.newest_at >= self._traffic.newest_at else None
