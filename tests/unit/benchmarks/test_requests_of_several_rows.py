"""The short form of the tables of requests: no alarm without drift, and drift is found."""

import math

import pytest

from benchmarks.statistics.requests import TRAFFIC, Change, Quiet, delay, measure

pytestmark = pytest.mark.long


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_requests_of_unequal_length_raise_no_alarm(traffic: str) -> None:
    """At the promise of 200 looks, which is the easiest to break, in 6,000 rows."""
    found = measure(Quiet(traffic, "200 looks", 0, 6_000))

    assert found.looks >= 50
    assert (0, 0, 0) == (found.alarms, found.in_alarm, found.streams)


@pytest.mark.parametrize(("rows", "correlation", "most"), [(8, 0.0, 900), (8, 0.5, 4_000), (128, 0.0, 5_000)])
def test_a_shift_in_requests_of_several_rows_is_found(rows: int, correlation: float, most: int) -> None:
    """Half a standard deviation, with correlated rows and with few, long requests."""
    found = delay(Change(rows, correlation, 0, 6_000))

    assert math.isfinite(found)
    assert found <= most
