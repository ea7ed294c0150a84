"""What it costs to read outcomes that came one by one: `python -m benchmarks.labels.small_blocks [--rows N]`.

Labels that are posted one by one are blocks of one row each. A new reader reads all that a stream in Redis keeps, then
only what is new: CPU time, the longest time for which the event loop did nothing else, and the memory that stays.
"""

import argparse
import asyncio
import gc
import sys
import time
import tracemalloc
from collections.abc import Awaitable
from typing import Final

import numpy as np
from redis.asyncio import Redis

from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.storage.redis_client import BoundedRedis
from driftgauge.storage.redis_ring import RedisRing
from driftgauge.storage.ring import OUTCOME_WINDOWS, Block, StreamKey, Window
from tests.support.redis_server import RedisServer

_STREAM: Final = StreamKey(ModelKey("cellar", "wine", "predictor", "wine"), Kind.OUTCOME)
_WINDOW_ROWS: Final = 2_000
_KEPT_ROWS: Final = OUTCOME_WINDOWS * _WINDOW_ROWS
_NEW_ROWS: Final = 500
_AT_ONCE: Final = 50
_SCHEMA: Final = "5e3a0c9b5e3a0c9b"
_TICK_SECONDS: Final = 0.001


async def _append(server: RedisServer, rows: int, width: int) -> None:
    """Append blocks of one row, as several processes do."""
    client = Redis(port=server.port)
    rings = [RedisRing(BoundedRedis(client, 60, max_calls=_AT_ONCE), _KEPT_ROWS, 3_600) for _ in range(_AT_ONCE)]
    one, dice = np.ones(1, dtype=np.int64), np.random.default_rng(14)

    async def append(ring: RedisRing) -> None:
        """Append the part of one process."""
        for number in range(rows // _AT_ONCE):
            ids = np.array([number], dtype=np.uint64)
            await ring.append(_STREAM, Block(_SCHEMA, dice.random((1, width)), one, np.array([1.7e9 + number]), ids))

    await asyncio.gather(*map(append, rings))
    await client.aclose()


async def _longest_pause(done: asyncio.Event) -> float:
    """The longest time for which the event loop did not come back to this task, in seconds."""
    longest, last = 0.0, time.perf_counter()
    while not done.is_set():
        await asyncio.sleep(_TICK_SECONDS)
        now = time.perf_counter()
        longest, last = max(longest, now - last - _TICK_SECONDS), now
    return longest


async def _measure(what: str, reading: Awaitable[Window]) -> None:
    done = asyncio.Event()
    watching = asyncio.create_task(_longest_pause(done))
    await asyncio.sleep(0)
    cpu, wall = time.process_time(), time.perf_counter()
    window = await reading
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    done.set()
    pause = await watching
    sys.stdout.write(
        f"{what:28}{len(window.rows):>8,} rows  CPU {1000 * cpu:7.0f} ms  in {1000 * wall:7.0f} ms  "
        f"longest pause {1000 * pause:5.1f} ms\n"
    )


async def _run(server: RedisServer, rows: int, width: int) -> None:
    await _append(server, rows, width)
    client = Redis(port=server.port)
    ring = RedisRing(BoundedRedis(client, 60), _WINDOW_ROWS, 3_600)
    await _measure("first look", ring.read(_STREAM, _SCHEMA, width))
    for what in ("look at nothing new", f"look at {_NEW_ROWS} new blocks"):
        await _measure(what, ring.read(_STREAM, _SCHEMA, width))
        await _append(server, _NEW_ROWS, width)
    ring = RedisRing(BoundedRedis(client, 60), _WINDOW_ROWS, 3_600)
    gc.collect()
    tracemalloc.start()
    await ring.read(_STREAM, _SCHEMA, width)
    gc.collect()
    sys.stdout.write(f"memory that stays: {tracemalloc.get_traced_memory()[0] / 1e6:.1f} MB\n")
    await client.aclose()


def main() -> None:
    """Run with the given number of rows and columns."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labels.small_blocks", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="blocks of one row")
    parser.add_argument("--columns", type=int, default=2, help="columns of an outcome")
    options = parser.parse_args()
    with RedisServer() as server:
        asyncio.run(_run(server, options.rows, options.columns))


if __name__ == "__main__":
    main()
