"""The table of hostile messages: what each costs a client that sends a request every 5 ms."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.children import OTHER_CORES, Program, module
from benchmarks.environment import driftgauge
from benchmarks.hostile import to_logger, to_proxy
from benchmarks.hostile.datasets import body_of, reference
from benchmarks.hostile.effect import LONGEST_SECONDS, MEDIAN_SECONDS, MEGABYTES, Effect
from benchmarks.hostile.messages import Data, Message, post
from benchmarks.hostile.reload import POLL_SECONDS, Replacement, contents
from benchmarks.hostile.rounds import Plan, measure
from benchmarks.hostile.sender import outcome, send
from benchmarks.logger.suite import event
from benchmarks.results import Cell, Table
from benchmarks.statistics.work import Effort
from tests.support.ports import free_port

_COLUMNS = (
    "message",
    "MB sent",
    "outcome",
    "p99 without, ms",
    "p99 with",
    "more",
    "longest without, ms",
    "longest with",
    "more",
    "median in its handling, ms more",
    "memory, MB more",
    "promise",
)
_QUICK_STEP = 5
"""A quick run takes every fifth message, and one reload: about two minutes."""

_NEVER = ("--evaluation-interval-seconds", 3_600)


def run(effort: Effort) -> list[Table]:
    """Measure the table."""
    plan = Plan(5, 1.0) if not effort.quick else Plan(1, 0.5)
    with TemporaryDirectory(prefix="driftgauge-bench-") as name, ExitStack() as stack:
        stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
        os.sched_setaffinity(0, OTHER_CORES)
        port = free_port()
        stack.enter_context(Program(module("benchmarks.model", port), port, OTHER_CORES))
        step = effort.of(1, _QUICK_STEP)
        rows = (*_message_rows(Path(name), port, plan, step), *_reload_rows(Path(name), port, plan, step))
    return [
        Table(
            slug="hostile",
            title="What one message does to the requests of another client",
            method=(
                "A client sends a request every 5 ms (open loop), which counts from the moment at which it is due. "
                f"{plan.rounds} rounds of {plan.seconds:g} s without the message and at least as long with it, in one "
                "process on one core; latencies are medians of the rounds. Its handling is the time in which the "
                "process uses more CPU than the requests need. Memory is private memory of the process and its "
                "children, which includes the child process that decodes. The sender and the model, which also reads "
                "the message, share the other core with that client. Outcome: status code, and what "
                "`driftgauge_payloads_total` counts. Promised: at most "
                f"{1e3 * LONGEST_SECONDS:g} ms more at the longest, {1e3 * MEDIAN_SECONDS:g} at the median, and "
                f"{MEGABYTES:g} MB for a message."
            ),
            columns=_COLUMNS,
            rows=rows,
        )
    ]


def _message_rows(folder: Path, port: int, plan: Plan, step: int) -> Iterator[tuple[Cell, ...]]:
    for title, message in islice(chain(to_logger.messages(), to_proxy.messages()), 0, None, step):
        path = _write_reference(folder / message.mode / message.data.value, reference(message.data))
        source = ("--reference", path) if message.mode == "proxy" else ("--reference-dir", path.parent)
        upstream = ("--upstream-url", f"http://127.0.0.1:{port}") if message.mode == "proxy" else ()
        with driftgauge(message.mode, *source, *upstream, *_NEVER) as program:
            small = _write_request(folder, message)
            found = measure(program, small, partial(send, program.port, message.wire), plan)
            result = outcome(program, message.wire)
        yield _row(f"{message.mode}: {title}", len(message.wire), result, found, found.broken())


def _reload_rows(folder: Path, port: int, plan: Plan, step: int) -> Iterator[tuple[Cell, ...]]:
    for title, content in islice(contents(), 0, None, step):
        path = _write_reference(folder / "reload", reference(Data.NUMBERS))
        options = ("--reference", path, "--reference-poll-seconds", POLL_SECONDS)
        with driftgauge("proxy", *options, "--upstream-url", f"http://127.0.0.1:{port}", *_NEVER) as program:
            replace = Replacement(program, path, content)
            found = measure(program, _write_request(folder, Message("proxy", b"")), replace, plan, replace.prepare)
        broken = tuple(part for part in found.broken() if part != "memory")
        yield _row(f"proxy: {title}", len(content), f"{replace.loaded} of {replace.asked} loaded", found, broken)


def _write_reference(folder: Path, content: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "wine.csv"
    path.write_bytes(content)
    return path


def _write_request(folder: Path, message: Message) -> Path:
    """Write the request of the other client: one valid row."""
    body = body_of(message.data, 0)
    wire = post("/v1/models/wine:predict", body) if message.mode == "proxy" else event("request", body)
    path = folder / "small.http"
    path.write_bytes(wire.replace(b"@" * 32, b"0" * 32))
    return path


def _row(title: str, size: int, result: str, found: Effect, broken: tuple[str, ...]) -> tuple[Cell, ...]:
    latencies = (
        found.quiet_p99,
        found.p99,
        found.p99 - found.quiet_p99,
        found.quiet_longest,
        found.longest,
        found.longest - found.quiet_longest,
        found.median_more,
    )
    kept = f"**missed**: {', '.join(broken)}" if broken else "kept"
    return (title, size / 1e6, result, *(1e3 * value for value in latencies), found.megabytes, kept)
