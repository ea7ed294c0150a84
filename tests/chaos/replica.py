"""One replica of driftgauge as a process, and what senders know of it."""

import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence

from tests.support.processes import Driftgauge
from tests.support.scrape import Samples

KINDS = ("request", "response")

_REMEMBERED = 2_000
"""Newest payloads whose time is kept: more than a replica takes in a flush interval."""


class Replica:
    """A logger or a proxy that runs, was stopped, or was killed.

    Args:
        name: Its name in messages, such as `logger 0`.
        process: The process, which its owner ends.
        spec: With what `Stage` starts it again.
    """

    def __init__(self, name: str, process: Driftgauge, spec: tuple[str, int]) -> None:
        self.name = name
        self.process = process
        self.spec = spec
        self.port = process.port
        self.is_killed = False
        self.is_stopped = False
        self.ended_at = 0.0
        self.last: Samples | None = None
        self.taken: Counter[str] = Counter()
        self.failures: Counter[int] = Counter()
        self.taken_at: deque[tuple[float, str]] = deque(maxlen=_REMEMBERED)
        self._log_start = 0

    def record(self, kinds: Iterable[str]) -> None:
        """Count payloads that it has taken with status code 200, by kind."""
        now = time.monotonic()
        for kind in kinds:
            self.taken[kind] += 1
            self.taken_at.append((now, kind))

    def record_failure(self, status: int) -> None:
        """Count a request that failed though this replica lived."""
        self.failures[status] += 1

    def taken_since(self, moment: float, kind: str) -> int:
        """How many payloads of a kind it has taken since a moment of the monotonic clock."""
        return sum(at >= moment and one == kind for at, one in list(self.taken_at))

    def metrics(self) -> Samples:
        """Scrape it; of a replica that has ended, the last scrape."""
        if not (self.is_killed or self.is_stopped):
            self.last = self.process.metrics()
        return self.last or Samples([])

    def kill(self) -> None:
        """Scrape it once more, and kill it with SIGKILL."""
        self.metrics()
        self.is_killed = True
        self.process.kill()
        self.ended_at = time.monotonic()

    def stop(self) -> None:
        """Scrape it once more, stop it with SIGTERM, and return when it has ended."""
        self.metrics()
        self.is_stopped = True
        self.process.terminate()

    def mark_log(self) -> None:
        """Count log lines from here on."""
        self._log_start = len(self.process.stderr)

    @property
    def log(self) -> Sequence[str]:
        """The log lines since the mark."""
        return self.process.stderr[self._log_start :].splitlines()
