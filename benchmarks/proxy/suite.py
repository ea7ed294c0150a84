"""The proxy's tables: CPU for each request by connections, by the kind of body and by rate; and added latency."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.children import OTHER_CORES, Program, module
from benchmarks.environment import PayloadCounts, payload_counts, write_reference
from benchmarks.native import programs as native
from benchmarks.proxy.bodies import COLUMNS, Wire, long_wires, small_wires
from benchmarks.proxy.peers.setup import ENVOY, GO, GO_EVENTS, NGINX, OURS, Setup, Starter, ours, starters, versions
from benchmarks.results import Cell, Plot, Table
from benchmarks.rounds import Round, Shape, middle, run_interleaved
from benchmarks.statistics.work import Effort
from tests.support.ports import free_port

CONNECTIONS = (1, 8, 64)
POD_RATES = (100, 1_000, 5_000)
RATES = (500, 2_000, 6_000)
LATENCY_RATES = (200, 1_000)
NO_SAMPLES = "driftgauge, sampling nothing"
PURE = "driftgauge, pure Python"
DIRECT = "no proxy"

_SMALL = "V1, 1 row"
_V2 = "V2 JSON, 1 row"
_DIFFERENT_ROWS = 16
"""Files of each small request, with different rows, that are sent in turn."""

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
        self._reference = write_reference(folder / "wine.csv", 5_000, COLUMNS)
        self.starters = starters()
        self.seconds = effort.of(2, 1)

    def write_requests(self, name: str) -> tuple[Path, ...]:
        """Write files with the bytes of requests of a kind, small ones with different rows."""
        if name in long_wires():
            return (self._write(long_wires()[name]),)
        return tuple(self._write(small_wires(seed)[name]) for seed in range(_DIFFERENT_ROWS))

    def _write(self, wire: Wire) -> Path:
        path = self._folder / f"{abs(hash(wire))}.http"
        path.write_bytes(wire.request)
        return path

    @contextmanager
    def programs(
        self,
        response: str,
        only: Sequence[str] = (),
        *,
        more: Mapping[str, Starter] | None = None,
        direct: bool = False,
    ) -> Iterator[dict[str, Program]]:
        """Start a model with a kind of response, and proxies in front of it, all if none is named."""
        with ExitStack() as stack:
            model = stack.enter_context(self._model(response))
            sink = stack.enter_context(self._python_model("v1"))
            setup = Setup(self._folder, model.port, self._reference, sink.port)
            wanted = {name: start for name, start in self.starters.items() if not only or name in only}
            found = {DIRECT: model} if direct else {}
            for name, start in {**wanted, **(more or {})}.items():
                if start is not None:
                    found[name] = stack.enter_context(start(setup))
            yield found

    def _model(self, response: str) -> Program:
        is_native = native.are_installed() and response in native.RESPONSES
        return native.model(self._folder, response) if is_native else self._python_model(response)

    @staticmethod
    def _python_model(response: str) -> Program:
        port = free_port()
        return Program(module("benchmarks.model", port, "--response", response), port, OTHER_CORES)

    def measure(
        self, programs: Mapping[str, Program], shape: Shape, rounds: int
    ) -> tuple[Mapping[str, Sequence[Round]], PayloadCounts | None]:
        """Run interleaved rounds; returns them, and what became of the payloads of driftgauge, if it is among them."""
        before = payload_counts(programs[OURS]) if OURS in programs else None
        settle = partial(time.sleep, 0.01 if self.effort.quick else _SETTLE_SECONDS)
        found = run_interleaved(programs, shape, rounds, settle, warm=self.effort.of(1, 0))
        return found, None if before is None else payload_counts(programs[OURS]).since(before)


def run(effort: Effort) -> list[Table]:
    """Measure all tables of the proxy."""
    with TemporaryDirectory(prefix="driftgauge-bench-") as folder:
        bench = Bench(effort, Path(folder))
        return [
            _measure_pod(bench),
            _measure_connections(bench),
            _measure_bodies(bench),
            _measure_rates(bench),
            _measure_latency(bench),
        ]


def _measure_pod(bench: Bench) -> Table:
    """Measure what a pod pays for a proxy at three rates: CPU, and memory after it."""
    rounds, requests = bench.effort.of(3, 1), bench.write_requests(_SMALL)
    figures: dict[str, list[Cell]] = {}
    kept: list[str] = []
    with bench.programs("v1", (NGINX, ENVOY, OURS, GO, GO_EVENTS), more={PURE: ours(pure=True)}) as programs:
        for rate in POD_RATES:
            shape = Shape(requests, 16, rate * bench.seconds, rate, bench.seconds)
            found, counts = bench.measure(programs, shape, rounds)
            for name in programs:
                figures.setdefault(name, []).append(_cpu(found[name]) * rate / 1e3)
            kept.append(_kept(counts))
        memory = {name: program.memory() for name, program in programs.items()}
    return Table(
        slug="proxy-pod",
        title="What a pod pays: thousandths of a core at a rate, and memory",
        method=(
            f"{_SMALL}: {COLUMNS} features, {_bytes(requests)}, each with an id and a trace of its own, on 16 "
            f"connections, sent when it is due. {_load_text()} Median of {rounds} interleaved rounds; resident memory "
            "after them. driftgauge with all functions on; "
            f"at {POD_RATES[-1]:,} a second its payloads were {kept[-1]}. "
            f"*{GO_EVENTS}* does what KServe's agent does."
        ),
        columns=("proxy", *(f"{rate:,} a second" for rate in POD_RATES), "MB"),
        rows=tuple((name, *cells, memory[name]) for name, cells in figures.items()),
        versions={**versions(), **native.versions()},
    )


def _measure_connections(bench: Bench) -> Table:
    """Measure CPU for a small request by the number of connections, as fast as responses arrive."""
    rounds, requests = bench.effort.of(3, 1), bench.write_requests(_SMALL)
    figures: dict[str, list[Cell]] = {}
    kept: list[str] = []
    with bench.programs("v1", more={NO_SAMPLES: ours("--sample-ratio", "0"), PURE: ours(pure=True)}) as programs:
        for connections in CONNECTIONS:
            count = bench.effort.of(8_000, 500)
            found, counts = bench.measure(programs, Shape(requests, connections, count, 0, bench.seconds), rounds)
            for name in programs:
                figures.setdefault(name, []).append(_cpu(found[name]))
            kept.append(_kept(counts))
    columns: list[str] = []
    for number in CONNECTIONS:
        columns += [f"{number} connections", f"payloads, {number}"]
    rows: list[tuple[Cell, ...]] = []
    for name, cells in figures.items():
        pairs: list[Cell] = []
        for cell, share in zip(cells, kept, strict=True):
            pairs += [cell, share if name == OURS else None]
        rows.append((name, *pairs, *(_ratio(figures[OURS][at], cells[at]) for at in (2, 1))))
    return Table(
        slug="proxy-cpu",
        title="CPU microseconds for each request with a small body",
        method=(
            f"{_SMALL}: {COLUMNS} features with all their digits, {_bytes(requests)}; each request has an id and a "
            f"trace of its own, {_DIFFERENT_ROWS} different rows take turns. {_load_text()} As fast as responses "
            "arrive. User and system time of the whole process, from the kernel's scheduler statistics; median of "
            f"{rounds} interleaved rounds of {bench.seconds} s, after one round to warm up. The proxy has one core, "
            "load and model share the other. driftgauge with all functions on: metrics, copies, decoding, the ring, "
            "evaluations every 30 s. *Payloads*: the share of its payloads that were read, that the sample ratio left "
            "out by id, and that were dropped; all are counted. The last columns are ratios to each peer, at 64 and "
            "at 8 connections."
        ),
        columns=("proxy", *columns, "driftgauge is", "driftgauge is, at 8"),
        rows=tuple(rows),
        plot=Plot(tuple(columns[::2]), "CPU microseconds a request"),
        versions={**versions(), **native.versions()},
    )


def _measure_bodies(bench: Bench) -> Table:
    """Measure CPU by the kind of body, as fast as responses arrive."""
    rounds = bench.effort.of(2, 1)
    peers = (NGINX, OURS, GO, GO_EVENTS)
    rows: list[tuple[Cell, ...]] = []
    for name, wire in {**small_wires(), **long_wires()}.items():
        connections = 64 if name in small_wires() else 8
        count = bench.effort.of(200 if "MB" in name else 4_000, 30)
        with bench.programs(wire.response, peers) as programs:
            shape = Shape(bench.write_requests(name), connections, count, 0, bench.seconds)
            found, counts = bench.measure(programs, shape, rounds)
        rows.append(_row(f"{name}, {wire.body_bytes:,} bytes", found, counts))
    return Table(
        slug="proxy-bodies",
        title="CPU microseconds for each request by the kind of body",
        method=(
            f"As above, median of {rounds} rounds; 64 connections, with long bodies and streams 8. The stream is a "
            "response of 20 events in chunks, of a model in Python."
        ),
        columns=_PEER_COLUMNS,
        rows=tuple(rows),
        plot=Plot(("nginx", "driftgauge", GO_EVENTS), "CPU microseconds a request", is_logarithmic=True),
    )


def _measure_rates(bench: Bench) -> Table:
    """Measure CPU for a small request at fixed rates."""
    rounds = bench.effort.of(2, 1)
    peers = (NGINX, OURS, GO, GO_EVENTS)
    rows: list[tuple[Cell, ...]] = []
    for name in (_SMALL, _V2):
        with bench.programs(small_wires()[name].response, peers) as programs:
            for rate in RATES:
                shape = Shape(bench.write_requests(name), 16, rate * bench.seconds, rate, bench.seconds)
                found, counts = bench.measure(programs, shape, rounds)
                rows.append(_row(f"{name}, {rate:,} a second", found, counts))
    return Table(
        slug="proxy-rates",
        title="CPU microseconds for each request at a rate",
        method=f"As above, median of {rounds} rounds; 16 connections, each request is sent when it is due.",
        columns=_PEER_COLUMNS,
        rows=tuple(rows),
    )


_PEER_COLUMNS = ("load", "nginx", "driftgauge", "payloads", "of nginx's", GO, GO_EVENTS, "of Go's with two events")


def _row(name: str, found: Mapping[str, Sequence[Round]], counts: PayloadCounts | None) -> tuple[Cell, ...]:
    """A row of `_PEER_COLUMNS`."""
    cells = {peer: _cpu(found[peer]) if peer in found else None for peer in (NGINX, OURS, GO, GO_EVENTS)}
    mine = cells[OURS]
    nginx, events = _ratio(mine, cells[NGINX]), _ratio(mine, cells[GO_EVENTS])
    return (name, cells[NGINX], mine, _kept(counts), nginx, cells[GO], cells[GO_EVENTS], events)


def _measure_latency(bench: Bench) -> Table:
    """Measure the latency of an open loop."""
    requests, rounds = bench.write_requests(_SMALL), bench.effort.of(3, 1)
    figures: dict[str, list[Cell]] = {}
    with bench.programs("v1", direct=True) as programs:
        for rate in LATENCY_RATES:
            shape = Shape(requests, 32, rate * bench.seconds, rate)
            found = run_interleaved(programs, shape, rounds, lambda: None, warm=bench.effort.of(1, 0))
            for key in ("p50", "p99"):
                pick = partial(_reported, key)
                base = middle(found[DIRECT], pick)
                for name in programs:
                    figures.setdefault(name, []).append(1e3 * (middle(found[name], pick) - base))
    columns = [f"added {key} at {rate:,}/s, ms" for rate in LATENCY_RATES for key in ("p50", "p99")]
    return Table(
        slug="proxy-latency",
        title="Latency that a proxy adds, small bodies, open loop",
        method=(
            "Requests start at fixed times on 32 connections, whether or not others have a response, and a latency "
            "counts from the time at which its request was due; this load is a program in Python, since wrk counts "
            f"from the sending. Median of {rounds} interleaved rounds of {bench.seconds} s, minus the latency of the "
            "model alone in the same run. driftgauge runs its evaluations every 30 s."
        ),
        columns=("proxy", *columns, "p50 at 1,000/s: driftgauge adds", "p99"),
        rows=tuple(
            (name, *cells, *(_ratio(figures[OURS][at], cells[at]) for at in (2, 3)))
            for name, cells in figures.items()
            if name != DIRECT
        ),
        plot=Plot((columns[0], columns[2]), "milliseconds"),
    )


def _reported(key: str, one: Round) -> float:
    return one.reported[key]


def _cpu(rounds: Sequence[Round]) -> float:
    """The median of the CPU microseconds of a request."""
    return middle(rounds, _cpu_of)


def _cpu_of(one: Round) -> float:
    return one.cpu_us


def _kept(counts: PayloadCounts | None) -> str:
    """What became of the payloads of driftgauge; empty where there were none."""
    return "" if counts is None else str(counts)


def _ratio(ours_: Cell, theirs: Cell) -> Cell:
    """Our figure over that of a peer."""
    if not isinstance(ours_, float) or not isinstance(theirs, float):
        return None
    return f"{ours_ / theirs:.2f}x"


def _bytes(requests: Sequence[Path]) -> str:
    """The lengths of the bodies of some requests."""
    lengths = [len(path.read_bytes().partition(b"\r\n\r\n")[2]) for path in requests]
    return f"{min(lengths)} to {max(lengths)} bytes"


def _load_text() -> str:
    """What sends the load, and what is the model."""
    if native.are_installed():
        return "Load: wrk, one thread; model: nginx, which discards the body."
    return (
        "**Load and model are programs in Python, since wrk or nginx is not installed: they leave the proxies idle, "
        "and the ratios are smaller than on native load.**"
    )
