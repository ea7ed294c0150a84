"""Streams with a rhythm, and the models that their references get."""

import numpy as np
import pytest

from benchmarks.statistics.daily import DAY_SECONDS, FEATURES, MONDAY_SECONDS, STREAMS, Piece, draw, models


@pytest.mark.parametrize("name", STREAMS)
def test_references_have_whole_days_and_end_before_the_stream(name: str) -> None:
    """All times ascend, and the stream begins at midnight."""
    drawn = draw(name, 0, 1_000, 2_000)
    days = (drawn.stream_times[0] - MONDAY_SECONDS) / DAY_SECONDS
    again = draw(name, 0, 1_000, 2_000)

    assert ((1_000, FEATURES), (2_000, FEATURES)) == (drawn.reference.shape, drawn.stream.shape)
    assert (np.diff(drawn.reference_times) > 0).all()
    assert drawn.reference_times[-1] < drawn.stream_times[0]
    assert days % 1 < 0.01
    assert np.array_equal(drawn.stream, again.stream, equal_nan=True)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("sine, 2,000 rows a day", "h1"),
        ("sine, AR(1) 0.8 noise", "h1"),
        ("office hours of a week", "b48"),
        ("sine and weekend", "h1 x weekend"),
        ("no rhythm, two weeks", "h0"),
        ("no rhythm, AR(1) 0.8", "h0"),
        ("a category by hour", "4 buckets"),
        ("missing more at night", "2 buckets"),
    ],
)
def test_references_get_the_models_that_they_were_drawn_from(name: str, model: str) -> None:
    """All features of one reference of 5,000 rows."""
    assert [model] * FEATURES == [found for found, _ in models(Piece(name, 5_000, 0))]


def test_the_night_has_four_times_the_traffic() -> None:
    """Eight of 24 hours have two thirds of the rows."""
    times = draw("sine, night traffic x 4", 0, 5_000, 2_000).reference_times

    assert 2 / 3 == pytest.approx(np.mean(times % DAY_SECONDS < 8 * 3600), abs=0.02)
