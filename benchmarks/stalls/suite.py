"""The table of stalls: what a request every 5 ms feels of one message from another client."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.children import OTHER_CORES, Program, free_port, module
from benchmarks.environment import driftgauge, write_reference
from benchmarks.logger.suite import event
from benchmarks.proxy.bodies import COLUMNS, v1
from benchmarks.results import Cell, Table
from benchmarks.stalls.messages import Message, messages
from benchmarks.statistics.work import Effort

BEFORE_SECONDS = 1.0
"""Requests that are sent before the message, to know how long they take without it."""

BUSY_SHARE = 0.3
"""A process that uses more of a core than this, in 50 ms, is handling the message still."""

_SLICE_SECONDS = 0.05
_IDLE_SLICES = 10
_LONGEST_SECONDS = 40.0


class Stall(NamedTuple):
    """What one message did.

    Args:
        usual_seconds: The longest latency before it.
        longest_seconds: The longest latency of all later ones.
        median_seconds: Of the latencies of requests that fell into its handling.
        handling_seconds: Until the process was as idle as before.
        memory_megabytes: The peak above what was resident before.
    """

    usual_seconds: float
    longest_seconds: float
    median_seconds: float
    handling_seconds: float
    memory_megabytes: float


def run(effort: Effort) -> list[Table]:
    """The table."""
    seconds = effort.of(8, 3)
    rows: list[tuple[Cell, ...]] = []
    with TemporaryDirectory(prefix="driftgauge-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        data = write_reference(folder / "reference.csv", 2_000, COLUMNS)
        port = free_port()
        stack.enter_context(Program(module("benchmarks.model", port), port, OTHER_CORES))
        for title, message in messages().items():
            options = [
                "--reference",
                data,
                *(["--upstream-url", f"http://127.0.0.1:{port}"] * (message.mode == "proxy")),
            ]
            with driftgauge(message.mode, *options, "--evaluation-interval-seconds", 3600) as program:
                found = measure(program, message, folder, seconds)
            rows.append((f"{message.mode}: {title}", len(message.wire) / 1e6, *_cells(found)))
    return [
        Table(
            slug="stalls",
            title="What one message does to the requests of another client",
            method=(
                f"A client sends a request every 5 ms (open loop) for {seconds} s; after {BEFORE_SECONDS:g} s another "
                "one sends the message. Latencies in milliseconds, counted from the moment at which a request was due: "
                "the longest before the message, the longest after it, and the median of those that fell into its "
                "handling, which ends when the process is idle again. Memory: peak above what was resident before."
            ),
            columns=("message", "MB sent", "longest before", "longest", "median in it", "handling s", "memory MB"),
            rows=tuple(rows),
        )
    ]


def measure(program: Program, message: Message, folder: Path, seconds: float) -> Stall:
    """Send one message beside the meter."""
    small = folder / "small.http"
    body = v1(1).request.partition(b"\r\n\r\n")[2]
    plain = v1(1).request if message.mode == "proxy" else event("request", body)
    small.write_bytes(plain.replace(b"@" * 32, b"0" * 32))
    argv = [sys.executable, "-m", "benchmarks.stalls.meter", str(program.port), str(small), str(seconds)]
    meter = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    time.sleep(BEFORE_SECONDS + 0.7)  # the meter needs some time to start
    before_megabytes = program.memory()
    for pid in program.pids():
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    start = time.monotonic()
    sender = threading.Thread(target=send, args=(program.port, message.wire))
    sender.start()
    end = _wait_until_idle(program)
    samples: list[tuple[float, float]] = [(due, latency) for due, latency in json.loads(meter.communicate()[0])]
    sender.join()
    peak_megabytes = sum(_peak_kilobytes(pid) for pid in program.pids()) / 1024
    usual = [latency for due, latency in samples if due + latency < start]
    later = [latency for due, latency in samples if due + latency >= start]
    inside = [latency for due, latency in samples if due + latency >= start and due <= end]
    return Stall(
        max(usual, default=0.0),
        max(later, default=0.0),
        median(inside) if inside else 0.0,
        end - start,
        peak_megabytes - before_megabytes,
    )


def send(port: int, wire: bytes) -> None:
    """Send all of it, read what comes back, and close when nothing came for 2 s."""
    with socket.create_connection(("127.0.0.1", port), timeout=_LONGEST_SECONDS) as client:
        reader = threading.Thread(target=_drain, args=(client,))
        reader.start()
        with suppress(OSError):  # refused before its end
            client.sendall(wire)
        reader.join(_LONGEST_SECONDS)


def _drain(client: socket.socket) -> None:
    client.settimeout(2.0)
    with suppress(OSError):
        while client.recv(1 << 16):
            pass


def _wait_until_idle(program: Program) -> float:
    """The moment at which the process had used little CPU for some slices."""
    begin = end = time.monotonic()
    idle, used = 0, program.cpu_seconds
    while idle < _IDLE_SLICES and time.monotonic() - begin < _LONGEST_SECONDS:
        time.sleep(_SLICE_SECONDS)
        now_used = program.cpu_seconds
        if (now_used - used) / _SLICE_SECONDS > BUSY_SHARE:
            idle, end = 0, time.monotonic()
        else:
            idle += 1
        used = now_used
    return end


def _peak_kilobytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def _cells(found: Stall) -> Sequence[Cell]:
    return (
        found.usual_seconds * 1e3,
        found.longest_seconds * 1e3,
        found.median_seconds * 1e3,
        found.handling_seconds,
        found.memory_megabytes,
    )
