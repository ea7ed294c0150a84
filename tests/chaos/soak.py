"""`python -m tests.chaos.soak [--minutes N] [--rate N]`: does anything grow while three loggers and three proxies run?

One percent of the events are malformed, and of five percent of the inferences one half is missing. Without `--rate`,
the senders find the rate at which three quarters of the machine are busy. Exit code 0 if nothing grows, Redis stays
within the formula of `charts.redis_memory`, and all counts add up.
"""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from benchmarks.statistics.tables import fill
from charts.redis_memory import Load, used_bytes
from tests.chaos.laws import Findings, examine
from tests.chaos.senders import Traffic
from tests.chaos.stage import COLUMNS, MODELS, PAIR_TTL_SECONDS, REPLICAS, WINDOW_ROWS, Settings, Stage
from tests.support.waiting import wait_until

MARK = "soak"

_BUSY = 0.75
_RAMP_SECONDS = 4
_SAMPLE_SECONDS = 5
_FIRST_RATE = 10.0
_HIGHEST_RATE = 200.0
_WARM_UP = 0.2
"""Share of the run that is not judged: pools fill, and the windows with them."""

_GROWTH = 0.03
"""Most that the mean of the last third may lie above that of the middle third, as a share of it."""

_LEAKED = 3
"""Most descriptors, threads or tasks that the last third may have more than the middle one: connections come and go."""

_PROBE = Path(__file__).with_name("probe")


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a process at one moment.

    Args:
        megabytes: Memory that no file backs, with its child processes.
        descriptors: Open file descriptors.
        threads: Threads, and child processes.
        tasks: Tasks of asyncio; 0 of a process that has none.
    """

    megabytes: float
    descriptors: int
    threads: int
    tasks: int = 0


@dataclass(frozen=True, slots=True)
class Growth:
    """How one figure of one process went: means of the first, the middle and the last third of what is judged."""

    name: str
    unit: str
    thirds: tuple[float, float, float]
    allowed: float

    @property
    def is_flat(self) -> bool:
        """Whether the last third is no larger than the middle one, within what is allowed."""
        return self.thirds[2] <= self.thirds[1] + self.allowed


def size_of(pid: int) -> Size:
    """The size of a process now, with its child processes."""
    pids = [pid, *_children(pid)]
    memory = threads = 0
    for one in pids:
        with contextlib.suppress(OSError):  # a child that has just ended
            status = dict(line.split(":", 1) for line in Path(f"/proc/{one}/status").read_text().splitlines())
            memory += int(status["RssAnon"].split()[0])
            threads += int(status["Threads"])
    return Size(memory / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir())), threads)


def tasks_of(pid: int, folder: Path) -> int:
    """How many asyncio tasks a process has that was started with the variables of `probe_variables`."""
    file = folder / str(pid)
    file.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR2)
    wait_until(file.exists, "the number of tasks")
    return int(file.read_text())


def probe_variables(folder: Path) -> dict[str, str]:
    """The variables with which a process says how many tasks it has, by a file in this folder."""
    return {"PYTHONPATH": f"{_PROBE}{os.pathsep}{os.environ.get('PYTHONPATH', '')}", "TASKS_FOLDER": str(folder)}


def growth(name: str, unit: str, values: Sequence[float], allowed: float) -> Growth:
    """The means of three thirds of the values, without the warm-up.

    Args:
        name: Of what.
        unit: Of the values.
        values: In the order of time, at least three after the warm-up.
        allowed: How much larger the last third may be.
    """
    judged = values[int(len(values) * _WARM_UP) :]
    third = len(judged) // 3
    first, middle, last = judged[:third], judged[third : 2 * third], judged[2 * third :]
    return Growth(name, unit, (fmean(first), fmean(middle), fmean(last)), allowed)


def judge(name: str, sizes: Sequence[Size]) -> list[Growth]:
    """Memory, descriptors, threads and tasks of one process."""
    memory = [one.megabytes for one in sizes]
    tasks = [one.tasks for one in sizes]
    return [
        growth(name, "MB", memory, _GROWTH * fmean(memory)),
        growth(name, "descriptors", [one.descriptors for one in sizes], _LEAKED),
        growth(name, "threads", [one.threads for one in sizes], _LEAKED),
        *([growth(name, "tasks", tasks, _LEAKED)] if any(tasks) else []),
    ]


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a soak has measured.

    Args:
        grown: How each figure of each process went.
        findings: What the laws found.
        rate: Turns a second of each sender.
        redis_bytes: The largest `used_memory` of Redis.
        formula_bytes: What `charts.redis_memory` says that it needs at this rate.
    """

    grown: list[Growth]
    findings: Findings
    rate: float
    redis_bytes: int
    formula_bytes: float

    @property
    def is_well(self) -> bool:
        """Whether no law is broken, nothing grows, and Redis is within its formula."""
        is_flat = all(one.is_flat for one in self.grown)
        return is_flat and not self.findings.broken and self.redis_bytes <= self.formula_bytes


