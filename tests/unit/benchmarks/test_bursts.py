"""The short form of the table of bursts: what the streams are, and that few alarm."""

import numpy as np
import pytest

from benchmarks.statistics.bursts import DEPENDENT, Calm, count_alarms, in_bursts

pytestmark = pytest.mark.long


def test_bursts_have_their_share_and_length() -> None:
    """Of many rows one in twenty is in a burst, and most bursts have twenty rows."""
    inside = in_bursts(20, 0.05, np.random.default_rng(1), 200_000, 1)[:, 0]
    ends = np.flatnonzero(np.diff(inside.astype(int)))
    lengths = np.diff(ends)[0 if inside[ends[0] + 1] else 1 :: 2]

    assert 0.04 < inside.mean() < 0.06
    assert 20 == np.median(lengths)


@pytest.mark.parametrize("reference", ["5,000", "5,000 in order"])
@pytest.mark.parametrize("stream", ["independent", "AR(1), 0.5", "AR(1), 0.9"])
def test_short_memory_raises_no_alarm(stream: str, reference: str) -> None:
    """In 6,000 rows, at the promise of 200 looks."""
    found = count_alarms(Calm(stream, reference, "200 looks", 0, 6_000))

    assert (100, 0, 0, 0) == (found.looks, found.alarms, found.in_alarm, found.streams)


@pytest.mark.parametrize("reference", ["5,000", "5,000 in order"])
def test_long_memory_has_no_verdict(reference: str) -> None:
    """At most looks at rows with an autocorrelation of 0.99 it is not known what they are worth."""
    found = count_alarms(Calm("AR(1), 0.99", reference, "30 days", 0, 6_000))

    assert found.untested > 50


def test_streams_are_as_large_as_asked() -> None:
    """Each has so many rows and features."""
    rng = np.random.default_rng(2)

    assert {(300, 3)} == {one.draw(rng, 300, 3).shape for one in DEPENDENT.values()}
