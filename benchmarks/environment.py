"""What the suites set up alike: a reference, a request, driftgauge itself."""

import urllib.request
from pathlib import Path

import numpy as np

from benchmarks.children import Program, free_port, module
from benchmarks.statistics.work import SEED
from tests.support.scrape import Samples


def reference(path: Path, rows: int, features: int) -> Path:
    """A reference of normal features, `f0` and on, with three decimals."""
    drawn = np.random.default_rng(SEED).normal(10, 3, (rows, features))
    names = ",".join(f"f{number}" for number in range(features))
    np.savetxt(path, drawn, fmt="%.3f", delimiter=",", header=names, comments="")
    return path


def driftgauge(mode: str, *options: object, env: dict[str, str] | None = None) -> Program:
    """The product, on ports of its own."""
    port, admin = free_port(), free_port()
    words = ["--host", "127.0.0.1", "--port", port, "--admin-port", admin, "--drain-delay-seconds", 0]
    program = Program(module("driftgauge", mode, *words, *options), port, env=env)
    program.admin_port = admin
    return program


def scraped(program: Program) -> Samples:
    """What its metrics are now."""
    with urllib.request.urlopen(f"http://127.0.0.1:{program.admin_port}/metrics", timeout=30) as response:
        return Samples.parse(response.read().decode())


def kept(program: Program) -> float:
    """The share of payloads that were neither dropped nor rejected."""
    samples, name = scraped(program), "driftgauge_payloads_total"
    return samples.total(name, outcome="accepted") / samples.total(name)
