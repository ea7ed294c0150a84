"""Intervals of counts and waiting times."""

import math

import pytest

from benchmarks.statistics.intervals import Apart, garwood, median, median_and_p90, waited


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390)],
)
def test_garwood_gives_the_known_limits(count: int, low: float, high: float) -> None:
    """The 95 % limits are those of Garwood 1936, table 1."""
    assert garwood(count) == pytest.approx((low, high), abs=0.001)


def test_no_events_give_a_lower_bound() -> None:
    """Without events only the lower end of the distance between them is known: 1,000 / 3.689."""
    assert str(Apart(1_000, 0)) == "over 271"


def test_events_have_a_distance_and_an_interval() -> None:
    """Ten events in 1,000 looks are 100 looks apart, and 54 to 209 with 95 % confidence."""
    assert str(Apart(1_000, 10)) == "100 (54 to 209)"


def test_waits_that_were_cut_off_are_marked() -> None:
    """A quantile that is infinite is shown as over the cap."""
    assert median_and_p90([100.0, 200.0, 300.0, math.inf], 1_000) == "300 (over 1,000)"


def test_the_median_of_an_even_number_is_the_higher_one() -> None:
    """There is no mean of a finite and an infinite wait."""
    assert median([100.0, math.inf]) == math.inf


def test_a_wait_has_separators() -> None:
    """Rows are shown in thousands."""
    assert waited(12_345.0, 1.0) == "12,345"
