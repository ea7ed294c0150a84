"""What several suites set up: a reference, and driftgauge itself."""

import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.children import SUBJECT_CORES, Program, free_port, module
from benchmarks.statistics.work import SEED
from tests.support.scrape import Samples


def write_reference(path: Path, rows: int, features: int) -> Path:
    """Write a reference of normally distributed features, `f0`, `f1` and so on, with three decimals."""
    values = np.random.default_rng(SEED).normal(10, 3, (rows, features))
    names = ",".join(f"f{number}" for number in range(features))
    np.savetxt(path, values, fmt="%.3f", delimiter=",", header=names, comments="")
    return path


def driftgauge(
    mode: str,
    *options: object,
    env: dict[str, str] | None = None,
    cores: frozenset[int] = SUBJECT_CORES,
    runner: Sequence[str] = ("driftgauge",),
) -> Program:
    """driftgauge, on free ports, run by a module with arguments of its own; it starts in a `with` block."""
    port, admin = free_port(), free_port()
    words = ["--host", "127.0.0.1", "--port", port, "--admin-port", admin, "--drain-delay-seconds", 0]
    program = Program(module(runner[0], *runner[1:], mode, *words, *options), port, cores, env)
    program.admin_port = admin
    return program


def scrape(program: Program) -> Samples:
    """Scrape its metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{program.admin_port}/metrics", timeout=30) as response:
        return Samples.parse(response.read().decode())


class PayloadCounts(NamedTuple):
    """What became of payloads.

    Args:
        accepted: Those that were read.
        total: All that were counted.
    """

    accepted: float
    total: float

    def since(self, before: "PayloadCounts") -> "PayloadCounts":
        """What came after an earlier count."""
        return PayloadCounts(self.accepted - before.accepted, self.total - before.total)


def payload_counts(program: Program) -> PayloadCounts:
    """Scrape what became of payloads until now."""
    samples, name = scrape(program), "driftgauge_payloads_total"
    return PayloadCounts(samples.total(name, outcome="accepted"), samples.total(name))


def accepted_share(program: Program) -> float:
    """Scrape the share of payloads that were accepted."""
    counts = payload_counts(program)
    return counts.accepted / counts.total
