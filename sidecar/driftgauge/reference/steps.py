"""What is reported of work that takes long, for a person who waits."""

from collections.abc import Callable
from pathlib import Path

ReportStep = Callable[[str, float | None], None]
"""Called with what is done now, and which share of it is done, from 0 to 1; `None` if that is not known."""


def report_nothing(step: str, share: float | None) -> None:
    """Report nothing: no one waits."""


def report_bytes(path: Path, step: str, report: ReportStep) -> Callable[[int], None]:
    """A function that reports a step of reading a file, each time it is called with the size of what was read."""
    total_bytes, read_bytes = max(1, path.stat().st_size), 0

    def on_read(size_bytes: int) -> None:
        nonlocal read_bytes
        read_bytes += size_bytes
        report(step, min(1.0, read_bytes / total_bytes))

    return on_read
