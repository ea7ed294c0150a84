"""The result of evaluating one stream, and the facts about what the stream is compared with."""

from dataclasses import dataclass

from driftgauge.drift.result import DriftReport


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of one window.

    Args:
        report: Verdicts and statistics.
        time: When the window was tested, in seconds since the epoch.
        duration_seconds: How long reading and testing took.
        window_time: When the newest row of the window passed, in seconds since the epoch; `None` without rows.
    """

    report: DriftReport
    time: float
    duration_seconds: float
    window_time: float | None


@dataclass(frozen=True, slots=True)
class ReferenceFacts:
    """What a stream is compared with: a reference file or a baseline.

    Args:
        rows: How many rows it has.
        digest: SHA-256 of the file's content, in hex; for a baseline a hash of its columns.
        path: The file's path; for a baseline a description of its rows.
        loaded_at: When it was loaded or taken, in seconds since the epoch.
        rows_needed: How many rows the false-alarm budget needs if the reference has fewer; else 0.
        source: `reference` for a file, `baseline` for the first rows of a stream.
    """

    rows: int
    digest: str
    path: str
    loaded_at: float
    rows_needed: int = 0
    source: str = "reference"
