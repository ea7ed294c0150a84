"""What labels cost in Redis: `python -m benchmarks.store.labels`.

It fills all slices with responses that wait, matches labels in calls of 1,000 with and without the times of their
responses, judges mature ones, and prints rates, the longest script that SLOWLOG has, and bytes of MEMORY USAGE.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
from redis.asyncio import Redis

from benchmarks.children import OTHER_CORES, Program
from driftgauge.drift.profile import FeatureKind
from driftgauge.inference.payload import ModelKey
from driftgauge.storage.label_slices import LabelSlices
from driftgauge.storage.labels import SLICES, LabelLayout, StoredLabel, WaitingResponse
from driftgauge.storage.redis_client import BoundedRedis, connect
from driftgauge.storage.redis_labels import RedisLabels
from tests.support.ports import free_port

_MODEL = ModelKey("cellar", "wine", "predictor", "wine")
_BATCH = 256
_CALL = 1_000

_SLOW_MICROSECONDS = 200
"""From which time on SLOWLOG has a script. It would have the commands in scripts too, if they were as slow."""


def main() -> None:
    """Start a Redis, measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store.labels", description="Labels in Redis.")
    parser.add_argument("--responses", type=int, default=100_000, help="that wait")
    parser.add_argument("--labels", type=int, default=20_000, help="that are matched in each way, at most a third")
    parser.add_argument("--columns", type=int, default=2, help="of a response")
    parser.add_argument("--server", default="redis-server", help="program of the server")
    arguments = parser.parse_args()
    port = free_port()
    with TemporaryDirectory() as folder:
        words = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", folder]
        with Program([arguments.server, *words], port, OTHER_CORES):
            lines = asyncio.run(_measure(port, arguments))
    for name, value in lines.items():
        print(f"{name:52} {value:>14}")  # noqa: T201 - the output of the command


async def _measure(port: int, arguments: argparse.Namespace) -> dict[str, str]:
    """All figures, by what they say."""
    client = cast("Redis", connect(f"redis://127.0.0.1:{port}", 5))
    redis = BoundedRedis(client, timeout_seconds=60)
    await client.config_set("slowlog-log-slower-than", _SLOW_MICROSECONDS)
    await client.config_set("slowlog-max-len", 100_000)
    bounds, layout = LabelSlices(pending=arguments.responses), _layout(arguments.columns)
    store = RedisLabels(redis, 2_000, 3_600, bounds)
    responses = _responses(arguments.responses, arguments.columns, bounds)
    lines = await _timed(client, "responses put", len(responses), _puts(store, layout, responses))
    waiting = sum(one.responses for one in await store.slices(_MODEL))
    lines["responses that wait"] = f"{waiting:,}"
    lines["bytes of one that waits"] = f"{await _usage(client) / waiting:.0f}"
    full = _responses(arguments.responses, arguments.columns, bounds, seed=2)
    lines |= await _timed(client, "responses put where slices are full", len(full), _puts(store, layout, full))
    for name, labels in _cases(responses, arguments.labels).items():
        lines |= await _timed(client, name, len(labels), _matches(store, layout, labels))
    lines["bytes of one that waits and has a label"] = f"{await _usage(client) / waiting:.0f}"
    maturing = RedisLabels(redis, 2_000, 3_600, LabelSlices(pending=arguments.responses, maturity_seconds=1e6))
    late = _cases(responses, 3 * arguments.labels)["labels without a time"][2 * arguments.labels :]
    await _all(_matches(maturing, layout, late))
    lines |= await _timed(client, "labels judged when mature", len(late), _judged(redis, arguments))
    await redis.close()
    return lines


def _layout(columns: int) -> LabelLayout:
    names = tuple(f"y_{index}" for index in range(columns))
    return LabelLayout(names, (FeatureKind.NUMERIC,) * columns, names[:1], (FeatureKind.NUMERIC,))


def _responses(number: int, columns: int, bounds: LabelSlices, seed: int = 1) -> list[WaitingResponse]:
    """Responses of one row each, evenly over the time to live."""
    random, now = np.random.default_rng(seed), time.time()
    digests = random.integers(0, 2**64, number, dtype=np.uint64).tolist()
    current = bounds.number(now)
    starts = [bounds.start(current - age) + 1.0 for age in reversed(range(SLICES)) for _ in range(-(-number // SLICES))]
    rows = random.normal(size=(number, 1, columns))
    return [
        WaitingResponse((one,), min(start, now), row) for one, start, row in zip(digests, starts, rows, strict=False)
    ]


def _cases(responses: Sequence[WaitingResponse], number: int) -> dict[str, list[StoredLabel]]:
    """Labels of known and of unknown ids, with and without the time of the response."""
    mixed = [responses[index] for index in np.random.default_rng(3).permutation(len(responses))]
    known = [StoredLabel(one.ids[0], 0, 0, 1.0) for one in mixed[:number]]
    timed = [StoredLabel(one.ids[0], 0, 0, 1.0, one.time) for one in mixed[number : 2 * number]]
    unknown = [one._replace(id=one.id >> 8) for one in known]
    return {
        "labels without a time": known,
        "labels with a time": timed,
        "labels again": known,
        "labels that no response waits for": unknown,
    }


Work = Iterator[Any]
"""Calls, one after the other."""


def _puts(store: RedisLabels, layout: LabelLayout, responses: Sequence[WaitingResponse]) -> Work:
    return (store.put(_MODEL, layout, responses[at : at + _BATCH]) for at in range(0, len(responses), _BATCH))


def _matches(store: RedisLabels, layout: LabelLayout, labels: Sequence[StoredLabel]) -> Work:
    return (store.match(_MODEL, layout, labels[at : at + _CALL]) for at in range(0, len(labels), _CALL))


def _judged(redis: BoundedRedis, arguments: argparse.Namespace) -> Work:
    store = RedisLabels(redis, 2_000, 3_600, LabelSlices(pending=arguments.responses))
    return (store.mature(_MODEL) for _ in range(1))


async def _all(calls: Work) -> None:
    for call in calls:
        await call


async def _timed(client: Redis, name: str, number: int, calls: Work) -> dict[str, str]:
    """The rate of some calls, the server's CPU for one item, and how long scripts took, by the clock."""
    await client.slowlog_reset()
    before, started = await _cpu(client), time.perf_counter()
    await _all(calls)
    seconds, used = time.perf_counter() - started, await _cpu(client) - before
    entries = await client.slowlog_get(100_000)
    scripts = [one["duration"] / 1000 for one in entries if b"EVAL" in one["command"].upper()]
    return {
        f"{name}, a second": f"{number / seconds:,.0f}",
        f"{name}, CPU of Redis for one": f"{1e6 * used / number:.0f} us",
        f"{name}, scripts: median, longest": f"{np.median(scripts or 0):.2f} ms, {max(scripts, default=0):.1f} ms",
    }


async def _cpu(client: Redis) -> float:
    """Seconds that the server's threads have worked."""
    facts = cast("dict[str, float]", await client.info("cpu"))
    return facts["used_cpu_user"] + facts["used_cpu_sys"]


async def _usage(client: Redis) -> int:
    """Bytes of all keys of what waits."""
    keys = cast("list[bytes]", await client.keys("*:pending*"))
    return sum([int(await client.memory_usage(key.decode(), samples=0) or 0) for key in keys])


if __name__ == "__main__":
    main()
