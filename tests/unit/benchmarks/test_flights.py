"""The flights are those of their description."""

import numpy as np
import pytest

from benchmarks.statistics.flights import KINDS, NAMES, flights
from benchmarks.statistics.make_flights import text_of

DELAY = NAMES.index("delay")


def test_january_is_the_reference_and_february_the_stream() -> None:
    """All flights of January, and those of the first fortnight of February."""
    january, february, moments = flights()

    assert (27_004, len(KINDS)) == january.shape
    assert (12_222, len(KINDS)) == february.shape
    assert february.shape[0] == len(moments)


@pytest.mark.parametrize(("day", "cancelled", "scheduled"), [(8, 472, 930), (9, 393, 684)])
def test_the_blizzard_cancelled_every_second_flight(day: int, cancelled: int, scheduled: int) -> None:
    """Cancelled flights are those without a delay."""
    _, february, moments = flights()
    that_day = [row for row, moment in zip(february, moments, strict=True) if moment.startswith(f"{day} Feb")]

    assert scheduled == len(that_day)
    assert cancelled == int(np.isnan(np.array(that_day)[:, DELAY]).sum())


def test_the_stream_is_in_the_order_of_the_schedule() -> None:
    """The time since the beginning of the month never falls."""
    _, february, moments = flights()
    days = np.array([int(moment.split()[0]) for moment in moments])
    hours = 24 * days + february[:, NAMES.index("scheduled")]

    assert (np.diff(hours) >= 0).all()


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
