"""What the slices of responses that wait say."""

import pytest

from driftgauge.monitoring.waiting_responses import coverage, waiting_facts
from driftgauge.results.latest_outcomes import WaitingFacts
from driftgauge.storage.labels import Slice


def piece(start: float, responses: int = 10, left_out: int = 0, rows: int = 10, labelled: int = 0) -> Slice:
    """A slice of 100 s."""
    return Slice(start, start + 100, responses, left_out, rows, labelled)


def test_responses_without_a_label_are_pending() -> None:
    """Those with a label are not; of all that came, some are kept."""
    slices = [piece(0, labelled=4), piece(100, responses=20, left_out=30, rows=20, labelled=20)]

    assert waiting_facts(slices) == WaitingFacts(pending=6, kept_ratio=0.5)


def test_without_responses_no_share_is_kept() -> None:
    """It is unknown, and not 0."""
    assert waiting_facts([]) == WaitingFacts(pending=0, kept_ratio=None)


def test_of_responses_with_several_rows_the_share_of_the_rows_counts() -> None:
    """A quarter of the rows is labelled, so a quarter of the responses is taken to be."""
    assert waiting_facts([piece(0, responses=8, rows=64, labelled=16)]).pending == 6


@pytest.mark.parametrize(
    ("start", "end", "found"), [(0, 50, 0.5), (0, 100, 0.75), (150, 160, 1.0), (200, 300, None), (99, 99, 0.5)]
)
def test_the_coverage_is_that_of_the_slices_of_a_time(start: float, end: float, found: float | None) -> None:
    """A slice that begins at the end counts, one that has ended at the start does not."""
    assert coverage([piece(0, labelled=5), piece(100, labelled=10)], start, end) == found
