"""Alternates times without and with a message, beside a client that sends a request every 5 ms."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.children import OTHER_CORES, ROOT, Program, module
from benchmarks.hostile.effect import BUSY_SHARE, Effect, Latency, Phase, Usage, effect

_SLICE_SECONDS = 0.02
_IDLE_SECONDS = 0.8
"""The pipeline waits half a second for more payloads, so a message may be handled that much later than it came."""

_LONGEST_SECONDS = 40.0
_WARM_SECONDS = 1.0


class Plan(NamedTuple):
    """How long is measured.

    Args:
        rounds: Times without and with the message.
        seconds: The length of each of them, at least.
    """

    rounds: int
    seconds: float


def measure(
    program: Program, small: Path, act: Callable[[], object], plan: Plan, prepare: Callable[[], object] = lambda: None
) -> Effect:
    """Measure what an action does to the requests of another client.

    Args:
        program: driftgauge, running.
        small: A file with the request that the other client sends.
        act: Sends the message, or replaces the reference.
        plan: How long.
        prepare: Is called before each round, and not measured.
    """
    phases: list[Phase] = []
    with _metered(program, small) as latencies, _sampled(program) as usage:
        time.sleep(_WARM_SECONDS)
        for _ in range(plan.rounds):
            prepare()
            start = time.monotonic()
            time.sleep(plan.seconds)
            loaded = time.monotonic()
            phases.append(Phase(start, loaded, is_loaded=False))
            act()
            _wait_until_idle(usage)
            time.sleep(max(0.0, loaded + plan.seconds - time.monotonic()))
            phases.append(Phase(loaded, time.monotonic(), is_loaded=True))
    return effect(latencies, usage, phases)


@contextmanager
def _metered(program: Program, small: Path) -> Iterator[list[Latency]]:
    """Run the other client. Its latencies are there after the block."""
    found: list[Latency] = []
    meter = subprocess.Popen(  # noqa: S603 - a module of this repository
        module("benchmarks.hostile.meter", program.port, small),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, OTHER_CORES),  # noqa: PLW1509 - only the meter's threads
    )
    try:
        yield found
    finally:
        printed, _ = meter.communicate("")
    found += [Latency(due, seconds) for due, seconds in json.loads(printed)]


@contextmanager
def _sampled(program: Program) -> Iterator[list[Usage]]:
    """Look at the process every 20 ms until the block ends, without a message just as with it."""
    usage: list[Usage] = []
    stopped = threading.Event()

    def sample() -> None:
        while not stopped.wait(_SLICE_SECONDS):
            usage.append(Usage(time.monotonic(), program.cpu_seconds, program.private_megabytes()))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield usage
    finally:
        stopped.set()
        thread.join()


def _wait_until_idle(usage: list[Usage]) -> None:
    """Wait until the process has used little CPU for a while."""
    begin = last_busy = time.monotonic()
    while time.monotonic() - last_busy < _IDLE_SECONDS and time.monotonic() - begin < _LONGEST_SECONDS:
        time.sleep(_SLICE_SECONDS)
        one, two = usage[-2:]
        if two.cpu_seconds - one.cpu_seconds > BUSY_SHARE * (two.moment - one.moment):
            last_busy = time.monotonic()
