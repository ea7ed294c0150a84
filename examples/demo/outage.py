"""The outage of the demo: its Redis is killed while wines are sent, and starts again, empty."""

import time
from dataclasses import dataclass

from examples.demo.gauges import Gauges
from examples.demo.polling import until
from examples.demo.redis_server import RedisServer
from examples.demo.stage import Stage
from examples.demo.traffic import Traffic

LIMIT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Outage:
    """How it went.

    Args:
        away_seconds: How long there was no Redis.
        back_seconds: From the start of the new Redis until there was a verdict on rows that came after it.
        calls: Requests that were sent meanwhile, each of which got its response.
        drift: The first verdict after it.
    """

    away_seconds: float
    back_seconds: float
    calls: int
    drift: bool


async def kill_and_restart(stage: Stage, redis: RedisServer, traffic: Traffic) -> Outage:
    """Kill Redis, start it again once driftgauge has lost rows, and wait for the next verdict.

    Raises:
        DemoError: Driftgauge did not notice, or there was no verdict again.
    """
    calls, killed = traffic.calls, time.monotonic()
    await redis.kill()

    async def has_lost() -> bool | None:
        """Whether rows are lost."""
        return (await stage.scrape()).lost_requests > 0 or None

    await until(has_lost, "driftgauge to notice that Redis is gone", LIMIT_SECONDS)
    await redis.start()
    started, started_at = time.monotonic(), time.time()

    async def verdict() -> Gauges | None:
        """The first verdict of after the restart."""
        gauges = await stage.scrape()
        return gauges if gauges.newest_at > started_at and gauges.drift is not None else None

    gauges = await until(verdict, "a verdict after Redis was lost", LIMIT_SECONDS)
    back = time.monotonic()
    return Outage(started - killed, back - started, traffic.calls - calls, bool(gauges.drift))
