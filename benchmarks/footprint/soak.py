"""A long load: does memory stay constant? `python -m benchmarks.footprint.soak [--requests N] [--redis KIND]`.

Requests go through the proxy on 64 connections, as fast as responses arrive. With `--redis dead` nothing listens at the
address of Redis; with `--redis mute` a server accepts connections and never replies.
"""

import argparse
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.children import OTHER_CORES, Program, module
from benchmarks.environment import driftgauge, scrape, write_reference
from benchmarks.proxy.bodies import COLUMNS, v1
from benchmarks.rounds import Shape, send
from tests.support.ports import free_port

PIECE = 50_000
CONNECTIONS = 64


@contextmanager
def redis_options(kind: str) -> Iterator[list[str]]:
    """The options for a Redis of this kind."""
    if kind == "none":
        yield []
        return
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        if kind == "mute":
            mute.listen(128)
        yield ["--redis-url", f"redis://127.0.0.1:{mute.getsockname()[1]}"]


def soak(requests: int, kind: str = "none") -> Iterator[tuple[int, float]]:
    """Send requests; yields the number sent so far, and the memory of the proxy in megabytes."""
    with TemporaryDirectory(prefix="driftgauge-soak-") as name, ExitStack() as stack:
        folder = Path(name)
        data = write_reference(folder / "wine.csv", 2_000, COLUMNS)
        body = folder / "request.http"
        body.write_bytes(v1(1, 376).request)
        port = free_port()
        stack.enter_context(Program(module("benchmarks.model", port), port, OTHER_CORES))
        options = stack.enter_context(redis_options(kind))
        words = ["--upstream-url", f"http://127.0.0.1:{port}", "--reference", data, "--inference-service", "wine"]
        program = stack.enter_context(driftgauge("proxy", *words, *options, "--evaluation-interval-seconds", 5))
        yield 0, program.memory()
        for done in range(PIECE, requests + 1, PIECE):
            send(program.port, Shape((body,), CONNECTIONS, PIECE))
            yield done, program.memory()
        ended = scrape(program).total("request_count")
        if ended < requests - requests % PIECE:
            raise RuntimeError(f"{ended:.0f} requests were counted of {requests}")


def slope(points: list[tuple[int, float]]) -> float:
    """Growth of memory in megabytes for a million requests: the slope of a line through the second half."""
    later = points[len(points) // 2 :]
    return float(np.polyfit([done for done, _ in later], [size for _, size in later], 1)[0]) * 1e6


def main() -> None:
    """Run the load, and print the memory."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.footprint.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--redis", choices=("none", "dead", "mute"), default="none")
    options = parser.parse_args()
    points = []
    for done, size in soak(options.requests, options.redis):
        points.append((done, size))
        sys.stdout.write(f"{done:>10,} requests  {size:6.1f} MB\n")
        sys.stdout.flush()
    sys.stdout.write(f"growth in the second half: {slope(points):+.2f} MB a million requests\n")


if __name__ == "__main__":
    main()
