"""What a model with many features needs: `python -m benchmarks.footprint.many_features [--features N] [--quick]`.

A process with the default options gets more rows than its window holds, evaluates them, is scraped, shows its page and
its report, and loads another reference. The peaks are those of the main process and its children together. `--shape`
measures many small models in one logger.
"""

import argparse
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.children import OTHER_CORES, Program, free_port, module
from benchmarks.environment import driftgauge, scrape
from benchmarks.footprint.memory_peak import MemoryPeak
from benchmarks.proxy.bodies import v1
from benchmarks.rounds import Shape, send

REFERENCE_ROWS = 5_000
_ROWS_PER_REQUEST = 20
_WINDOW_ROWS = 2_000
_TIMEOUT_SECONDS = 120
_POLL_SECONDS = 0.1


def measure(features: int, redis_url: str = "", window_rows: int = _WINDOW_ROWS) -> Iterator[tuple[str, float, float]]:
    """Take a process through its life; yields each step, and the peaks of all processes and of the main one.

    Args:
        features: Of the model; the reference has 5,000 rows of them.
        redis_url: Where rows are kept; empty: in memory.
        window_rows: The option.
    """
    with TemporaryDirectory(prefix="driftgauge-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        reference = folder / "wine.csv"
        _write_reference(reference, features, seed=1)
        request = folder / "request.http"
        request.write_bytes(v1(_ROWS_PER_REQUEST, columns=features).request)
        port = free_port()
        stack.enter_context(Program(module("benchmarks.model", port), port, OTHER_CORES))
        options = ["--redis-url", redis_url] if redis_url else []
        program = stack.enter_context(
            driftgauge(
                "proxy",
                "--upstream-url",
                f"http://127.0.0.1:{port}",
                "--reference",
                reference,
                "--inference-service",
                "wine",
                "--evaluation-interval-seconds",
                5,
                "--reference-poll-seconds",
                1,
                "--window-rows",
                window_rows,
                *options,
            )
        )
        peak = stack.enter_context(MemoryPeak(program))

        def until(metric: str, least: float) -> None:
            _wait(program, metric, least)

        until("driftgauge_reference_rows", 1)
        yield "reference loaded", peak.together, peak.main
        send(program.port, Shape((request,), 4, 2 * window_rows // _ROWS_PER_REQUEST))
        until("driftgauge_window_rows", window_rows)
        until("driftgauge_state", 1)
        yield "window full, evaluated", peak.together, peak.main
        for _ in range(3):
            send(program.port, Shape((request,), 4, window_rows // 4 // _ROWS_PER_REQUEST))
            seen = scrape(program).total("driftgauge_evaluation_timestamp_seconds")
            until("driftgauge_evaluation_timestamp_seconds", seen + 0.1)
        yield "three more evaluations", peak.together, peak.main
        for path in ("/metrics", "/drift", "/", "/metrics"):
            _get(program, path)
        yield "scraped, page and report shown", peak.together, peak.main
        _write_reference(reference, features, seed=2)
        until("driftgauge_detector_resets_total", 1)
        time.sleep(6)
        _get(program, "/")
        yield "another reference", peak.together, peak.main
        yield "at the end", program.memory(), program.memory("Pss")


def _write_reference(path: Path, features: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(10, 3, (REFERENCE_ROWS, features))
    part = path.with_suffix(".part")
    np.savetxt(
        part, values, fmt="%.3f", delimiter=",", header=",".join(f"f{one}" for one in range(features)), comments=""
    )
    part.replace(path)


def _get(program: Program, path: str) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{program.admin_port}{path}", timeout=60) as response:
        response.read()


def _wait(program: Program, metric: str, least: float) -> None:
    end = time.monotonic() + _TIMEOUT_SECONDS
    while scrape(program).total(metric) < least:
        if time.monotonic() > end:
            raise RuntimeError(f"{metric} did not reach {least}")
        time.sleep(_POLL_SECONDS)


def main() -> None:
    """Take one process through its life, and print the peaks after each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=1_000)
    parser.add_argument("--redis-url", default="")
    options = parser.parse_args()
    for step, together, alone in measure(options.features, options.redis_url):
        sys.stdout.write(f"{step:32} {together:7.1f} {alone:7.1f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