def formula_bytes(stage: Stage, rate: float) -> float:
    """What `charts.redis_memory` says that Redis uses, at `rate` pairs of events a second of each agent."""
    load = Load(
        models=len(MODELS),
        features=len(COLUMNS),
        predictions=1,
        window_rows=WINDOW_ROWS,
        rate=rate * len(stage.loggers),
        pair_ttl_seconds=PAIR_TTL_SECONDS,
        replicas=len(stage.replicas),
    )
    return used_bytes(load)


def find_rate(stage: Stage) -> float:
    """Raise the rate of the senders until three quarters of the machine are busy; returns it."""
    traffic = stage.settings.traffic
    while traffic.rate < _HIGHEST_RATE:
        idle, begun = _idle_seconds(), time.monotonic()
        stage.send_for(_RAMP_SECONDS)
        busy = 1 - (_idle_seconds() - idle) / (time.monotonic() - begun) / (os.cpu_count() or 1)
        if busy >= _BUSY:
            break
        traffic.rate = min(_HIGHEST_RATE, traffic.rate * min(1.5, _BUSY / max(busy, 0.01)) + 1)
    return traffic.rate


def samples(stage: Stage, minutes: float, folder: Path) -> Iterator[tuple[list[Size], int]]:
    """The sizes of all replicas and of Redis, and its `used_memory`, at a fixed interval until the time is over."""
    end = time.monotonic() + 60 * minutes
    pids = [one.process.pid for one in stage.replicas]
    while time.monotonic() < end:
        stage.send_for(_SAMPLE_SECONDS)
        sizes = [replace(size_of(pid), tasks=tasks_of(pid, folder)) for pid in pids]
        yield [*sizes, size_of(stage.standalone.server.pid)], int(stage.redis.info("memory")["used_memory"])


def run(minutes: float, rate: float | None) -> Soaked:
    """Run the soak; returns what it measured."""
    traffic = Traffic(rate=_FIRST_RATE if rate is None else rate, malformed=0.01)
    findings = Findings()
    with tempfile.TemporaryDirectory(prefix="driftgauge-tasks-") as name:
        folder = Path(name)
        settings = Settings(traffic=traffic, environments=(probe_variables(folder),) * REPLICAS)
        with Stage(settings) as stage:
            chosen = find_rate(stage) if rate is None else rate
            by_time = list(samples(stage, minutes, folder))
            stage.senders.stop()
            examine(stage, stage.reference, findings)
            names = [*(one.name for one in stage.replicas), "redis"]
            formula = formula_bytes(stage, chosen)
    grown = [one for at, name in enumerate(names) for one in judge(name, [sizes[at] for sizes, _ in by_time])]
    return Soaked(grown, findings, chosen, max(used for _, used in by_time), formula)


def _idle_seconds() -> float:
    """Seconds that all cores together have been idle."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return (int(words[4]) + int(words[5])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has ended
            found += map(int, path.read_text().split())
    return found


def as_table(grown: Sequence[Growth]) -> str:
    """A row for each figure of each process."""
    head = ["| process | | first third | middle third | last third | |", "| --- | --- | ---: | ---: | ---: | --- |"]
    rows = [
        f"| {one.name} | {one.unit} | {' | '.join(f'{mean:.1f}' for mean in one.thirds)} | "
        f"{'flat' if one.is_flat else '**grows**'} |"
        for one in grown
    ]
    return "\n".join([*head, *rows])


def summary(soaked: Soaked, minutes: float) -> str:
    """What was sent, and whether all of it is accounted for."""
    findings = soaked.findings
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in sorted(findings.reasons.items()))
    laws = f"Broken: {'; '.join(findings.broken)}." if findings.broken else "All counts add up."
    within = "within" if soaked.redis_bytes <= soaked.formula_bytes else "**beyond**"
    return (
        f"{minutes:g} minutes; three clients with {soaked.rate:.0f} inferences a second each, and three agents with as "
        f"many pairs of events; {findings.sent:,} payloads, {findings.failed} failed inferences, {findings.repeated} "
        f"executed twice by the model, not accepted: {reasons or 'none'}; at most {len(findings.log)} log lines of a "
        f"process. {laws} Redis used {soaked.redis_bytes / 1e6:.1f} MB at most, {within} the "
        f"{soaked.formula_bytes / 1e6:.1f} MB of `python -m charts.redis_memory`."
    )


def main() -> int:
    """Run the soak of the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="how long (default: %(default)g)")
    parser.add_argument("--rate", type=float, help="turns a second of each of the six senders; without it, measured")
    parser.add_argument("--write", type=Path, help="put the table between the marks of this document")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that all children are stopped
    soaked = run(options.minutes, options.rate)
    body = f"{summary(soaked, options.minutes)}\n\n{as_table(soaked.grown)}"
    sys.stdout.write(f"{body}\n")
    if options.write:
        options.write.write_text(fill(options.write.read_text(), MARK, body))
    return int(not soaked.is_well)


if __name__ == "__main__":
    sys.exit(main())
