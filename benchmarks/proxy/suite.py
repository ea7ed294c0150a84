"""The proxy's tables: CPU for each request, throughput with long bodies, latency that is added."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.children import OTHER_CORES, Program, free_port, module
from benchmarks.environment import kept, reference
from benchmarks.proxy.bodies import COLUMNS, Wire, wires, without_id
from benchmarks.proxy.peers.setup import OURS, Ground, Starter, ours, starters, versions
from benchmarks.results import Cell, Plot, Table
from benchmarks.rounds import Round, Shape, interleaved, middle
from benchmarks.statistics.work import Effort

CONNECTIONS = (1, 8, 64)
RATES = (200, 1_000)
AWAY = "driftgauge, sampling nothing"
DIRECT = "no proxy"

_SMALL = "376 B"
_SETTLE_SECONDS = 0.7
"""Longer than the pipeline waits for company: what it does with the payloads of a round is in the round's cost."""


class Bench:
    """A model, every proxy before it, and a folder for their files.

    Args:
        effort: How much is spent.
        folder: For files.
        stack: What ends all of it.
    """

    def __init__(self, effort: Effort, folder: Path, stack: ExitStack) -> None:
        self.effort = effort
        self._folder = folder
        self._stack = stack
        self._reference = reference(folder / "wine.csv", 2_000, COLUMNS)
        self.starters = starters()

    def request(self, wire: Wire) -> Path:
        """A file with the bytes of a request."""
        path = self._folder / f"{abs(hash(wire))}.http"
        path.write_bytes(wire.request)
        return path

    @contextmanager
    def programs(
        self, wire: Wire, *, delay: float = 0.0, more: Mapping[str, Starter] | None = None, direct: bool = False
    ) -> Iterator[dict[str, Program]]:
        """Every proxy before a model that answers a kind of request."""
        with ExitStack() as stack:
            model, sink = (
                self._other(stack, module("benchmarks.model", port := free_port(), *words), port)
                for words in (("--response", wire.response, "--delay", delay), ("--response", "v1"))
            )
            ground = Ground(self._folder, model.port, self._reference, sink.port)
            wanted = {**self.starters, **(more or {})}
            found = {DIRECT: model} if direct else {}
            for name, start in wanted.items():
                if start is not None:
                    found[name] = stack.enter_context(start(ground))
            yield found

    @staticmethod
    def _other(stack: ExitStack, argv: Sequence[str], port: int) -> Program:
        return stack.enter_context(Program(argv, port, OTHER_CORES))


def run(effort: Effort) -> list[Table]:
    """All tables of the proxy."""
    with TemporaryDirectory(prefix="driftgauge-bench-") as folder, ExitStack() as stack:
        bench = Bench(effort, Path(folder), stack)
        return [_small(bench), _bodies(bench), _latency(bench)]


def _small(bench: Bench) -> Table:
    """CPU for a small request by the number of connections."""
    wire, rounds = wires()[_SMALL], bench.effort.of(3, 1)
    found: dict[str, list[Cell]] = {}
    more = {AWAY: ours("--sample-ratio", "0")}
    with bench.programs(wire, more=more) as programs:
        for connections in CONNECTIONS:
            count = bench.effort.of(8_000 if connections > 1 else 4_000, 500)
            shape = Shape((bench.request(wire),), connections, count)
            _add(found, programs, interleaved(programs, shape, rounds, _settled(bench.effort)), _cpu)
        same = Shape((bench.request(without_id(wire)),), CONNECTIONS[-1], bench.effort.of(8_000, 500))
        _add(found, programs, interleaved(programs, same, rounds, _settled(bench.effort)), _cpu)
        share = kept(programs[OURS])
    with bench.programs(wire, delay=0.005) as programs:
        slow = Shape((bench.request(wire),), CONNECTIONS[-1], bench.effort.of(6_000, 500))
        _add(found, programs, interleaved(programs, slow, rounds, _settled(bench.effort)), _cpu)
        found.setdefault(AWAY, [None] * 5)
    found = {name: cells + [None] * (5 - len(cells)) for name, cells in found.items()}
    columns = [f"{number} connections" for number in CONNECTIONS]
    columns += ["64, one head repeated", "64, model takes 5 ms"]
    return Table(
        slug="proxy-cpu",
        title="CPU microseconds for each request with a small body",
        method=(
            f"Body of 376 bytes, V1, 1 row of {COLUMNS} features; each head has an id of its own but in one column. "
            f"User and system time of the whole process, from the kernel's scheduler statistics; median of {rounds} "
            "interleaved rounds after one that warms up. The proxy has a core to itself, load and model the other. "
            "driftgauge with everything on: metrics, copies, decoding, the ring in memory, evaluations every 30 s; "
            f"{share:.2%} of its payloads were kept, the others dropped and counted. The last columns of ratios are "
            "of 64 connections, to each peer."
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


def _bodies(bench: Bench) -> Table:
    """CPU and throughput by the kind of body."""
    found: dict[str, list[Cell]] = {}
    rounds = bench.effort.of(2, 1)
    kinds = {name: wire for name, wire in wires().items() if name != _SMALL}
    for name, wire in kinds.items():
        count = bench.effort.of(200 if "MB" in name else 1_500, 30)
        with bench.programs(wire) as programs:
            shape = Shape((bench.request(wire),), 8, count)
            rows = interleaved(programs, shape, rounds, _settled(bench.effort))
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
            f"8 connections; else as above; median of {rounds} rounds. The stream is an answer of 20 events in chunks. "
            "Megabytes a second are of request bodies, as the client sees them; bodies beyond what the queue holds are "
            "dropped and counted, as is driftgauge's way."
        ),
        columns=("proxy", *columns, "throughput: driftgauge has"),
        rows=tuple((name, *cells, _ratio(found[OURS][at], cells[at])) for name, cells in found.items()),
        plot=Plot(("1 MB: megabytes a second",), "megabytes a second"),
    )


def _latency(bench: Bench) -> Table:
    """Latency of an open loop."""
    wire, rounds = wires()[_SMALL], bench.effort.of(3, 1)
    found: dict[str, list[Cell]] = {}
    with bench.programs(wire, direct=True) as programs:
        for rate in RATES:
            count = rate * bench.effort.of(3, 1)
            rows = interleaved(programs, Shape((bench.request(wire),), 32, count, rate), rounds, lambda: None)
            base = {key: middle(rows[DIRECT], lambda one, key=key: one.reported[key]) for key in ("p50", "p99")}  # type: ignore[misc]
            for key in ("p50", "p99"):
                _add(found, programs, rows, lambda one, key=key, base=base: 1e3 * (one.reported[key] - base[key]))  # type: ignore[misc]
    columns = [f"added {key} at {rate:,}/s, ms" for rate in RATES for key in ("p50", "p99")]
    return Table(
        slug="proxy-latency",
        title="Latency that a proxy adds, small bodies, open loop",
        method=(
            "Requests begin at fixed moments on 32 connections, whether or not others are answered, and a latency "
            f"counts from the moment at which its request was due. Median of {rounds} interleaved rounds of 3 s, less "
            "what the model itself takes in the same run. Evaluations of driftgauge run every 30 s beside it."
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


def _settled(effort: Effort) -> Callable[[], None]:
    """Waits, which a small run does not."""
    return lambda: time.sleep(0.01 if effort.quick else _SETTLE_SECONDS)
