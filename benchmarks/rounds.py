"""Interleaved rounds: every peer gets the same load in turn, again and again, so that a slow minute is everybody's."""

import json
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.children import OTHER_CORES, ROOT, Program, module


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of load.

    Args:
        requests: Files with the bytes of requests, which take turns.
        connections: How many are used.
        count: Requests in each round.
        rate: Requests a second; 0 as fast as they are answered.
    """

    requests: tuple[Path, ...]
    connections: int
    count: int
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of one peer gave.

    Args:
        cpu_us: Microseconds of CPU for each request, user and system, of the whole process.
        reported: What the load tells: `seconds`, `p50`, `p90`, `p99`, `max`, in seconds.
    """

    cpu_us: float
    reported: Mapping[str, float]


def send(port: int, shape: Shape) -> Mapping[str, float]:
    """Send a load, from a process of its own."""
    words = ["--connections", shape.connections, "--count", shape.count, "--rate", shape.rate]
    argv = ["taskset", "--cpu-list", ",".join(map(str, OTHER_CORES)), *module("benchmarks.load")]
    reported = subprocess.run(  # noqa: S603 - a module of this checkout
        [*argv, str(port), *map(str, (*shape.requests, *words))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if reported.returncode:
        raise RuntimeError(reported.stderr.strip().splitlines()[-1])
    found: Mapping[str, float] = json.loads(reported.stdout)
    return found


def measure(program: Program, shape: Shape, settle: Callable[[], None]) -> Round:
    """One round of one peer.

    Args:
        program: The peer, up.
        shape: The load.
        settle: Waits until what the load has left behind is done.
    """
    before = program.cpu_seconds
    reported = send(program.port, shape)
    settle()
    return Round((program.cpu_seconds - before) / shape.count * 1e6, reported)


def interleaved(
    programs: Mapping[str, Program], shape: Shape, rounds: int, settle: Callable[[], None], warm: int = 1
) -> dict[str, list[Round]]:
    """So many rounds of each peer in turn, after some that warm up and do not count."""
    found: defaultdict[str, list[Round]] = defaultdict(list)
    for number in range(warm + rounds):
        for name, program in programs.items():
            if program.port == 0:
                continue
            one = measure(program, shape, settle)
            if number >= warm:
                found[name].append(one)
    return dict(found)


def middle(rounds: Iterable[Round], pick: Callable[[Round], float]) -> float:
    """The median of one figure over rounds."""
    return median(pick(one) for one in rounds)
