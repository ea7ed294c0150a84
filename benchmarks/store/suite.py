"""The tables of Redis: CPU of the client for each row, time to read a window, time to read new rows."""

import asyncio
import time
from collections import defaultdict
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import redis
from redis.asyncio import Redis

from benchmarks.children import OTHER_CORES, Program, version
from benchmarks.results import Cell, Plot, Table
from benchmarks.statistics.work import SEED, Effort
from benchmarks.store.layouts import LAYOUTS, OURS, Layout, Ours, Rows
from tests.support.ports import free_port

WINDOW_ROWS = 10_000
WIDTHS = (13, 100)
FLUSHES = (1, 64, 256)


def run(effort: Effort) -> list[Table]:
    """Measure a table for each width of the rows."""
    port = free_port()
    with TemporaryDirectory() as folder:
        words = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", folder]
        with Program(["redis-server", *words], port, OTHER_CORES):
            return [_table(effort, width, asyncio.run(_measure(effort, port, width))) for width in WIDTHS]


def _table(effort: Effort, width: int, found: dict[str, list[Cell]]) -> Table:
    columns = [
        *(f"CPU us a row, {flush} a flush" for flush in FLUSHES),
        "window read, ms",
        "only new rows, ms",
        "server bytes a row",
    ]
    at = columns.index("CPU us a row, 64 a flush")
    return Table(
        slug=f"redis-{width}",
        title=f"Rows of {width} features in Redis: CPU of the client, and time of a read",
        method=(
            f"A window of {WINDOW_ROWS:,} rows of {width} float64; median of {effort.of(5, 1)} interleaved rounds. CPU "
            "is user and system time of the client, redis-py with hiredis, asyncio; a read is wall time, decoded to "
            "one array. New rows: 64 since the last read. The last column compares CPU a row at 64 rows a flush."
        ),
        columns=("layout", *columns, "driftgauge is"),
        rows=tuple((name, *cells, _ratio(found[OURS][at], cells[at])) for name, cells in found.items()),
        plot=Plot((columns[1], columns[2]), "CPU microseconds a row", is_logarithmic=True),
        versions={"redis-server": version(["redis-server", "--version"]), "redis-py": redis.__version__},
    )


def _ratio(ours: Cell, theirs: Cell) -> Cell:
    return f"{ours / theirs:.2f}x" if isinstance(ours, float) and isinstance(theirs, float) else None


async def _measure(effort: Effort, port: int, width: int) -> dict[str, list[Cell]]:
    rows = np.random.default_rng(SEED).normal(size=(WINDOW_ROWS, width))
    times: defaultdict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for _ in range(effort.of(5, 1)):
        for name, kind in LAYOUTS.items():
            client = Redis(host="127.0.0.1", port=port, protocol=2)
            await client.flushall()
            layout = kind(client, WINDOW_ROWS, width)
            for flush in FLUSHES:
                count = effort.of(1_000 if flush == 1 else 8_192, 512)
                times[name][f"append {flush}"].append(await _append(layout, rows[:count], flush))
            await _append(layout, rows, 64)
            times[name]["bytes"].append(await _bytes_per_row(client))
            times[name]["read"].append(await _read(layout))
            if isinstance(layout, Ours):
                times[name]["new"].append(await _read_new(layout, rows))
            await client.aclose()
    order = [*(f"append {flush}" for flush in FLUSHES), "read", "new", "bytes"]
    return {name: [median(times[name][key]) if times[name][key] else None for key in order] for name in LAYOUTS}


async def _append(layout: Layout, rows: Rows, flush: int) -> float:
    """Append rows; returns microseconds of CPU for each row."""
    start = time.process_time()
    for first in range(0, len(rows), flush):
        await layout.append(rows[first : first + flush])
    return (time.process_time() - start) / len(rows) * 1e6


async def _read(layout: Layout) -> float:
    """Read a window; returns milliseconds, the best of three, because the first read fills buffers."""
    durations = []
    for _ in range(3):
        start = time.perf_counter()
        found = await layout.read()
        durations.append(1e3 * (time.perf_counter() - start))
        if len(found) != WINDOW_ROWS:
            raise RuntimeError(f"{len(found)} rows were read, not {WINDOW_ROWS}")
    return min(durations)


async def _read_new(layout: Ours, rows: Rows) -> float:
    """Read after one flush; returns milliseconds."""
    await layout.read_new()
    await layout.append(rows[:64])
    start = time.perf_counter()
    await layout.read_new()
    return 1e3 * (time.perf_counter() - start)


async def _bytes_per_row(client: Redis) -> float:
    sizes = [await client.memory_usage(key, samples=0) or 0 for key in await client.keys("*")]
    return float(sum(sizes)) / WINDOW_ROWS
