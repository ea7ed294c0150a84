"""Programs that a benchmark starts on given cores, and their cost in CPU time and memory."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[1]
_START_SECONDS = 20.0
_END_SECONDS = 15.0
_POLL_SECONDS = 0.01

SUBJECT_CORES = frozenset({0})
"""The core of the measured program, which it has to itself. This is the same for every peer."""

OTHER_CORES = frozenset(range(1, os.cpu_count() or 1)) or SUBJECT_CORES
"""The cores that the load and the model share."""


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs a module of this repository."""
    return [sys.executable, "-m", name, *map(str, arguments)]


class Program:
    """A program that runs until the `with` block ends, with its child processes.

    Args:
        argv: The program and its arguments.
        port: It has started when this port accepts connections, and its `admin_port`, if that is set.
        cores: Where it may run.
        env: Variables in addition to those of this process.
    """

    def __init__(
        self,
        argv: Sequence[str],
        port: int | None = None,
        cores: frozenset[int] = SUBJECT_CORES,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port or 0
        self.admin_port = 0
        self._argv = argv
        self._cores = cores
        self._env = {**os.environ, **(env or {})}

    def __enter__(self) -> Self:
        """Start it, and wait until it accepts connections."""
        cores = self._cores
        self.process = subprocess.Popen(  # noqa: S603 - programs that the benchmarks name
            self._argv,
            cwd=ROOT,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509 - this process has one thread
        )
        for port in filter(None, (self.port, self.admin_port)):
            self._wait_until(partial(is_listening, port))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def cpu_seconds(self) -> float:
        """CPU time until now, user and system, of all its threads and child processes that still run."""
        return sum(_ran_nanoseconds(task) for pid in self.pids() for task in _tasks(pid)) / 1e9

    def private_megabytes(self) -> float:
        """Megabytes of memory that no file backs (`RssAnon`), of the process and its children that still run."""
        return sum(_anonymous_kilobytes(pid) for pid in self.pids()) / 1024

    def memory(self, field: str = "Rss") -> float:
        """Megabytes of memory (`Rss` or `Pss`), as the kernel sums them over its mappings, with child processes."""
        return sum(_rollup(pid, field) for pid in self.pids()) / 1024

    def pids(self) -> list[int]:
        """Its process id, and those of its child processes."""
        found = [self.process.pid]
        for pid in found:
            found += _children(pid)
        return found

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + _START_SECONDS
        while not condition():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self._argv[0]} did not start: {' '.join(self._argv)}")
            time.sleep(_POLL_SECONDS)


def is_listening(port: int) -> bool:
    """Whether a connection to the port is accepted."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def version(argv: Sequence[str]) -> str:
    """The version that a program prints when it is called with these arguments."""
    printed = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603 - what benchmarks name
    found = re.search(r"\d+\.\d+[.\d]*", printed.stdout + printed.stderr)
    return found[0] if found else "?"


def _tasks(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").glob("*/schedstat"))


def _ran_nanoseconds(schedstat: Path) -> int:
    """Time on a processor, in nanoseconds (Linux, Documentation/scheduler/sched-stats.rst)."""
    try:
        return int(schedstat.read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):  # the thread has ended
        return 0


def _children(pid: int) -> list[int]:
    """The children of a process, whichever of its threads has started them; none if it has ended."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has ended
            found += map(int, path.read_text().split())
    return found


def _anonymous_kilobytes(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # the process has ended
        return 0
    return int(status.partition("RssAnon:")[2].split(maxsplit=1)[0]) if "RssAnon:" in status else 0


def _rollup(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
