"""The cost of a look at a model with many features: `python -m benchmarks.engine.wide_looks`.

    python -m benchmarks.engine.wide_looks --features 1000 --against ../other/sidecar

The detector is on, as by default. A look at rows of which none was seen before happens at the start, and after a store
was away; the later ones differ in how many rows came since the look before. With `--against` another version takes
turns with this one, so that both have the same machine.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.children import ROOT
from benchmarks.results import Cell, Plot, Table
from benchmarks.statistics.engine import ALPHA, DEFAULT, MIN_ROWS, WINDOW_ROWS, profiles_of
from benchmarks.statistics.work import Effort, generator
from driftgauge.concurrency.allocator import limit_fragmentation
from driftgauge.drift.profile import FeatureKind
from driftgauge.drift.rule import Rule
from driftgauge.drift.statistics.correction import Correction
from driftgauge.drift.statistics.p_value import PValues
from driftgauge.drift.stream_evaluator import StreamEvaluator
from driftgauge.drift.stream_window import StreamWindow

FEATURES = 1_000
REFERENCE_ROWS = 10_000
REQUEST_ROWS = (1, 20)
ROWS_PER_SECOND = 20.0
LOOKS = 5
MEASURES = ("making, s", "all rows new, s", "10 % new, s", "1 % new, s", "no new rows, s", "resident, MB")

_NEW_ROWS = (WINDOW_ROWS, WINDOW_ROWS // 10, WINDOW_ROWS // 100, 0)
_DECIMALS = 3
_START = 1.7e9


def measure(features: int, reference_rows: int, request_rows: int, looks: int) -> dict[str, float]:
    """CPU seconds for making an evaluator and for each kind of look, medians, and the memory in the end.

    Args:
        features: Numeric columns.
        reference_rows: Rows of the reference.
        request_rows: Rows of each request.
        looks: Looks of each kind.
    """
    rng = generator(10, features, reference_rows)
    profiles = profiles_of(
        rng.normal(10, 3, (reference_rows, features)).round(_DECIMALS), [FeatureKind.NUMERIC] * features
    )
    start = time.process_time()
    evaluator = StreamEvaluator(profiles, Rule(ALPHA, Correction.HOLM, MIN_ROWS, DEFAULT), "benchmark")
    costs = [time.process_time() - start]
    p_values, state, seconds, last = PValues(), None, _START, 0
    values = rng.normal(10, 3, (WINDOW_ROWS, features)).round(_DECIMALS)
    for new in _NEW_ROWS:
        each: list[float] = []
        for _ in range(looks + 1):  # the first one of a kind, and the first of all, are not like the others
            fresh = rng.normal(10, 3, (new, features)).round(_DECIMALS)
            values, last, seconds = np.concatenate([values[new:], fresh]), last + new, seconds + 30.0
            numbers = np.arange(last - WINDOW_ROWS + 1, last + 1, dtype=np.int64)
            times = (_START + numbers // request_rows * (request_rows / ROWS_PER_SECOND)).astype(np.float64)
            window = StreamWindow(values, numbers, numbers // request_rows, times)
            start = time.process_time()
            state = evaluator.evaluate(state, window, p_values, seconds).state
            each.append(time.process_time() - start)
        costs.append(median(each[1:]))
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return dict(zip(MEASURES, (*costs, resident), strict=True))


def table(effort: Effort) -> Table:
    """The table; no other program may run at the same time."""
    looks = effort.of(LOOKS, 2)
    rows: list[tuple[Cell, ...]] = [
        (f"requests of {size}", *_measure_in_child(ROOT / "sidecar", (FEATURES, REFERENCE_ROWS, size, looks)).values())
        for size in REQUEST_ROWS
    ]
    method = (
        f"{FEATURES:,} numeric features with {_DECIMALS} decimals, without drift; a reference of {REFERENCE_ROWS:,} "
        f"rows, windows of {WINDOW_ROWS:,}, the default options. CPU seconds of one thread: for making the tests, once "
        f"for each reference, and for a look, of each kind the median of {looks}. Resident: at the end of a process "
        "that has the reference, a window and the tests, but no server."
    )
    return Table(
        slug="engine-wide",
        title="Cost of a look at many features",
        method=method,
        columns=("rows", *MEASURES),
        rows=tuple(rows),
        plot=Plot(MEASURES[1:5], "CPU seconds"),
        versions={"numpy": np.__version__},
    )


def _measure_in_child(source: Path, sizes: Sequence[int]) -> dict[str, float]:
    """Measure a version in a process of its own: `sizes` are the arguments of `measure`."""
    argv = [sys.executable, "-m", "benchmarks.engine.wide_looks", "--child", *map(str, sizes)]
    path = os.pathsep.join([str(source.resolve()), str(ROOT)])
    env = {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}  # as the program sets it
    printed = subprocess.run(argv, check=True, env=env, cwd=ROOT, stdout=subprocess.PIPE).stdout  # noqa: S603 - itself
    found: dict[str, float] = json.loads(printed)
    return found


def _compare(sources: Sequence[Path], sizes: Sequence[int], rounds: int) -> None:
    """Print a line for each version, round and size of requests, and the medians of each version."""
    features, reference_rows, looks = sizes
    for size in REQUEST_ROWS:
        found: dict[Path, list[dict[str, float]]] = {source: [] for source in sources}
        for _ in range(rounds):
            for source in sources:
                found[source].append(_measure_in_child(source, (features, reference_rows, size, looks)))
        for source, each in found.items():
            numbers = {name: median(one[name] for one in each) for name in MEASURES}
            line = ", ".join(f"{name} {number:.3f}" for name, number in numbers.items())
            sys.stdout.write(f"{source}, requests of {size}, median of {rounds}: {line}\n")
            sys.stdout.flush()


def main() -> None:
    """Measure this version, and another one in turns."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine.wide_looks", description=__doc__)
    parser.add_argument("--features", type=int, default=FEATURES)
    parser.add_argument("--reference-rows", type=int, default=REFERENCE_ROWS)
    parser.add_argument("--looks", type=int, default=LOOKS, help="of each kind in each round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of each version (%(default)s)")
    parser.add_argument("--against", type=Path, help="the folder `sidecar` of another version")
    parser.add_argument("--child", type=int, nargs=4, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.child:
        limit_fragmentation()
        sys.stdout.write(json.dumps(measure(*words.child)))
        return
    sizes = (words.features, words.reference_rows, words.looks)
    _compare([ROOT / "sidecar", *filter(None, [words.against])], sizes, words.rounds)


if __name__ == "__main__":
    main()
