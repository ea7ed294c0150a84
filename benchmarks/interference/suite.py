"""Latency of small requests while windows are evaluated, metrics are scraped, large bodies are decoded."""

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.children import OTHER_CORES, Program, module
from benchmarks.environment import accepted_share, driftgauge, scrape, write_reference
from benchmarks.proxy.bodies import v1
from benchmarks.results import Cell, Plot, Table
from benchmarks.rounds import Shape, send
from benchmarks.statistics.work import Effort
from tests.support.ports import free_port

RATES = (200, 1_000)
FEATURES = 100
REFERENCE_ROWS = 10_000
WINDOW_ROWS = 2_000
LARGE = {"16 kB": 20, "1 MB": 1_400, "4 MB": 5_600}
"""Rows of 100 features that make a body of about that length."""

QUIET = "nothing"
_NEVER_SECONDS = 3_600
_PAUSE_SECONDS = 1.0


class Work(NamedTuple):
    """One kind of work that runs at the same time as the requests.

    Args:
        interval_seconds: Time between evaluations.
        act: What is done once a second; `None` for nothing.
    """

    interval_seconds: float
    act: Callable[[Program, Path], object] | None = None


def _scrape(program: Program, _: Path) -> object:
    return scrape(program)


def _send_large(program: Program, large: Path) -> object:
    return send(program.port, Shape((large,), 1, 1))


def run(effort: Effort) -> list[Table]:
    """Measure the table."""
    with TemporaryDirectory(prefix="driftgauge-bench-") as folder, ExitStack() as stack:
        port = free_port()
        model = stack.enter_context(Program(module("benchmarks.model", port), port, OTHER_CORES))
        return [_measure_table(effort, Path(folder), model.port)]


def _measure_table(effort: Effort, folder: Path, model: int) -> Table:
    data = write_reference(folder / "wide.csv", REFERENCE_ROWS, FEATURES)
    small = _write(folder, "small", v1(1, columns=FEATURES).request)
    large = {name: _write(folder, name, v1(rows, columns=FEATURES).request) for name, rows in LARGE.items()}
    kinds: dict[str, tuple[Work, Path]] = {
        QUIET: (Work(_NEVER_SECONDS), small),
        "evaluations of 100 features, one after the other": (Work(0.1), small),
        "a scrape each second": (Work(_NEVER_SECONDS, _scrape), small),
        **{f"a body of {name} each second": (Work(_NEVER_SECONDS, _send_large), path) for name, path in large.items()},
    }
    found: defaultdict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    rounds, seconds = effort.of(3, 1), effort.of(3, 1)
    shares = []
    for _ in range(rounds):
        for name, (work, path) in kinds.items():
            with _running(model, data, small, work.interval_seconds) as program:
                for rate in RATES:
                    with _doing(work, program, path):
                        reported = send(program.port, Shape((small,), 32, rate * seconds, rate))
                    for key in ("p50", "p99", "max"):
                        found[name][f"{key} at {rate:,}/s, ms"].append(1e3 * reported[key])
                shares.append(accepted_share(program))
    columns = [f"{key} at {rate:,}/s, ms" for rate in RATES for key in ("p50", "p99", "max")]
    base = median(found[QUIET]["p99 at 1,000/s, ms"])
    rows = []
    for name in kinds:
        cells: list[Cell] = [median(found[name][column]) for column in columns]
        rows.append((name, *cells, median(found[name]["p99 at 1,000/s, ms"]) - base))
    return Table(
        slug="interference",
        title="Latency of small requests while the same process does other work",
        method=(
            f"Open loop through the proxy on 32 connections, one row of {FEATURES} features each; a reference of "
            f"{REFERENCE_ROWS:,} rows, a full window of {WINDOW_ROWS:,}. Evaluations run 0.1 s after each other. "
            f"Median of {rounds} rounds of {seconds} s, each on a fresh process; at least {min(shares):.2%} of the "
            "payloads were accepted."
        ),
        columns=("other work", *columns, "p99 at 1,000/s more than with no other work, ms"),
        rows=tuple(rows),
        plot=Plot(("p50 at 1,000/s, ms", "p99 at 1,000/s, ms"), "milliseconds"),
    )


def _write(folder: Path, name: str, request: bytes) -> Path:
    path = folder / f"{name}.http"
    path.write_bytes(request)
    return path


@contextmanager
def _running(model: int, data: Path, small: Path, interval: float) -> Iterator[Program]:
    """A running proxy whose window is full."""
    upstream = f"http://127.0.0.1:{model}"
    words = ["--upstream-url", upstream, "--reference", data, "--inference-service", "wine"]
    more = ["--window-rows", WINDOW_ROWS, "--evaluation-interval-seconds", interval]
    with driftgauge("proxy", *words, *more) as program:
        send(program.port, Shape((small,), 8, WINDOW_ROWS))
        yield program


@contextmanager
def _doing(work: Work, program: Program, path: Path) -> Iterator[None]:
    """Do the work once a second until the block ends."""
    stopped = threading.Event()

    def repeat() -> None:
        while not stopped.wait(_PAUSE_SECONDS):
            if work.act is not None:
                with contextlib.suppress(OSError):  # the program may be stopping
                    work.act(program, path)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
