"""The demo, in order: red wines that the model has not seen, then white wines, then the gauges of both."""

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
"""Pause between two requests, so that a person can follow."""

TRICKLE_SECONDS = 1
"""Pause between two requests after the demo, with `--keep`."""

SCRAPE_EVERY = 10
"""Requests between two scrapes."""


class Play:
    """One run of the demo.

    Args:
        stage: The programs that run.
        screen: Where it prints.
    """

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen
        self._traffic = Traffic(stage.sender, data.columns())

    async def perform(self) -> list[str]:
        """Run both parts and print the gauges; returns one sentence for each thing that went wrong."""
        before = await self._send("red wines", data.red_stream())
        after = await self._send("white wines", data.white_stream()[:WINDOW_ROWS])
        self._screen.gauges(before, after)
        problems = faults(before, after, self._traffic.rows, self._traffic.calls)
        self._screen.closing(problems)
        return problems

    async def trickle(self) -> None:
        """Send white wines, a few a second, until cancelled."""
        for rows in itertools.cycle(data.batches(data.white_stream(), BATCH_ROWS)):
            await self._traffic.send(rows)
            await asyncio.sleep(TRICKLE_SECONDS)

    async def _send(self, name: str, rows: data.Rows) -> Gauges:
        """Send all rows and wait until an evaluation has covered them."""
        with self._screen.progress(name, len(rows)) as progress:
            gauges = await self._stage.scrape()
            for number, batch in enumerate(data.batches(rows, BATCH_ROWS)):
                await self._traffic.send(batch)
                if number % SCRAPE_EVERY == 0:
                    gauges = await self._stage.scrape()
                progress.update(len(batch), gauges)
                await asyncio.sleep(PAUSE_SECONDS)
            gauges = await until(self._covered, f"an evaluation of all {name}")
            progress.update(0, gauges)
        return gauges

    async def _covered(self) -> Gauges | None:
        """The gauges, once all calls have a latency, all rows are counted, and the newest row is evaluated."""
        gauges = await self._stage.scrape()
        counted = gauges.rows >= self._traffic.rows and gauges.timed >= self._traffic.calls
        return gauges if counted and gauges.newest_at >= self._traffic.newest_at else None
