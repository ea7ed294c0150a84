"""The demo, in order: red wines, one request of wines that are alike, white wines; then red wines with late grades.

The grades are those of the tasters at first, and then those of tasters who have changed their minds.

If there is a Redis, it is killed and starts again, empty, while white wines are sent.
"""

import asyncio
import itertools
from dataclasses import dataclass

import numpy as np

from examples.demo import data
from examples.demo.gauges import Gauges
from examples.demo.late_labels import LateLabels
from examples.demo.outage import Outage, kill_and_restart
from examples.demo.polling import until
from examples.demo.show import Screen
from examples.demo.stage import WINDOW_ROWS, Stage
from examples.demo.traffic import Traffic
from examples.demo.verdict import Sent, Verdicts, faults

BATCH_ROWS = 8
"""Wines in one request."""

LIKE_ROWS = 250
"""Wines in the one request of wines that are alike."""

OUTAGE_ROWS = 400
"""White wines after which Redis is killed if drift was not found before: about half of all wines are sent."""

PAUSE_SECONDS = 0.02
"""Pause between two requests, so that a person can follow."""

TIMES = 2
"""How often each red wine comes in a part with labels: more than a window, so that no white wine is left in it."""

SEED = 2009
"""Of the order in which red wines come again."""

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
        outage: What happened when Redis was killed; `None` if it was not.
    """

    gauges: Gauges
    rows_to_drift: int | None
    outage: Outage | None


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
        white = await self._send("white wines", data.white_stream()[:WINDOW_ROWS], BATCH_ROWS, can_lose_redis=True)
        self._screen.drift(white.rows_to_drift, await self._stage.reading())
        if white.outage is not None:
            self._screen.outage(white.outage, self._lost_rows(white.gauges))
        self._screen.gauges(red.gauges, white.gauges)
        sent = Sent(self._traffic.rows, self._traffic.calls, self._lost_rows(white.gauges))
        self._screen.labels()
        graded = await self._send_labelled("graded reds", changed=False)
        self._screen.outcomes(graded, await self._stage.outcome_reading())
        self._screen.change()
        changed = await self._send_labelled("new taste", changed=True)
        self._screen.outcomes(changed, await self._stage.outcome_reading())
        verdicts = Verdicts(red.gauges, batch.gauges, white.gauges, graded, changed)
        problems = faults(verdicts, sent, white.outage)
        self._screen.closing(problems)
        return problems

    async def trickle(self) -> None:
        """Send red wines, a few a second, until cancelled."""
        for rows in itertools.cycle(data.batches(data.red_stream(), BATCH_ROWS)):
            await self._traffic.send(rows)
            await asyncio.sleep(TRICKLE_SECONDS)

    async def _send(self, name: str, rows: data.Rows, batch_rows: int, *, can_lose_redis: bool = False) -> _Sent:
        """Send all rows, so many in a request, and wait until an evaluation has covered them.

        With `can_lose_redis`, Redis is killed once drift was found, if there is a Redis.
        """
        rows_to_drift, sent = None, 0
        async with asyncio.TaskGroup() as group:
            outage: asyncio.Task[Outage] | None = None
            with self._screen.progress(name, len(rows)) as progress:
                gauges = await self._stage.scrape()
                for number, batch in enumerate(data.batches(rows, batch_rows)):
                    await self._traffic.send(batch)
                    sent += len(batch)
                    if number % SCRAPE_EVERY == 0:
                        gauges = await self._stage.scrape()
                        rows_to_drift = sent if gauges.drift and rows_to_drift is None else rows_to_drift
                    progress.update(len(batch), gauges)
                    is_due = can_lose_redis and (rows_to_drift is not None or sent >= OUTAGE_ROWS)
                    if is_due and outage is None and self._stage.redis is not None:
                        outage = group.create_task(kill_and_restart(self._stage, self._stage.redis, self._traffic))
                    await asyncio.sleep(PAUSE_SECONDS)
                gauges = await until(self._covered, f"an evaluation of all {name}")
                progress.update(0, gauges)
        rows_to_drift = sent if gauges.drift and rows_to_drift is None else rows_to_drift
        return _Sent(gauges, rows_to_drift, None if outage is None else outage.result())

    async def _send_labelled(self, name: str, *, changed: bool) -> Gauges:
        """Send red wines, and the grade of each some wines later; wait until an evaluation has covered all grades.

        Args:
            name: What the screen calls them.
            changed: Whether the tasters have changed their minds.
        """
        labels = LateLabels(self._stage.session, self._stage.labels_url)
        before = (await self._stage.scrape()).outcomes.matched
        places = np.random.default_rng(SEED + changed).permutation(TIMES * len(data.red_stream()))
        wines = np.tile(data.red_stream(), (TIMES, 1))[places]
        grades = np.tile(data.red_stream_quality(), TIMES)[places]
        grades = data.changed_taste(wines, grades) if changed else grades
        with self._screen.progress(name, len(wines)) as progress:
            gauges = await self._stage.scrape()
            for start in range(0, len(wines), BATCH_ROWS):
                batch = slice(start, start + BATCH_ROWS)
                await labels.add(await self._traffic.send(wines[batch]), grades[batch])
                if start // BATCH_ROWS % SCRAPE_EVERY == 0:
                    gauges = await self._stage.scrape()
                progress.update_outcomes(len(wines[batch]), gauges)
                await asyncio.sleep(PAUSE_SECONDS)
            newest_at = self._traffic.newest_at
            await labels.flush()

            async def covered() -> Gauges | None:
                """The gauges, once all labels have met their predictions, and an evaluation has seen the newest."""
                now = await self._stage.scrape()
                matched = now.outcomes.matched - before >= labels.posted
                return now if matched and now.outcomes.newest_at >= newest_at else None

            gauges = await until(covered, f"an evaluation of all {name}")
            progress.update_outcomes(0, gauges)
        return gauges

    async def _covered(self) -> Gauges | None:
        """The gauges, once all calls are counted, and the newest row and the newest prediction are evaluated."""
        predicted_at = await self._stage.newest_prediction_at()
        gauges = await self._stage.scrape()
        lost = self._lost_rows(gauges)
        # A logger cannot tell the latency of a call of which Redis lost one half.
        counted = gauges.rows + lost >= self._traffic.rows and (lost or gauges.timed >= self._traffic.calls)
        return gauges if counted and min(gauges.newest_at, predicted_at) >= self._traffic.newest_at else None

    def _lost_rows(self, gauges: Gauges) -> int:
        """The rows that are counted as lost. Only calls of `BATCH_ROWS` are sent when any can be."""
        return BATCH_ROWS * gauges.lost_requests
