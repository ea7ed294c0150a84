"""The memory of a model with many features: `python -m benchmarks.footprint.many_features [--features N ...]`.

A process with the default options gets more rows than its window holds, evaluates them, is scraped, shows its page and
its report, and loads another reference of 5,000 rows. Only the evaluations are closer together than by default. A
figure is the peak of all processes together until then.
"""

import argparse
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.children import OTHER_CORES, Program, module
from benchmarks.environment import driftgauge, scrape
from benchmarks.footprint.memory_peak import MemoryPeak
from benchmarks.proxy.bodies import v1
from benchmarks.results import Cell, Plot, Table
from benchmarks.rounds import Shape, send
from benchmarks.statistics.work import Effort
from driftgauge.reference.file_limits import DEFAULT_VALUES
from tests.support.ports import free_port

REFERENCE_ROWS = 5_000
FEATURES = (13, 100, 300, 1_000)
STEPS = (
    "reference loaded, MB",
    "window full, evaluated",
    "3 more evaluations",
    "scraped, page shown",
    "another reference",
    "in the end",
)

_WINDOW_ROWS = 2_000
_ROWS_PER_REQUEST = 20
_REQUESTS_PER_SECOND = 25.0
_TIMEOUT_SECONDS = 300
_POLL_SECONDS = 0.5
_INTERVAL_SECONDS = 5


def table(effort: Effort) -> Table:
    """Measure the table; a short run has 13 and 100 features."""
    features = FEATURES[: effort.of(len(FEATURES), 2)]
    rows: list[tuple[Cell, ...]] = [(f"{one:,} features", *measure(one)) for one in features]
    return Table(
        slug="many-features",
        title="Memory of a model with many features",
        method=(
            f"Resident megabytes of the proxy and its child processes together, at the worst moment until each step, "
            f"of which there are samples each 5 ms, and of the process alone at all moments. {_WINDOW_ROWS:,} rows in "
            f"the window, in memory; a reference of {REFERENCE_ROWS:,} rows in a CSV file; requests of "
            f"{_ROWS_PER_REQUEST} rows, {_REQUESTS_PER_SECOND:.0f} a second. Then metrics, report and page are read, "
            "and the file is replaced. The last column is what is left, without peaks."
        ),
        columns=("model", *STEPS),
        rows=tuple(rows),
        plot=Plot((STEPS[1], STEPS[4], STEPS[5]), "megabytes"),
    )


def measure(features: int, *options: object, reference_rows: int = REFERENCE_ROWS) -> Iterator[float]:
    """Take a process through its life; yields a figure for each of `STEPS`.

    Args:
        features: Of the model.
        *options: More options of the proxy.
        reference_rows: Rows of the reference.
    """
    with TemporaryDirectory(prefix="driftgauge-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        reference, request = folder / "wine.csv", folder / "request.http"
        _write_reference(reference, (reference_rows, features), seed=1)
        request.write_bytes(v1(_ROWS_PER_REQUEST, columns=features).request)
        port = free_port()
        stack.enter_context(Program(module("benchmarks.model", port), port, OTHER_CORES))
        words = ["--upstream-url", f"http://127.0.0.1:{port}", "--reference", reference, "--reference-poll-seconds", 1]
        interval = ["--evaluation-interval-seconds", _INTERVAL_SECONDS]
        limit = ["--max-reference-values", max(DEFAULT_VALUES, reference_rows * features)]
        program = stack.enter_context(driftgauge("proxy", *words, *interval, *limit, *options))
        peak = stack.enter_context(MemoryPeak(program))
        _wait(program, "driftgauge_reference_rows", 1)
        yield peak.together
        _send_rows(program, request, 2 * _WINDOW_ROWS)
        _wait(program, "driftgauge_window_rows", _WINDOW_ROWS)
        yield peak.together
        for _ in range(3):
            _send_rows(program, request, _WINDOW_ROWS // 4)
            _wait_for_evaluation(program)
        yield peak.together
        for path in ("/metrics", "/drift", "/"):
            _get(program, path)
        yield peak.together
        _write_reference(reference, (reference_rows, features), seed=2)
        _wait(program, "driftgauge_detector_resets_total", 1)
        _wait_for_evaluation(program)
        _get(program, "/")
        yield peak.together
        time.sleep(_INTERVAL_SECONDS)
        yield program.memory("Pss")


def _write_reference(path: Path, shape: tuple[int, int], seed: int) -> None:
    """Write a reference as an editor does: the whole file at once."""
    values = np.random.default_rng(seed).normal(10, 3, shape)
    part, names = path.with_suffix(".part"), ",".join(f"f{number}" for number in range(shape[1]))
    np.savetxt(part, values, fmt="%.3f", delimiter=",", header=names, comments="")
    part.replace(path)


def _send_rows(program: Program, request: Path, rows: int) -> None:
    send(program.port, Shape((request,), 4, rows // _ROWS_PER_REQUEST, _REQUESTS_PER_SECOND))


def _get(program: Program, path: str) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{program.admin_port}{path}", timeout=60) as response:
        response.read()


def _wait_for_evaluation(program: Program) -> None:
    name = "driftgauge_evaluation_timestamp_seconds"
    _wait(program, name, scrape(program).total(name) + 0.1)


def _wait(program: Program, metric: str, least: float) -> None:
    end = time.monotonic() + _TIMEOUT_SECONDS
    while True:
        with suppress(OSError):  # the admin port opens after the data port
            if scrape(program).total(metric) >= least:
                return
        if time.monotonic() > end:
            raise RuntimeError(f"{metric} did not reach {least}")
        time.sleep(_POLL_SECONDS)


def main() -> None:
    """Print a line for each number of features."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint.many_features", description=__doc__)
    parser.add_argument("--features", type=int, nargs="+", default=FEATURES)
    parser.add_argument("--reference-rows", type=int, default=REFERENCE_ROWS, help="rows of it (%(default)s)")
    parser.add_argument("--redis-url", help="keep the rows in this Redis instead of in memory")
    words = parser.parse_args()
    options = ["--redis-url", words.redis_url] if words.redis_url else []
    for features in words.features:
        sys.stdout.write(f"{features:,} features\n")
        for step, megabytes in zip(
            STEPS, measure(features, *options, reference_rows=words.reference_rows), strict=True
        ):
            sys.stdout.write(f"  {step:26} {megabytes:7.1f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
