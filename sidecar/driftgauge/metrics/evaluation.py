"""What is published: one evaluation of one stream, and the facts of what it is compared with. Values only."""

from dataclasses import dataclass

from driftgauge.drift.result import DriftReport


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of one window.

    Args:
        report: What was found.
        time: When, in seconds since the epoch.
        duration_seconds: How long reading and testing took.
        window_time: When the newest row of the window passed, in seconds since the epoch; `None` without rows.
    """

    report: DriftReport
    time: float
    duration_seconds: float
    window_time: float | None


@dataclass(frozen=True, slots=True)
class ReferenceFacts:
    """What is told of a loaded reference.

    Args:
        rows: How many rows it has.
        digest: SHA-256 of the file's content, in hex; of a baseline whatever names it.
        path: Where it was read from; of a baseline what it is made of.
        loaded_at: When, in seconds since the epoch.
        rows_needed: How many rows the false-alarm budget asks for, if that is more than it has; else 0.
        source: `reference` for a file, `baseline` for the first rows of a stream.
    """

    rows: int
    digest: str
    path: str
    loaded_at: float
    rows_needed: int = 0
    source: str = "reference"
