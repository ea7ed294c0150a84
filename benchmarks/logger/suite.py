"""The logger's table: events a second on one core, and the time to a response."""

import json
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

ROWS = (1, 4)
"""Rows of a request and of its response."""

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
    seconds = effort.of(3, 1)
    found: dict[str, list[Cell]] = {}
    with TemporaryDirectory(prefix="driftgauge-bench-") as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        programs = {
            OURS: stack.enter_context(_ours(folder)),
            SDK: stack.enter_context(Program(module("benchmarks.logger.sdk_receiver", port), port)),
        }
        for rows in ROWS:
            requests = _write_events(folder, rows)
            for connections in CONNECTIONS:
                before = payload_counts(programs[OURS])
                shape = Shape(requests, connections, count, 0, seconds, together=2)
                measured = run_interleaved(programs, shape, rounds, lambda: time.sleep(0.7))
                kept = {OURS: str(payload_counts(programs[OURS]).since(before))}
                for one, given in measured.items():
                    cells = found.setdefault(f"{one}, {rows} {'row' if rows == 1 else 'rows'}", [])
                    cells.append(1e6 / middle(given, lambda row: row.cpu_us))
                    cells += [1e3 * middle(given, lambda row, key=key: row.reported[key]) for key in ("p50", "p99")]  # type: ignore[misc]
                    cells.append(kept.get(one))
    columns = [
        f"{column}, {number}"
        for number in CONNECTIONS
        for column in ("events a CPU second", "p50 ms", "p99 ms", "kept")
    ]
    return [
        Table(
            slug="logger",
            title="Events a second on one core, and time to a response",
            method=(
                f"Pairs of a request ({COLUMNS} features; 376 bytes with 1 row) and a response as KServe's agent sends "
                "them, on 5 connections and on 100, each as fast as responses arrive; median of "
                f"{rounds} interleaved rounds of {seconds} s, or of {count:,} events where wrk is missing. Events a "
                "second of CPU, user and system, of the whole process. wrk counts a wait as often as requests would "
                "have come meanwhile. driftgauge with all functions on: pairing, decoding, the ring. The other "
                "receiver parses the attributes and discards the event."
            ),
            columns=("receiver, rows of a request", *columns),
            rows=tuple((name, *cells) for name, cells in found.items()),
            plot=Plot((columns[0], columns[len(columns) // 2]), "events for each second of CPU"),
        )
    ]


def _write_events(folder: Path, rows: int) -> tuple[Path, Path]:
    """The events of one inference with so many rows, as files."""
    files = folder / f"request-{rows}.http", folder / f"response-{rows}.http"
    files[0].write_bytes(event("request", v1(rows, 376 if rows == 1 else 0).request.partition(b"\r\n\r\n")[2]))
    files[1].write_bytes(event("response", json.dumps({"predictions": [5.1] * rows}).encode()))
    return files


def _ours(folder: Path) -> Program:
    write_reference(folder / "wine.csv", 2_000, COLUMNS)
    return driftgauge("logger", "--reference-dir", folder)
