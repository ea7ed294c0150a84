"""Interleaved rounds: every peer gets the same load in turn, several times, so that a slow minute affects all."""

import json
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.children import OTHER_CORES, ROOT, Program, module
from benchmarks.native import programs as native


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of load.

    Args:
        requests: Files with the bytes of requests, which are sent in turn.
        connections: Number of connections.
        count: Requests in each round of the load in Python.
        rate: Requests a second; 0: as fast as responses arrive.
        seconds: How long a round of the native load is; 0 where the load is in Python always.
        together: How many requests that follow each other have the same id.
    """

    requests: tuple[Path, ...]
    connections: int
    count: int
    rate: float = 0.0
    seconds: float = 0.0
    together: int = 1


@dataclass(frozen=True, slots=True)
class Round:
    """The result of one round of one peer.

    Args:
        cpu_us: Microseconds of CPU for each request, user and system, of the whole process.
        reported: What the load printed: `count`, and `seconds`, `p50`, `p90`, `p99`, `max`, in seconds.
    """

    cpu_us: float
    reported: Mapping[str, float]


def send(port: int, shape: Shape) -> Mapping[str, float]:
    """Send a load from a separate process, the native one if the shape has `seconds` and it is installed."""
    if shape.seconds and native.are_installed():
        return native.send(
            port,
            shape.requests,
            connections=shape.connections,
            seconds=shape.seconds,
            rate=shape.rate,
            together=shape.together,
        )
    words = ["--connections", shape.connections, "--count", shape.count, "--rate", shape.rate]
    words += ["--together", shape.together]
    argv = ["taskset", "--cpu-list", ",".join(map(str, OTHER_CORES)), *module("benchmarks.load")]
    printed = subprocess.run(  # noqa: S603 - a module of this repository
        [*argv, str(port), *map(str, (*shape.requests, *words))], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if printed.returncode:
        raise RuntimeError(printed.stderr.strip().splitlines()[-1])
    result: Mapping[str, float] = json.loads(printed.stdout)
    return result


def measure(program: Program, shape: Shape, settle: Callable[[], None]) -> Round:
    """Run one round of one peer.

    Args:
        program: The peer, running.
        shape: The load.
        settle: Waits until the peer has finished the work that the load left behind.
    """
    before = program.cpu_seconds
    reported = send(program.port, shape)
    settle()
    return Round((program.cpu_seconds - before) / reported["count"] * 1e6, reported)


def run_interleaved(
    programs: Mapping[str, Program], shape: Shape, rounds: int, settle: Callable[[], None], warm: int = 1
) -> dict[str, list[Round]]:
    """Run rounds of each peer in turn, after some rounds that warm up and do not count."""
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
