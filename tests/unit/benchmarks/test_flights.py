"""The flights are those of their description."""

import numpy as np
import pytest

from benchmarks.statistics.flights import KINDS, NAMES, flights
from benchmarks.statistics.make_flights import text_of

DELAY = NAMES.index("delay")


def test_january_is_the_reference_and_february_the_stream() -> None:
    """All flights of January, and those of the first fortnight of February."""
    january, february = flights()

    assert (27_004, len(KINDS)) == january.values.shape
    assert (12_222, len(KINDS)) == february.values.shape
    assert (27_004, 12_222) == (january.times.size, february.times.size)
    assert ("1 Jan 05:15", "14 Feb 23:59") == (january.moment(0), february.moment(-1))


@pytest.mark.parametrize(("day", "cancelled", "scheduled"), [(8, 472, 930), (9, 393, 684)])
def test_the_blizzard_cancelled_every_second_flight(day: int, cancelled: int, scheduled: int) -> None:
    """Cancelled flights are those without a delay."""
    _, february = flights()
    that_day = [row for at, row in enumerate(february.values) if february.moment(at).startswith(f"{day} Feb")]

    assert scheduled == len(that_day)
    assert cancelled == int(np.isnan(np.array(that_day)[:, DELAY]).sum())


def test_the_stream_is_in_the_order_of_the_schedule() -> None:
    """Times never fall, and have the hour of the schedule."""
    _, february = flights()

    assert (np.diff(february.times) >= 0).all()
    np.testing.assert_allclose(february.times % 86_400 / 3_600, february.values[:, NAMES.index("scheduled")])


def test_the_file_is_sorted_and_leaves_out_later_flights() -> None:
    """A flight that has no delay has an empty cell."""
    row = {"distance": "9", "carrier": "UA", "origin": "EWR"}
    rows = [
        row | {"month": "2", "day": "14", "sched_dep_time": "5", "dep_delay": "NA"},
        row | {"month": "1", "day": "3", "sched_dep_time": "1545", "dep_delay": "-2"},
        row | {"month": "2", "day": "15", "sched_dep_time": "5", "dep_delay": "1"},
    ]

    expected = "month,day,scheduled,delay,distance,carrier,origin\n1,3,1545,-2,9,UA,EWR\n2,14,5,,9,UA,EWR\n"

    assert expected == text_of(rows)
