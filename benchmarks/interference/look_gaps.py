"""Gaps of the event loop while a large model is looked at: `python -m benchmarks.interference.look_gaps`.

    python -m benchmarks.interference.look_gaps --features 1000 --against ../other/sidecar

A process looks at windows one after the other, as the monitor does, while its event loop wakes up each millisecond,
allocates what a request does, and notes how late it was, and how long the allocation took: what holds the allocator's
lock shows there, also on a machine with other work. What a request waits for shows here without the noise of sockets.
With `--against` another version takes turns with this one, so that both have the same machine.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.children import ROOT
from driftgauge.concurrency.allocator import limit_fragmentation
from driftgauge.drift.budget import Budget
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.inference.payload import Kind, ModelKey
from driftgauge.metrics.registry import Metrics
from driftgauge.monitoring.evaluator import Evaluator
from driftgauge.monitoring.targets import Target
from driftgauge.reference.profiles import profiles_of
from driftgauge.storage.memory import MemoryRing, MemoryStates
from driftgauge.storage.ring import Block, StreamKey, id_digests

REFERENCE_ROWS = 5_000
WINDOW_ROWS = 2_000
MEASURES = ("longest allocation, ms", "longest gap, ms", "99.9 % of gaps, ms", "a look, ms", "resident, MB")

_ROWS_PER_REQUEST = 20
_NEW_REQUESTS = 25
_WAKE_SECONDS = 0.001
_REQUEST_BYTES = 2**15
_STREAM = StreamKey(ModelKey("", "wine", "predictor", "wine"), Kind.REQUEST)


def measure(features: int, looks: int) -> dict[str, float]:
    """Look at windows; returns a number for each of `MEASURES`."""
    limit_fragmentation()
    seconds = asyncio.run(_look(features, looks))
    resident = int(Path("/proc/self/statm").read_text().split()[1]) / 256
    return dict(zip(MEASURES, (*(1e3 * one for one in seconds), resident), strict=True))


async def _look(features: int, looks: int) -> tuple[float, ...]:
    """Look at windows; returns the first four of `MEASURES`, in seconds."""
    target = _target(features)
    rule = Rule(0.05, Correction.HOLM, 200, Budget(30 * 86_400.0, 30.0, 0.05))
    ring = MemoryRing(WINDOW_ROWS)
    evaluator = Evaluator(ring, MemoryStates(), Metrics("200"), rule, time.time)
    generator = np.random.default_rng(2)
    for _ in range(WINDOW_ROWS // _ROWS_PER_REQUEST):
        await ring.append(_STREAM, _request(target, generator))
    await evaluator.evaluate(_STREAM, target, None)
    gaps: list[float] = []
    allocations: list[float] = []
    start = time.perf_counter()
    for _ in range(looks):
        for _ in range(_NEW_REQUESTS):
            await ring.append(_STREAM, _request(target, generator))
        watch = asyncio.ensure_future(_note_gaps(gaps, allocations))
        await evaluator.evaluate(_STREAM, target, None)
        watch.cancel()
    seconds = (time.perf_counter() - start) / looks
    evaluator.close()
    return max(allocations), max(gaps), float(np.quantile(gaps, 0.999)), seconds


async def _note_gaps(gaps: list[float], allocations: list[float]) -> None:
    """Wake up each millisecond, allocate, and note the delay and the allocation's time in seconds, until cancelled."""
    before = time.perf_counter()
    while True:
        await asyncio.sleep(_WAKE_SECONDS)
        woken = time.perf_counter()
        bytes(_REQUEST_BYTES)
        now = time.perf_counter()
        allocations.append(now - woken)
        gaps.append(now - before - _WAKE_SECONDS)
        before = now


def _target(features: int) -> Target:
    values = np.random.default_rng(1).normal(10, 3, (REFERENCE_ROWS, features)).round(3)
    names = [f"f{number}" for number in range(features)]
    return Target(profiles_of(names, [FeatureKind.NUMERIC] * features, values, {}), "schema", "digest")


def _request(target: Target, generator: np.random.Generator) -> Block:
    rows: NDArray[np.float64] = generator.normal(10, 3, (_ROWS_PER_REQUEST, len(target.profiles)))
    return Block(target.schema, rows, np.array([len(rows)]), np.array([time.time()]), id_digests(["a"]))


def _measure_in_child(source: Path, features: int, looks: int) -> dict[str, float]:
    words = ["--child", "--features", str(features), "--looks", str(looks)]
    argv = [sys.executable, "-m", "benchmarks.interference.look_gaps", *words]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(source.resolve()), str(ROOT)])}
    printed = subprocess.run(argv, check=True, env=env, cwd=ROOT, stdout=subprocess.PIPE).stdout  # noqa: S603 - itself
    found: dict[str, float] = json.loads(printed)
    return found


def _compare(sources: Sequence[Path], features: int, looks: int, rounds: int) -> None:
    """Print a line for each version and round, and the medians of each version."""
    found: dict[Path, list[dict[str, float]]] = {source: [] for source in sources}
    for _ in range(rounds):
        for source in sources:
            found[source].append(_measure_in_child(source, features, looks))
            _print(source, found[source][-1])
    for source, each in found.items():
        _print(source, {name: median(one[name] for one in each) for name in MEASURES}, f"median of {rounds}: ")


def _print(source: Path, numbers: dict[str, float], prefix: str = "") -> None:
    sys.stdout.write(f"{prefix}{source}: {', '.join(f'{name} {number:.1f}' for name, number in numbers.items())}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure this version, and another one in turns."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interference.look_gaps", description=__doc__)
    parser.add_argument("--features", type=int, default=1_000)
    parser.add_argument("--looks", type=int, default=10, help="in each round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of each version (%(default)s)")
    parser.add_argument("--against", type=Path, help="the folder `sidecar` of another version")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.child:
        sys.stdout.write(json.dumps(measure(words.features, words.looks)))
        return
    _compare([ROOT / "sidecar", *filter(None, [words.against])], words.features, words.looks, words.rounds)


if __name__ == "__main__":
    main()
