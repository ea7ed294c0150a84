"""What several suites set up: a reference, and driftgauge itself."""

import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.children import SUBJECT_CORES, Program, module
from benchmarks.compiled import compiled_package
from benchmarks.statistics.work import SEED
from tests.support.ports import free_port
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
    pure: bool = False,
    runner: Sequence[str] = ("driftgauge",),
) -> Program:
    """driftgauge, on free ports, run by a module with arguments of its own; it starts in a `with` block.

    It is the compiled build if there is one; if `pure`, the one that this process has.
    """
    port, admin = free_port(), free_port()
    package = None if pure else compiled_package()
    if package is not None:
        env = {"PYTHONPATH": str(package), **(env or {})}
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
        left_out: Those that the sample ratio left out.
        dropped: Those that were dropped.
        total: All that were counted.
    """

    accepted: float
    left_out: float
    dropped: float
    total: float

    def since(self, before: "PayloadCounts") -> "PayloadCounts":
        """What came after an earlier count."""
        return PayloadCounts(*(now - then for now, then in zip(self, before, strict=True)))

    def __str__(self) -> str:
        """The shares, for a cell of a table; those that were rejected are named only if there are any."""
        if not self.total:
            return ""
        rejected = self.total - self.accepted - self.left_out - self.dropped
        named = {"kept": self.accepted, "left out": self.left_out, "dropped": self.dropped, "rejected": rejected}
        return ", ".join(
            f"{name} {number / self.total:.1%}" for name, number in named.items() if number or name != "rejected"
        )


def payload_counts(program: Program) -> PayloadCounts:
    """Scrape what became of payloads until now."""
    samples, name = scrape(program), "driftgauge_payloads_total"
    accepted, left_out, dropped = (
        samples.total(name, outcome=outcome) for outcome in ("accepted", "sampled_out", "dropped")
    )
    return PayloadCounts(accepted, left_out, dropped, samples.total(name))


def accepted_share(program: Program) -> float:
    """Scrape the share of payloads that were accepted."""
    counts = payload_counts(program)
    return counts.accepted / counts.total
