"""The peak of memory of a program with its child processes: what the kernel compares with a container's limit."""

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.children import Program

_INTERVAL_SECONDS = 0.005
_PAGES_PER_MEGABYTE = 256


class MemoryPeak:
    """Watches the resident memory of a program from `with` on, two hundred times a second.

    Pages that two processes share count once for each, so the sum is an upper bound. Peaks of the main process alone
    come from the kernel (`VmHWM`), which misses none.

    Args:
        program: The program, running.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._together = 0
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self._has_ended.set()
        self._thread.join()

    @property
    def together(self) -> float:
        """Megabytes of all processes together, at the worst moment until now."""
        return max(self._together / _PAGES_PER_MEGABYTE, self.main)

    @property
    def main(self) -> float:
        """Megabytes of the main process at its worst moment."""
        status = Path(f"/proc/{self._program.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) / 1024

    def _watch(self) -> None:
        while not self._has_ended.wait(_INTERVAL_SECONDS):
            self._together = max(self._together, sum(map(_resident_pages, self._program.pids())))


def _resident_pages(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):  # the process has ended
        return 0
