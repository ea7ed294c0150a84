"""The table of what a process needs: time to its first response, memory, CPU while it is idle."""

import http.client
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.children import OTHER_CORES, Program, module
from benchmarks.environment import write_reference
from benchmarks.footprint import many_features
from benchmarks.footprint.soak import slope, soak
from benchmarks.proxy.bodies import COLUMNS, v1
from benchmarks.proxy.peers.setup import OURS, Setup, Starter, starters
from benchmarks.results import Cell, Plot, Table
from benchmarks.rounds import Shape, send
from benchmarks.statistics.work import Effort
from tests.support.ports import free_port

_POLL_SECONDS = 0.002
_PEERS = (OURS, "nginx", "envoy", "aiohttp server and client")


def run(effort: Effort) -> list[Table]:
    """Measure all tables."""
    return [_measure_needs(effort), _measure_soak(effort), many_features.table(effort)]


def _measure_needs(effort: Effort) -> Table:
    with TemporaryDirectory(prefix="driftgauge-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        small = folder / "small.http"
        small.write_bytes(v1(1, 376).request)
        port = free_port()
        model = stack.enter_context(Program(module("benchmarks.model", port), port, OTHER_CORES))
        setup = Setup(folder, model.port, write_reference(folder / "wine.csv", 2_000, COLUMNS), model.port)
        known = starters()
        cells_of = {peer: _measure_peer(effort, known[peer], setup, small) for peer in _PEERS}
    columns = (
        "first response, s",
        "memory at start, MB",
        "memory under load, MB",
        "of which private, MB",
        "idle CPU, ms/min",
    )
    return Table(
        slug="footprint",
        title="Time to the first response, memory, and CPU while idle",
        method=(
            f"From the start of the program to the first response through it, median of {effort.of(5, 2)} starts on a "
            "warm disk. Memory is resident (Rss); private memory is the proportional share (Pss). Under load means "
            f"after {effort.of(40_000, 2_000):,} small requests on 64 connections, with the window full at 2,000 rows "
            f"of {COLUMNS} features. Idle CPU is measured over {effort.of(35, 3)} s, which include an evaluation."
        ),
        columns=("proxy", *columns),
        rows=tuple((peer, *cells) for peer, cells in cells_of.items()),
        plot=Plot((columns[1], columns[2]), "megabytes"),
    )


def _measure_peer(effort: Effort, start: Starter | None, setup: Setup, small: Path) -> list[Cell]:
    if start is None:
        return [None] * 5
    first = median(_first_response(lambda: start(setup)) for _ in range(effort.of(5, 2)))
    with start(setup) as program:
        send(program.port, Shape((small,), 1, 1))
        fresh = program.memory()
        send(program.port, Shape((small,), 64, effort.of(40_000, 2_000)))
        loaded, own = program.memory(), program.memory("Pss")
        seconds = effort.of(35, 3)
        time.sleep(1)  # the work that the load has left behind
        before = program.cpu_seconds
        time.sleep(seconds)
        idle = (program.cpu_seconds - before) / seconds * 60_000
    return [first, fresh, loaded, own, idle]


def _first_response(start: Callable[[], Program]) -> float:
    """Start a program; returns the seconds until the first response of the model through it."""
    program = start()
    port, program.port = program.port, 0  # `with` does not wait for the port, the loop below does
    begun = time.perf_counter()
    with program:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request("GET", "/")
                connection.getresponse().read()
            except OSError:
                time.sleep(_POLL_SECONDS)
            else:
                return time.perf_counter() - begun
            finally:
                connection.close()


def _measure_soak(effort: Effort) -> Table:
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
            f"Resident megabytes of the proxy over {requests:,} small requests on 64 connections, as fast as "
            "responses arrive; the growth is that of the second half. Dead: nothing listens at the address of Redis. "
            "Mute: a server accepts connections and never replies. "
            "`python -m benchmarks.footprint.soak --requests 1000000` runs longer."
        ),
        columns=("rows are kept", "at start", "after 50,000", "at the end", "growth, MB a million"),
        rows=tuple(rows),
        plot=None,
    )
