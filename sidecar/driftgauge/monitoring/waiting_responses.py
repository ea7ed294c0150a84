"""What the slices of responses that wait for labels say: how many wait, how many are kept, how many have labels."""

from collections.abc import Sequence

from driftgauge.results.latest_outcomes import WaitingFacts
from driftgauge.storage.labels import Slice


def waiting_facts(slices: Sequence[Slice], other_columns: float = 0.0) -> WaitingFacts:
    """How many responses wait, and which share of all is kept.

    Args:
        slices: The slices.
        other_columns: As of the facts.

    Notes:
        A slice counts rows with a label, and not responses: of responses with several rows it is assumed that as large
        a share of the responses is labelled as of the rows.
    """
    kept = sum(one.responses for one in slices)
    seen = kept + sum(one.left_out for one in slices)
    pending = sum(one.responses * (1 - one.labelled_rows / one.rows) for one in slices if one.rows)
    return WaitingFacts(pending=round(pending), kept_ratio=kept / seen if seen else None, other_columns=other_columns)


def coverage(slices: Sequence[Slice], start: float, end: float) -> float | None:
    """Share of the rows of all slices that overlap a time that have a label; `None` without any.

    Args:
        slices: The slices.
        start: The first moment of the time, in seconds since the epoch.
        end: The last one.
    """
    found = [one for one in slices if one.start <= end and one.end > start]
    rows = sum(one.rows for one in found)
    return sum(one.labelled_rows for one in found) / rows if rows else None
