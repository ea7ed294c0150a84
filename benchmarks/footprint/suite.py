"""The table of what a process needs: time to its first answer, memory, CPU while nothing happens."""

import http.client
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.children import OTHER_CORES, Program, free_port, module
from benchmarks.environment import reference
from benchmarks.footprint.soak import slope, soak
from benchmarks.proxy.bodies import COLUMNS, v1
from benchmarks.proxy.peers.setup import OURS, Ground, Starter, starters
from benchmarks.results import Cell, Plot, Table
from benchmarks.rounds import Shape, send
from benchmarks.statistics.work import Effort

_LOOK_SECONDS = 0.002
_PEERS = (OURS, "nginx", "envoy", "aiohttp server and client")


def run(effort: Effort) -> list[Table]:
    """Both tables."""
    return [_needs(effort), _soaked(effort)]


def _needs(effort: Effort) -> Table:
    with TemporaryDirectory(prefix="driftgauge-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        small = folder / "small.http"
        small.write_bytes(v1(1, 376).request)
        port = free_port()
        model = stack.enter_context(Program(module("benchmarks.model", port), port, OTHER_CORES))
        ground = Ground(folder, model.port, reference(folder / "wine.csv", 2_000, COLUMNS), model.port)
        known = starters()
        found = {peer: _measured(effort, known[peer], ground, small) for peer in _PEERS}
    columns = (
        "first answer, s",
        "memory at start, MB",
        "memory under load, MB",
        "of which its own, MB",
        "idle CPU, ms/min",
    )
    return Table(
        slug="footprint",
        title="Time to the first answer, memory, and CPU while nothing happens",
        method=(
            f"From the start of the program to the first answer through it, median of {effort.of(5, 2)} starts on a "
            "warm disk. Memory is resident (Rss), and what is its own is the proportional share (Pss); under load is "
            f"after {effort.of(40_000, 2_000):,} small requests on 64 connections, with the window full at 2,000 rows "
            f"of {COLUMNS} features. CPU while nothing happens is measured over {effort.of(35, 3)} s, an evaluation "
            "among them."
        ),
        columns=("proxy", *columns),
        rows=tuple((peer, *cells) for peer, cells in found.items()),
        plot=Plot((columns[1], columns[2]), "megabytes"),
    )


def _measured(effort: Effort, start: Starter | None, ground: Ground, small: Path) -> list[Cell]:
    if start is None:
        return [None] * 5
    first = median(_first_response(lambda: start(ground)) for _ in range(effort.of(5, 2)))
    with start(ground) as program:
        send(program.port, Shape((small,), 1, 1))
        fresh = program.memory()
        send(program.port, Shape((small,), 64, effort.of(40_000, 2_000)))
        loaded, own = program.memory(), program.memory("Pss")
        seconds = effort.of(35, 3)
        time.sleep(1)  # what the load has left behind
        before = program.cpu_seconds
        time.sleep(seconds)
        idle = (program.cpu_seconds - before) / seconds * 60_000
    return [first, fresh, loaded, own, idle]


def _first_response(start: Callable[[], Program]) -> float:
    """Seconds from the start to an answer of the model through the proxy."""
    program = start()
    port, program.port = program.port, 0  # it is not waited for but here
    begun = time.perf_counter()
    with program:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request("GET", "/")
                connection.getresponse().read()
            except OSError:
                time.sleep(_LOOK_SECONDS)
            else:
                return time.perf_counter() - begun
            finally:
                connection.close()


def _soaked(effort: Effort) -> Table:
    requests = effort.of(300_000, 100_000)
    kinds = {"in memory": "none", "Redis dead": "dead", "Redis mute": "mute"}
    rows = []
    for name, kind in kinds.items():
        points = list(soak(requests, kind))
        rows.append((name, points[0][1], points[1][1], points[-1][1], slope(points)))
    return Table(
        slug="soak",
        title="Memory over a long load",
        method=(
            f"Resident megabytes of the proxy over {requests:,} small requests on 64 connections, as fast as they are "
            "answered; the growth is that of the second half. Dead: nobody listens where Redis should be. Mute: it "
            "accepts and never answers. `python -m benchmarks.footprint.soak --requests 1000000` goes on for longer."
        ),
        columns=("rows are kept", "at start", "after 50,000", "at the end", "growth, MB a million"),
        rows=tuple(rows),
        plot=None,
    )
