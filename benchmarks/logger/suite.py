"""The logger's table: events a second on one core, and the time to a response."""

import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.children import Program, module
from benchmarks.environment import driftgauge, payload_counts, write_reference
from benchmarks.proxy.bodies import COLUMNS, v1
from benchmarks.results import Cell, Plot, Table
from benchmarks.rounds import Shape, middle, run_interleaved
from benchmarks.statistics.work import Effort
from tests.support.ports import free_port

CONNECTIONS = (5, 100)
"""An agent has five workers, so 100 connections are twenty pods."""

OURS = "driftgauge logger"
SDK = "aiohttp and the CloudEvents SDK"

_HEAD = """POST / HTTP/1.1
Host: driftgauge.monitoring
User-Agent: Go-http-client/1.1
Content-Length: {length}
Ce-Component: predictor
Ce-Endpoint:{blank}
Ce-Id: {id}
Ce-Inferenceservicename: wine
Ce-Metadata: {{}}
Ce-Namespace: cellar
Ce-Recordedtime: 2026-11-23T04:50:06.703448179Z
Ce-Source: http://localhost:9081/
Ce-Specversion: 1.0
Ce-Time: 2026-11-23T04:50:06.703447869Z
Ce-Type: org.kubeflow.serving.inference.{kind}
Content-Type: application/json
Accept-Encoding: gzip

"""


def event(kind: str, body: bytes) -> bytes:
    """An event as KServe's agent writes it."""
    head = _HEAD.format(length=len(body), id="@" * 32, kind=kind, blank=" ")
    return head.replace("\n", "\r\n").encode() + body


def run(effort: Effort) -> list[Table]:
    """Measure the table."""
    rounds, count = effort.of(5, 1), effort.of(10_000, 8_000)
    with TemporaryDirectory(prefix="driftgauge-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        requests = (folder / "request.http", folder / "response.http")
        requests[0].write_bytes(event("request", v1(1, 376).request.partition(b"\r\n\r\n")[2]))
        requests[1].write_bytes(event("response", b'{"predictions":[5.1]}'))
        port = free_port()
        programs = {
            OURS: stack.enter_context(_ours(folder)),
            SDK: stack.enter_context(Program(module("benchmarks.logger.sdk_receiver", port), port)),
        }
        found: dict[str, list[Cell]] = {one: [] for one in programs}
        for connections in CONNECTIONS:
            rows = run_interleaved(
                programs,
                Shape(requests, connections, count, 0, effort.of(3, 1), together=2),
                rounds,
                lambda: time.sleep(0.7),
            )
            for one, given in rows.items():
                found[one].append(1e6 / middle(given, lambda row: row.cpu_us))
                found[one] += [1e3 * middle(given, lambda row, key=key: row.reported[key]) for key in ("p50", "p99")]  # type: ignore[misc]
        counts = payload_counts(programs[OURS])
    columns = [
        column
        for number in CONNECTIONS
        for column in (f"events a CPU second, {number}", f"p50 ms, {number}", f"p99 ms, {number}")
    ]
    return [
        Table(
            slug="logger",
            title="Events a second on one core, and time to a response",
            method=(
                f"Pairs of a request (376 bytes, {COLUMNS} features) and a response as KServe's agent sends them, on 5 "
                f"connections and on 100, each as fast as responses arrive; median of {rounds} interleaved rounds of "
                f"{count:,} events. Events a second of CPU, user and system, of the whole process. driftgauge with "
                f"all functions on: pairing, decoding, the ring; its payloads: {counts}. "
                "The other receiver parses the attributes and discards the event."
            ),
            columns=("receiver", *columns),
            rows=tuple((name, *cells) for name, cells in found.items()),
            plot=Plot((columns[0], columns[3]), "events for each second of CPU"),
        )
    ]


def _ours(folder: Path) -> Program:
    write_reference(folder / "wine.csv", 2_000, COLUMNS)
    return driftgauge("logger", "--reference-dir", folder)
