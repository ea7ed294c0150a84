"""The benchmark of the estimate: the detector needs about as many rows as were estimated before the shift."""

import math

import pytest

from benchmarks.statistics.estimate import CASES, Piece, measure

NORMAL = "normal, 5,000 rows"


@pytest.mark.parametrize("direction", [1, -1])
def test_a_stream_has_an_estimate_and_the_rows_that_were_needed(direction: int) -> None:
    """A single stream may need half of the estimate, or twice as many rows."""
    outcome = measure(Piece(NORMAL, direction, number=0, cap=1_500))

    assert 0.5 < outcome.needed / outcome.estimated < 2.0


def test_a_stream_that_is_too_short_needs_more_rows() -> None:
    """Without an alarm the number of rows is infinite."""
    assert math.isinf(measure(Piece(NORMAL, 1, number=0, cap=60)).needed)


def test_there_are_references_of_several_shapes() -> None:
    """Two sizes, heavy tails, ties, and rows that depend on each other."""
    assert NORMAL in CASES
    assert len(CASES) >= 3
