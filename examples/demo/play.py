"""The demo, in order: new red wines, one request of wines that are alike, white wines, then the gauges."""

import asyncio
import itertools
from dataclasses import dataclass

from examples.demo import data
from examples.demo.gauges import Gauges
from examples.demo.polling import until
from examples.demo.show import Screen
from examples.demo.stage import WINDOW_ROWS, Stage
from examples.demo.traffic import Traffic
from examples.demo.verdict import Verdicts, faults

BATCH_ROWS = 8
"""Wines in one request."""

LIKE_ROWS = 250
"""Wines in the one request of wines that are alike."""

PAUSE_SECONDS = 0.02
"""Pause between two requests, so that a person can follow."""

TRICKLE_SECONDS = 1
"""Pause between two requests after the demo, with `--keep`."""

SCRAPE_EVERY = 10
"""Requests between two scrapes."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """One part of the demo.

    Args:
        gauges: The gauges after an evaluation has covered all of its rows.
        rows_to_drift: After how many of its rows drift was seen first; `None` if it was not.
    """

    gauges: Gauges
    rows_to_drift: int | None


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
        """Run all parts and print the gauges; returns one sentence for each thing that went wrong."""
        red = await self._send("red wines", data.red_stream(), BATCH_ROWS)
        batch = await self._send("strong reds", data.like_wines(LIKE_ROWS), LIKE_ROWS)
        self._screen.batch(LIKE_ROWS)
        white = await self._send("white wines", data.white_stream()[:WINDOW_ROWS], BATCH_ROWS)
        self._screen.drift(white.rows_to_drift, await self._stage.reading())
        self._screen.gauges(red.gauges, white.gauges)
        verdicts = Verdicts(red.gauges, batch.gauges, white.gauges)
        problems = faults(verdicts, self._traffic.rows, self._traffic.calls)
        self._screen.closing(problems)
        return problems

    async def trickle(self) -> None:
        """Send white wines, a few a second, until cancelled."""
        for rows in itertools.cycle(data.batches(data.white_stream(), BATCH_ROWS)):
            await self._traffic.send(rows)
            await asyncio.sleep(TRICKLE_SECONDS)

    async def _send(self, name: str, rows: data.Rows, batch_rows: int) -> _Sent:
        """Send all rows, so many in a request, and wait until an evaluation has covered them."""
        rows_to_drift, sent = None, 0
        with self._screen.progress(name, len(rows)) as progress:
            gauges = await self._stage.scrape()
            for number, batch in enumerate(data.batches(rows, batch_rows)):
                await self._traffic.send(batch)
                sent += len(batch)
                if number % SCRAPE_EVERY == 0:
                    gauges = await self._stage.scrape()
                    rows_to_drift = sent if gauges.drift and rows_to_drift is None else rows_to_drift
                progress.update(len(batch), gauges)
                await asyncio.sleep(PAUSE_SECONDS)
            gauges = await until(self._covered, f"an evaluation of all {name}")
            progress.update(0, gauges)
        return _Sent(gauges, sent if gauges.drift and rows_to_drift is None else rows_to_drift)

    async def _covered(self) -> Gauges | None:
        """The gauges, once all calls have a latency, and the newest row and the newest prediction are evaluated."""
        predicted_at = await self._stage.newest_prediction_at()
        gauges = await self._stage.scrape()
        counted = gauges.rows >= self._traffic.rows and gauges.timed >= self._traffic.calls
        return gauges if counted and min(gauges.newest_at, predicted_at) >= self._traffic.newest_at else None
