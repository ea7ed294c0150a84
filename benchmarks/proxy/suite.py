"""The proxy's tables: CPU for each request, throughput with long bodies, added latency."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.children import OTHER_CORES, Program, free_port, module
from benchmarks.environment import accepted_share, write_reference
from benchmarks.proxy.bodies import COLUMNS, Wire, wires, without_id
from benchmarks.proxy.peers.setup import OURS, Setup, Starter, ours, starters, versions
from benchmarks.results import Cell, Plot, Table
from benchmarks.rounds import Round, Shape, middle, run_interleaved
from benchmarks.statistics.work import Effort

CONNECTIONS = (1, 8, 64)
RATES = (200, 1_000)
NO_SAMPLES = "driftgauge, sampling nothing"
DIRECT = "no proxy"

_SMALL = "376 B"
_SETTLE_SECONDS = 0.7
"""Longer than the flush interval, so that a round includes the cost of processing its payloads."""


class Bench:
    """A model, every proxy in front of it, and a folder for their files.

    Args:
        effort: How long to measure.
        folder: For files.
    """

    def __init__(self, effort: Effort, folder: Path) -> None:
        self.effort = effort
        self._folder = folder
        self._reference = write_reference(folder / "wine.csv", 2_000, COLUMNS)
        self.starters = starters()

    def write_request(self, wire: Wire) -> Path:
        """Write a file with the bytes of a request."""
        path = self._folder / f"{abs(hash(wire))}.http"
        path.write_bytes(wire.request)
        return path

    @contextmanager
    def programs(
        self, wire: Wire, *, delay: float = 0.0, more: Mapping[str, Starter] | None = None, direct: bool = False
    ) -> Iterator[dict[str, Program]]:
        """Start a model for a kind of request, and every proxy in front of it."""
        with ExitStack() as stack:
            model, sink = (
                self._start_other(stack, module("benchmarks.model", port := free_port(), *words), port)
                for words in (("--response", wire.response, "--delay", delay), ("--response", "v1"))
            )
            setup = Setup(self._folder, model.port, self._reference, sink.port)
            wanted = {**self.starters, **(more or {})}
            found = {DIRECT: model} if direct else {}
            for name, start in wanted.items():
                if start is not None:
                    found[name] = stack.enter_context(start(setup))
            yield found

    @staticmethod
    def _start_other(stack: ExitStack, argv: Sequence[str], port: int) -> Program:
        return stack.enter_context(Program(argv, port, OTHER_CORES))


def run(effort: Effort) -> list[Table]:
    """Measure all tables of the proxy."""
    with TemporaryDirectory(prefix="driftgauge-bench-") as folder:
        bench = Bench(effort, Path(folder))
        return [_measure_small(bench), _measure_bodies(bench), _measure_latency(bench)]


def _measure_small(bench: Bench) -> Table:
    """Measure CPU for a small request by the number of connections."""
    wire, rounds = wires()[_SMALL], bench.effort.of(3, 1)
    found: dict[str, list[Cell]] = {}
    more = {NO_SAMPLES: ours("--sample-ratio", "0")}
    with bench.programs(wire, more=more) as programs:
        for connections in CONNECTIONS:
            count = bench.effort.of(8_000 if connections > 1 else 4_000, 500)
            shape = Shape((bench.write_request(wire),), connections, count)
            _add(found, programs, run_interleaved(programs, shape, rounds, _settle(bench.effort)), _cpu)
        same = Shape((bench.write_request(without_id(wire)),), CONNECTIONS[-1], bench.effort.of(8_000, 500))
        _add(found, programs, run_interleaved(programs, same, rounds, _settle(bench.effort)), _cpu)
        share = accepted_share(programs[OURS])
    with bench.programs(wire, delay=0.005) as programs:
        slow = Shape((bench.write_request(wire),), CONNECTIONS[-1], bench.effort.of(6_000, 500))
        _add(found, programs, run_interleaved(programs, slow, rounds, _settle(bench.effort)), _cpu)
        found.setdefault(NO_SAMPLES, [None] * 5)
    found = {name: cells + [None] * (5 - len(cells)) for name, cells in found.items()}
    columns = [f"{number} connections" for number in CONNECTIONS]
    columns += ["64, one head repeated", "64, model takes 5 ms"]
    return Table(
        slug="proxy-cpu",
        title="CPU microseconds for each request with a small body",
        method=(
            f"Body of 376 bytes, V1, 1 row of {COLUMNS} features; each head has its own id, except in one column. "
            f"User and system time of the whole process, from the kernel's scheduler statistics; median of {rounds} "
            "interleaved rounds, after one round to warm up. The proxy has one core, load and model share the other. "
            "driftgauge with all functions on: metrics, copies, decoding, the ring in memory, evaluations every 30 s; "
            f"{share:.2%} of its payloads were accepted, the others dropped and counted. The last columns are ratios "
            "to each peer, at 64 and at 8 connections."
        ),
        columns=("proxy", *columns, "driftgauge is", "driftgauge is, at 8"),
        rows=tuple((name, *cells, *_ratios(found, cells)) for name, cells in found.items()),
        plot=Plot(tuple(columns[:3]), "CPU microseconds a request"),
        versions=versions(),
    )


def _ratios(found: Mapping[str, Sequence[Cell]], cells: Sequence[Cell]) -> tuple[Cell, Cell]:
    """Our cost over that of a peer, at 64 and at 8 connections."""
    return _ratio(found[OURS][2], cells[2]), _ratio(found[OURS][1], cells[1])


def _ratio(ours_: Cell, theirs: Cell) -> Cell:
    if not isinstance(ours_, float) or not isinstance(theirs, float):
        return None
    return f"{ours_ / theirs:.2f}x"


def _measure_bodies(bench: Bench) -> Table:
    """Measure CPU and throughput by the kind of body."""
    found: dict[str, list[Cell]] = {}
    rounds = bench.effort.of(2, 1)
    kinds = {name: wire for name, wire in wires().items() if name != _SMALL}
    for name, wire in kinds.items():
        count = bench.effort.of(200 if "MB" in name else 1_500, 30)
        with bench.programs(wire) as programs:
            shape = Shape((bench.write_request(wire),), 8, count)
            rows = run_interleaved(programs, shape, rounds, _settle(bench.effort))
        _add(found, programs, rows, _cpu)
        if "MB" in name:
            size = wire.body_bytes * count / 1e6
            _add(found, programs, rows, lambda one, size=size: size / one.reported["seconds"])  # type: ignore[misc]
    columns: list[str] = []
    for name in kinds:
        columns += [name, "1 MB: megabytes a second"] if "MB" in name else [name]
    at = columns.index("1 MB: megabytes a second")
    return Table(
        slug="proxy-bodies",
        title="CPU microseconds for each request by the kind of body, and throughput with long ones",
        method=(
            f"8 connections; otherwise as above; median of {rounds} rounds. The stream is a response of 20 events in "
            "chunks. Megabytes a second are of request bodies, as the client sees them; bodies that do not fit into "
            "the queue are dropped and counted, as in production."
        ),
        columns=("proxy", *columns, "throughput: driftgauge has"),
        rows=tuple((name, *cells, _ratio(found[OURS][at], cells[at])) for name, cells in found.items()),
        plot=Plot(("1 MB: megabytes a second",), "megabytes a second"),
    )


def _measure_latency(bench: Bench) -> Table:
    """Measure the latency of an open loop."""
    wire, rounds = wires()[_SMALL], bench.effort.of(3, 1)
    found: dict[str, list[Cell]] = {}
    with bench.programs(wire, direct=True) as programs:
        for rate in RATES:
            count = rate * bench.effort.of(3, 1)
            rows = run_interleaved(programs, Shape((bench.write_request(wire),), 32, count, rate), rounds, lambda: None)
            base = {key: middle(rows[DIRECT], lambda one, key=key: one.reported[key]) for key in ("p50", "p99")}  # type: ignore[misc]
            for key in ("p50", "p99"):
                _add(found, programs, rows, lambda one, key=key, base=base: 1e3 * (one.reported[key] - base[key]))  # type: ignore[misc]
    columns = [f"added {key} at {rate:,}/s, ms" for rate in RATES for key in ("p50", "p99")]
    return Table(
        slug="proxy-latency",
        title="Latency that a proxy adds, small bodies, open loop",
        method=(
            "Requests start at fixed times on 32 connections, whether or not others have a response, and a latency "
            f"counts from the time at which its request was due. Median of {rounds} interleaved rounds of 3 s, minus "
            "the latency of the model alone in the same run. driftgauge runs its evaluations every 30 s."
        ),
        columns=("proxy", *columns, "p50 at 1,000/s: driftgauge adds"),
        rows=tuple((name, *cells, _ratio(found[OURS][2], cells[2])) for name, cells in found.items() if name != DIRECT),
        plot=Plot((columns[0], columns[2]), "milliseconds"),
    )


def _add(
    found: dict[str, list[Cell]],
    programs: Mapping[str, Program],
    rows: Mapping[str, Sequence[Round]],
    pick: Callable[[Round], float],
) -> None:
    for name in programs:
        found.setdefault(name, []).append(middle(rows[name], pick))


def _cpu(one: Round) -> float:
    return one.cpu_us


def _settle(effort: Effort) -> Callable[[], None]:
    """A wait until the proxy has processed its payloads; a quick run does not wait so long."""
    return lambda: time.sleep(0.01 if effort.quick else _SETTLE_SECONDS)
